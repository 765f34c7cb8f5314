/** The orchestrator: a pure state machine for one run, the port to its storage, and the shell that adapters share. */
export type { Circumstances, Effect, Input, RefusalCode, Reply, SendResult } from "./inputs.ts";
export { type IndexRow, expiryOf, indexRow } from "./index-mark.ts";
export {
  type ChildTrigger,
  type Inheritance,
  type ResumePlan,
  type RunMessage,
  type TriggerInput,
  toTriggerInput,
} from "./messages.ts";
export { type ResumeRequest, outcomesOf, planResume } from "./resume.ts";
export { type OpenWait, type ParentRef, type RunError, type RunHeader, nextAlarm } from "./run-header.ts";
export type { RunIdentity } from "./run-identity.ts";
export { RunHost, type RunHostOptions } from "./run-host.ts";
export { describeEntry, describeRun, summarizeRun } from "./run-record.ts";
export {
  type AuditRow,
  type ChunkRow,
  type DeliveryKind,
  type InboxRow,
  type RunState,
  type TokenRow,
  applyBatch,
  loadRun,
  readInput,
  readJournal,
} from "./run-state.ts";
export { computeBackoffDelayMs } from "./step-retry.ts";
export {
  AUDIT_PREFIX,
  CHUNK_PREFIX,
  INPUT_KEY,
  JOURNAL_PREFIX,
  type ListOptions,
  RECORD_KEY,
  type RunStore,
  type StoreReader,
  type WriteBatch,
  chunkKey,
  chunkPrefix,
  journalKey,
} from "./store.ts";
export { hashText } from "./text-hash.ts";
export { type Transition, transition } from "./transition.ts";
