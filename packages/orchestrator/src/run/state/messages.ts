/**
 * The trigger of a run, and the messages between runs.
 *
 * Owns: the messages, and the form in which a trigger is stored and sent. A message takes effect once, however often it
 * arrives (CHILD4).
 *
 * Invariants
 * - M1 Rows of the outbox and objects of another version use these forms. Later versions only add optional fields (VER1).
 * - M2 A message may outlive what it is about: the run is deleted, or another run has its id. So a message names the run
 *   and the operation that it is about, and a receiver to which they do not apply acknowledges it and ignores it.
 */
import type {
  Address,
  ChildOutcome,
  EntryBody,
  InheritedPlace,
  ReceivedOrder,
  JournalEntry,
  OperationId,
  StepDispatcher,
  WorkflowDescription,
} from "@holdfast/protocol";
import type { GateMessage, HolderMessage, ProbeHolders } from "../../gate/messages.ts";
import type { Plan } from "../../flow/plan.ts";
import type { HeldAbove, Hold } from "./hold.ts";
import type { StoredEvent, Subscribe, SubscriberMessage, Unsubscribe } from "../../topic/messages.ts";
import type { ParentRef, Undescribed } from "./run-header.ts";
import type { RunIdentity } from "./run-identity.ts";

/** Creates a run (RUN2, RUN3). Values are encoded, and the adapter has validated the caller's arguments. */
export interface TriggerInput {
  readonly type: "trigger";
  readonly identity: RunIdentity;
  readonly input: string;
  /** 128 random bits, used unless the run inherits a seed. */
  readonly seed: string;
  readonly unique?: Unique | undefined;
  readonly delayMs?: number | undefined;
  readonly parent?: ParentRef | undefined;
  /** The part of its parent's state that a resumed run takes over (RES1–RES4). */
  readonly inherited?: Inheritance | undefined;
  /** Of an attached child: the holdings of its ancestors, of mode `run`. */
  readonly heldAbove?: readonly HeldAbove[] | undefined;
  /** The description of the workflow by a step handler in another process. Its version does not count: it may be old. */
  readonly listed?: WorkflowDescription | undefined;
  /** The step handler could not be asked for it (L9). */
  readonly undescribed?: Undescribed | undefined;
  /** The limits of the new run, if they were planned before. Its keys are not computed again (FLOW2). */
  readonly plan?: Plan | undefined;
  /** The limits that were asked before the run was created, with their answers, by name (L6). */
  readonly granted?: Readonly<Record<string, Granted>> | undefined;
}

/** A hold that the run has from its creation on. */
export type Granted = Pick<Hold, "seq" | "enqueuedAt" | "startAt">;

/** What a host adds to a trigger that it receives from another object. */
export type Received = Pick<TriggerInput, "unique" | "listed" | "undescribed">;

/** What the host of a new run makes for it, and what no other run has (RUN9). */
export interface Unique {
  /** 64 random bits as 16 hexadecimal digits. */
  readonly incarnation: string;
  /** See `RunHeader.publicMac`. */
  readonly publicMac?: string | undefined;
}

/**
 * A trigger in its stored and sent form: the attributes of the run are beside the other fields, with its id as `runId`. The
 * host of the new run adds the seed.
 */
export type ChildTrigger = Omit<RunIdentity, "id"> &
  Omit<TriggerInput, "type" | "identity" | "seed" | "unique" | "granted" | "listed" | "undescribed" | "plan"> & {
    readonly runId: string;
  };

/** Converts a stored or received trigger into an input. */
export function toTriggerInput(trigger: ChildTrigger, seed: string, unique?: Unique): TriggerInput {
  const { runId, input, delayMs, parent, inherited, heldAbove, ...attributes } = trigger;
  const identity = { id: runId, ...attributes };
  return { type: "trigger", identity, input, seed, unique, delayMs, parent, inherited, heldAbove };
}

/** Returns the dispatcher's description of the workflow of a trigger. */
export function describeWorkflowOf(
  dispatcher: StepDispatcher,
  { identity }: TriggerInput,
): WorkflowDescription | null | undefined {
  return dispatcher.describe?.(identity.workflowId, identity.workflowVersion);
}

/** The state that a run takes over from the parent from which it is resumed. */
export interface Inheritance {
  readonly parentRunId: string;
  /** The caller that resumes, for the audit of the parent. */
  readonly by?: string | undefined;
  /** When the parent was created, ms since 1970. */
  readonly parentCreatedAt?: number | undefined;
  /** The name of the step from which it executes again. */
  readonly step?: string | undefined;
  readonly number: number;
  readonly seed?: string | undefined;
  readonly clockStart?: number | undefined;
  /** The parent's replay flags: entries that are taken over replay as before (REP8). */
  readonly flags?: readonly number[] | undefined;
  /** The parent's `recordsPlaces`, for a new run that takes over its entries. */
  readonly recordsPlaces?: true | undefined;
  /** The first entries of the new run's journal. */
  readonly entries: readonly JournalEntry[];
  /** Outcomes that apply when an operation with the same id is requested. */
  readonly outcomes: readonly EntryBody[];
  readonly lineage?: InheritedLineage | undefined;
}

/** Outcomes that apply when the function requests an operation at the same place as the parent's function (RES3). */
export interface InheritedLineage {
  /** See `StartLineage`. */
  readonly silent: readonly string[];
  readonly outcomes: readonly PlacedOutcome[];
  readonly order?: ReceivedOrder;
}

export interface PlacedOutcome {
  readonly body: EntryBody;
  readonly place: Omit<InheritedPlace, "op">;
}

/** Returns the outcomes that apply when operations are requested. */
export function bodiesOf({ outcomes, lineage }: Pick<Inheritance, "outcomes" | "lineage">): readonly EntryBody[] {
  return [...outcomes, ...(lineage?.outcomes.map(({ body }) => body) ?? [])];
}

/** The attributes that a resumed run takes from its parent unless the caller sets others. */
export type ResumePlan = Pick<
  RunIdentity,
  "workflowId" | "workflowVersion" | "environment" | "tags" | "tenantMeta" | "timeoutMs" | "schedule"
> & { readonly inherited: Inheritance; readonly input: string };

/** Asks a run for what it waits for (L10). It changes nothing. */
export interface ProbeWaits {
  readonly type: "probeWaits";
}

/** What a run asks other objects, and does not store. */
export type Question = ProbeHolders | ProbeWaits;

/** The answer to `ProbeWaits`, if only the end of other holdings, or of children, ends the wait of the run. */
export interface RunWaits {
  readonly incarnation: string;
  readonly createdAt: number;
  /** The run can be stopped: it waits at a gate, and does not unwind yet. */
  readonly stops: boolean;
  readonly wants: readonly { readonly limit: string; readonly seq: number; readonly to: Address }[];
  readonly holds: readonly { readonly gate: string; readonly seq: number }[];
  /** The children for which it waits. */
  readonly children: readonly string[];
}

export function isRunWaits(answer: unknown): answer is RunWaits {
  return typeof answer === "object" && answer !== null && "wants" in answer && "incarnation" in answer;
}

/** Asks a run for its status, which is the answer; `gone`: there is no run. It changes nothing. */
export interface ProbeRun {
  readonly type: "probeRun";
  readonly runId: string;
}

/** A run sends an event to the object of the event, which decides what it does (EVT13). */
export interface SendEvent {
  readonly type: "send";
  readonly event: StoredEvent;
  /** The run, as the sender in the record of the event. */
  readonly by: string;
  readonly environment: string;
  readonly baseUrl?: string | undefined;
}

/** To the schedule whose tick started the run: a limit did not admit the run (SCH5). */
export interface NotAdmitted {
  readonly type: "notAdmitted";
  readonly runId: string;
}

/** A message in the outbox of a run. */
export type OutboxMessage = RunMessage | GateMessage | Subscribe | Unsubscribe | SendEvent | NotAdmitted;

/** The messages to a run. */
export type RunMessage =
  | SubscriberMessage
  | { readonly type: "trigger"; readonly trigger: ChildTrigger; readonly op: OperationId }
  /** `parent`: the sender and its operation. A run of another parent ignores the message. */
  | { readonly type: "cancel"; readonly reason: string; readonly parent?: Pick<ParentRef, "runId" | "op"> }
  /**
   * A run was resumed from the receiver (RES1). `by`: the caller, for the audit. `createdAt`: when the receiver was created;
   * a later run with the same id ignores the message. `resumedAt`: when the sender was created, instead of `createdAt`.
   */
  | {
      readonly type: "noteResumed";
      readonly runId: string;
      readonly by?: string;
      readonly createdAt?: number;
      readonly resumedAt?: number;
    }
  /** A child of the receiver ended. `start`: see `ParentRef`. */
  | { readonly type: "childEnded"; readonly op: OperationId; readonly outcome: ChildOutcome; readonly start?: number }
  /** A gate says something about a hold of the receiver. */
  | HolderMessage;

const NOT_TO_RUNS: ReadonlySet<(OutboxMessage | Question)["type"]> = new Set([
  "acquire",
  "release",
  "subscribe",
  "unsubscribe",
  "send",
  "notAdmitted",
  "probeHolders",
  "probeWaits",
]);

/** Whether a message is one of an outbox for a run. */
export function isToRun(message: OutboxMessage | Question): message is RunMessage {
  return !NOT_TO_RUNS.has(message.type);
}
