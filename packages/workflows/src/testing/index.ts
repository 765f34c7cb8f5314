/** Tests for workflows: a run in memory, on a clock that moves only when told to. */
export { MemoryHost, type MemoryHostOptions, SimulatedCrash } from "./memory-host.ts";
export { MemoryStore } from "./memory-store.ts";
export { VirtualClock } from "./virtual-clock.ts";
