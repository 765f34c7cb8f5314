/** The entry point for tests of workflows: in memory, on a virtual clock, with any test runner. */
export { type Crash, CrashAt } from "./crash-at.ts";
export {
  type AlarmFault,
  CommitFailed,
  type Faults,
  type MessageFault,
  SimulatedCrash,
  type Loss,
  type StartFault,
} from "./memory-host/faults.ts";
export { MemoryCoordinator } from "./memory-host/memory-coordinator.ts";
export { MemoryHost, type MemoryHostOptions } from "./memory-host/memory-host.ts";
export { MemoryStore } from "./memory-host/memory-store.ts";
export type { OrchestratorProcess, RemotePipe } from "./memory-host/remote-pipe.ts";
export type { Tampering } from "./memory-host/tampering.ts";
export { type OpenTestAsk, type TestEntry, TestRun } from "./test-run.ts";
export { type StepMock, type TestOptions, type TestResult, type TestStep, testWorkflow } from "./test-workflow.ts";
export { TestWorld, type WorldEventOptions, type WorldOptions, type WorldResult, testWorld } from "./test-world.ts";
export { VirtualClock } from "./virtual-clock.ts";
