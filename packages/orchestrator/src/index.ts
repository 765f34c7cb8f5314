/** The orchestrator: a pure state machine for one run, the port to its storage, and the shell that adapters share. */
export {
  type Acquire,
  type AcquireAnswer,
  type Drop,
  type GateMessage,
  type GateSettings,
  type Grant,
  type HoldMode,
  type HoldProbe,
  type HoldRef,
  type HolderAnswer,
  type HolderMessage,
  type OnFull,
  type QueuePlace,
  type Release,
  gateAddress,
  gateName,
  limitOf,
} from "./gate/messages.ts";
export { gate } from "./gate/gate.ts";
export {
  EVENT_LIST,
  type EventIds,
  type EventListCommand,
  type EventRangeCommand,
  eventList,
} from "./event/event-list.ts";
export { GATE_LIST, type ListCommand, type ListedGates, type VoidCommand, gateList } from "./gate/listing.ts";
export type { GateCommand } from "./gate/operate.ts";
export { type Actor, type Decision, type Machine, MachineHost } from "./host/machine-host.ts";
export type { RequestKey } from "./host/acts.ts";
export { CoordinatorHost, type CoordinatorHostOptions } from "./host/coordinator-host.ts";
export {
  COORDINATOR_HEADER,
  type CommandRefusal,
  type CommandReply,
  CoordinatorDraft,
  type CoordinatorEffect,
  type CoordinatorHeader,
  type CoordinatorInput,
  type CoordinatorMachine,
  type CoordinatorReply,
  type CoordinatorSelf,
  type CoordinatorState,
  type CountedThing,
  readHeader,
  toMachine,
} from "./host/coordinator.ts";
export { actionsOf } from "./run/actions.ts";
export { idFromKey } from "./run/state/key-id.ts";
export { type ErasureWrite, erasureOf, isExpired } from "./run/erasure.ts";
export {
  type KeyDecision,
  RESERVED_KEY,
  type ReservedRow,
  chosenIdProblem,
  isReleased,
  keyObjectOf,
  refuseByKey,
  reserveKey,
  reservedProblem,
  takenKeyProblem,
} from "./run/state/key-reservation.ts";
export { OutboxSender, type OutboxSenderOptions, type SendResult } from "./host/outbox-sender.ts";
export { EMPTY_OUTBOX, type OutboxState, posted, removed, resendDelayMs, settled } from "./host/outbox.ts";
export { FIRST_PARTS, type KeyValues, type SplitOptions, SplitRows } from "./host/split-rows.ts";
export type { ListOptions, RunStore, StoreReader, WriteBatch } from "./host/store.ts";
export { answerIssues } from "./json-schema/answer.ts";
export { type Pattern, matchesPattern, readPattern } from "./json-schema/pattern.ts";
export { schemaProblem } from "./json-schema/schema-check.ts";
export { isObject, pointerStep } from "./json-schema/schema.ts";
export {
  type DecidedRun,
  type DecidedTopic,
  type DecidingWorkflow,
  type EventDecision,
  type EventKey,
  decideEvent,
  declarationsOf,
  eventRunId,
  keyOf,
} from "./event/decide.ts";
export {
  type EventCommand,
  type EventMessage,
  type EventOrigin,
  type RawBody,
  eventMachine,
} from "./event/event-machine.ts";
export {
  type Append,
  type StoredEvent,
  type Subscribe,
  type SubscribeAnswer,
  type SubscriberAnswer,
  type SubscriberMessage,
  type SubscriberRef,
  type TopicEvent,
  type TopicMessage,
  topicAddress,
  topicName,
  topicParts,
} from "./topic/messages.ts";
export { topicMachine } from "./topic/topic-machine.ts";
export { type DeclaringWorkflow, eventUseProblem } from "./where/declaration.ts";
export { type MappedEvent, inputMapProblem, mapInput } from "./where/input-map.ts";
export { type FilteredEvent, mismatch } from "./where/where.ts";
export { keyProblem, readEventPath, textOfKey } from "./where/paths.ts";
export { whereProblem } from "./where/where-check.ts";
export { openAsks } from "./run/asks.ts";
export { checkedTransition } from "./run/checked-transition.ts";
export { type AlarmContext, alarmToSet, isAlarmLost } from "./host/alarm.ts";
export { type IndexRow, type IndexedAsk, expiryOf, indexRow } from "./run/index-mark.ts";
export type { Deferral, Effect, HostContext, Input, RefusalCode, Reply, Requested } from "./run/draft/inputs.ts";
export {
  type ChildTrigger,
  type Granted,
  type Inheritance,
  type OutboxMessage,
  type Received,
  type ResumePlan,
  type RunMessage,
  type SendEvent,
  type TriggerInput,
  type Unique,
  isToRun,
  toTriggerInput,
} from "./run/state/messages.ts";
export { type ResumeRequest, outcomesOf, planResume } from "./run/resume.ts";
export {
  AUDIT_PREFIX,
  type AuditRow,
  CHUNK_PREFIX,
  TOKEN_PREFIX,
  type ChunkRow,
  type DeliveryKind,
  INPUT_KEY,
  type InboxRow,
  JOURNAL_PREFIX,
  RECORD_KEY,
  type RowKind,
  type RunRows,
  type TokenRow,
  type WaitRow,
  chunkKey,
  chunkPrefix,
  isRow,
  isWrittenOnce,
  journalKey,
  listRows,
  readRow,
} from "./run/state/rows.ts";
export { alarmOf, newerFormatError, markNewer, readShownInput, shownHeader } from "./run/newer-run.ts";
export {
  type OpenWait,
  type ParentRef,
  type RunError,
  type RunHeader,
  type StreamState,
  nextAlarm,
} from "./run/state/run-header.ts";
export type { PageSize } from "./run/state/journal-pages.ts";
export { RunHost } from "./run/host/run-host.ts";
export type { Description, RunHostOptions } from "./run/host/run-host-options.ts";
export type { RunIdentity } from "./run/state/run-identity.ts";
export type { CatchUp, Overlap, ScheduleConfig, Spread } from "./schedule/config.ts";
export { readDeclaration, readPreview } from "./schedule/declaration.ts";
export { preview } from "./schedule/describe.ts";
export { type ScheduleListCommand, type SyncChange, type SyncRequest, scheduleList } from "./schedule/list-machine.ts";
export type {
  BackfillCommand,
  BackfillPlan,
  BackfillRequest,
  PlannedTimes,
  ScheduleCommand,
  ScheduleOrigin,
} from "./schedule/messages.ts";
export { scheduleMachine } from "./schedule/schedule-machine.ts";
export { type TimesSpec, nextTime } from "./schedule/times/next-time.ts";
export { tracedOf } from "./run/state/run-key.ts";
export { NO_PARTS, type View, shownFailure } from "./run/state/view.ts";
export {
  describeEntry,
  describeLeftOver,
  describeOverview,
  describeResult,
  describeRun,
  summarizeRun,
} from "./run/run-record.ts";
export { type RunState, applyBatch, loadRun, markNewerInput, readInput, readJournal } from "./run/state/run-state.ts";
export { type TokenStanding, publicTokenStanding } from "./run/draft/tokens.ts";
export { type Flow, type FlowLimit, checkOrder, readFlow } from "./flow/declaration.ts";
export { type Plan, type PlanRefusal, type PlannedHold, type WindowSettings, storedKey } from "./flow/plan.ts";
export { type Collect, type CollectAnswer, windowAddress } from "./window/messages.ts";
export { type WindowCommand, type WindowState, windowMachine } from "./window/window.ts";
export { type AskedTrigger, type Asking, askLimits } from "./run/asked-first.ts";
export { type CollectRefusal, type PlannedCollect, planCollect } from "./window/collect.ts";
export type { Hold } from "./run/state/hold.ts";
export { computeBackoffDelayMs } from "./run/step-retry.ts";
export { type Transition, transition } from "./run/transition.ts";
export { type StoredHeader, storedAfter } from "./run/state/header-rows.ts";
export { type Activity, type WhyFacts, factsOf, factsOfHeader } from "./run/why/facts.ts";
export { moreOf, whyOf } from "./run/why/why.ts";
