/** Tests for workflows: a run in memory, on a clock that moves only when told to. */
export {
  type Faults,
  MemoryHost,
  type MemoryHostOptions,
  type MessageFault,
  SimulatedCrash,
  type StartFault,
} from "./memory-host.ts";
export { MemoryStore } from "./memory-store.ts";
export { VirtualClock } from "./virtual-clock.ts";
