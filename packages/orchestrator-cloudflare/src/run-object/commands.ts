/**
 * The commands that the Worker sends to a run's object.
 *
 * Owns: the messages between the two. They belong to the same deployment and trust each other: the Worker has
 * authenticated, validated and bounded each request, and the object is reachable only through its binding.
 */
import {
  type CoordinatorSelf,
  type ChildTrigger,
  type Input,
  NO_PARTS,
  type ResumeRequest,
  type RunMessage,
  type TokenStanding,
  type View,
} from "@holdfast/orchestrator";
import type { Ask, RunView } from "@holdfast/protocol";
import { type Answer, jsonAnswer } from "../answer.ts";
import type { TicketUse } from "../auth/tickets.ts";
import type { FollowRequest } from "../feed/stream-readers.ts";

type InputOf<T extends Input["type"]> = Extract<Input, { readonly type: T }>;

/** An input of the state machine that a caller can cause. `by`: the caller, for the audit. */
type CallerInput = InputOf<
  "deliver" | "resolveToken" | "cancel" | "terminate" | "pause" | "unpause" | "retry" | "reindex" | "restateHolds"
> & {
  readonly by: string;
};

/** What of a run the answer to `read` or `trigger` shows. */
export interface ShownRun {
  /** Default: the record (API7). */
  readonly shows?: RunView | undefined;
  /** The answer lists the actions on the run (ACT1). */
  readonly actions?: boolean | undefined;
}

export type RunCommand =
  /** The answer contains the state of the run after the input. */
  | { readonly ask: "input"; readonly input: CallerInput }
  | (Pick<ShownRun, "shows"> & {
      readonly ask: "trigger";
      readonly trigger: ChildTrigger;
      /** True if the object was addressed by the trigger's idempotency key. */
      readonly byKey: boolean;
      /** The caller has chosen the id of the run. */
      readonly chosen?: boolean;
      /** The object answers when the run ends or parks, or after this time, ms. */
      readonly waitMs: number;
    })
  /** To the object that an idempotency key names: reserves the key for this run, unless it belongs to a run. */
  | { readonly ask: "reserveKey"; readonly runId: string }
  /** Releases the key, because the trigger of the run was rejected. */
  | { readonly ask: "releaseKey"; readonly runId: string }
  /** To the object of a run that a window will start (WIN6). */
  | ({ readonly ask: "collected" } & CollectedRun)
  /** The object answers when the run has ended, or after `waitMs`. */
  | (ShownRun & { readonly ask: "read"; readonly waitMs: number })
  /** Returns the run's events after `cursor` as Server-Sent Events. */
  | ({ readonly ask: "follow"; readonly ticket?: TicketUse | undefined } & FollowRequest)
  | { readonly ask: "audit" }
  /** The reasons of the run, for a reader of one of its ancestors (WHY4). The answer is `{ why }`. */
  | { readonly ask: "why" }
  /** How a public token stands. The answer is a `TokenAnswer`. */
  | { readonly ask: "publicToken"; readonly tokenId: string; readonly incarnation: string }
  | ({ readonly ask: "journal" } & JournalRequest)
  | { readonly ask: "planResume"; readonly request: ResumeRequest }
  | { readonly ask: "delete"; readonly by: string }
  /** A message of another run; the answer is a `SendResult`. */
  | { readonly ask: "message"; readonly message: RunMessage }
  | { readonly ask: "workflows" };

/** A page of the journal: the entries after `after`, or with `desc` those before `before`, the newest first. */
export interface JournalRequest {
  readonly order: "asc" | "desc";
  readonly after: number;
  /** Absent: the page starts with the newest entry. */
  readonly before?: number | undefined;
  readonly limit: number;
}

/** The answer to `publicToken`. */
export interface TokenAnswer {
  readonly standing: TokenStanding;
  /** Of an open one: what a person is asked, and when it times out. */
  readonly ask?: Ask | undefined;
  readonly until?: number | undefined;
}

/** The parts of an answer that the caller may see (SEC7). */
export interface CallersView extends View {
  /** More of a run than its id and status. */
  readonly run: boolean;
  /** The names of the served workflows. */
  readonly workflows: boolean;
}

export const NOTHING: CallersView = { ...NO_PARTS, run: false, workflows: false };

/** The run that a window will start. */
export interface CollectedRun {
  readonly runId: string;
  readonly window: CoordinatorSelf;
}

/** A command with what its caller may see. Absent: nothing, as between objects. */
export type RunRequest = RunCommand & { readonly view?: CallersView };

export type CommandOf<A extends RunCommand["ask"]> = RunCommand & { readonly ask: A };

/** The answer to `trigger`, with 200, if the idempotency key belongs to a run with another id. The trigger is sent there. */
export interface KeyHolder {
  readonly keyStandsFor: string;
}

/** The answer to `reserveKey`: the run to which the key belongs, and whether this command reserved it. */
export interface KeyReserved {
  readonly runId: string;
  readonly fresh: boolean;
}

/** The header of the answer to `trigger` that names the run which holds a limit. No run was created, and the body is empty. */
export const SKIPPED_FOR = "Skipped-For";

export function skippedFor(runId: string): Answer {
  return jsonAnswer({}, 200, { [SKIPPED_FOR]: encodeURIComponent(runId) });
}
