/**
 * What an adapter gives to the host of a run.
 *
 * Owns: the types of the options. Tests and adapters leave out what they lack.
 */
import type { Address, Limits, StepDispatcher } from "@holdfast/protocol";
import type { SendResult } from "../../host/outbox-sender.ts";
import type { RunStore, WriteBatch } from "../../host/store.ts";
import type { IndexRow } from "../index-mark.ts";
import type { Deferral, Input } from "../draft/inputs.ts";
import type { PageSize } from "../state/journal-pages.ts";
import type { OutboxMessage, Question } from "../state/messages.ts";
import type { RunHeader } from "../state/run-header.ts";
import type { transition } from "../transition.ts";

/** What a step handler in another process says about a workflow: see the input `described`. */
export type Description = Omit<Input & { type: "described" }, "type">;

export interface RunHostOptions {
  readonly store: RunStore;
  readonly dispatcher: StepDispatcher;
  /** Returns the time, ms since 1970. */
  readonly clock: () => number;
  /** The size of the pages in which an execution reads the journal. Tests pass smaller ones. */
  readonly pageSize?: PageSize | undefined;
  /**
   * Sends a message to another object, and calls `done` once with the result. Without it runs cannot start children.
   */
  readonly send?:
    | ((to: Address, message: OutboxMessage | Question, done: (result: SendResult) => void) => void)
    | undefined;
  /** `send` reaches coordinators. Without it no run with limits is created, and runs use no events of topics. */
  readonly gates?: boolean | undefined;
  /** The time of the Worker version, ms since 1970: of several declarations of a limit, the newest applies. Default 0. */
  readonly rev?: number | undefined;
  /** Asks the step handler for the description of a workflow, and never rejects. Without it, no run is undescribed (L9). */
  readonly describe?: ((workflowId: string, version: string | undefined) => Promise<Description>) | undefined;
  /** Sends a row to the index, and calls `done` once: whether the row is stored. Without it there is no index. */
  readonly updateIndex?: ((row: IndexRow, done: (stored: boolean) => void) => void) | undefined;
  /** No execution begins, and alarms do nothing: an operator holds the deployment (DUR12). */
  readonly held?: boolean | undefined;
  /** Called for an alarm, or an acknowledgement that would begin an execution. Why no execution may begin now, if so (DUR13). */
  readonly defer?: (() => Deferral | undefined) | undefined;
  /** The limits of this deployment. Default DEFAULT_LIMITS. */
  readonly limits?: Limits | undefined;
  /** How long an ended run is stored, ms; `undefined`: no expiry. */
  readonly retentionMs?: ((header: RunHeader) => number | undefined) | undefined;
  /** The replay flags of new runs. Default: the newest. For step handlers that do not know those, and for tests (REP8). */
  readonly flags?: readonly number[] | undefined;
  /** Called after a batch was committed and applied. */
  readonly onCommit?: (batch: WriteBatch, before: RunHeader | undefined) => void;
  /** Called when executing bodies have new progress (STEP8). */
  readonly onProgress?: () => void;
  /** Called with an error of the store when no caller waits for an answer. */
  readonly onError?: (error: unknown) => void;
  /** Tests pass `checkedTransition`. */
  readonly transition?: typeof transition;
}
