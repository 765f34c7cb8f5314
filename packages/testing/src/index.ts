/** Test tools: a run in memory on a virtual clock, and the contract suites that every implementation runs. */
export { MemoryHost, type MemoryHostOptions } from "./memory-host.ts";
export { MemoryStore } from "./memory-store.ts";
export { VirtualClock } from "./virtual-clock.ts";
