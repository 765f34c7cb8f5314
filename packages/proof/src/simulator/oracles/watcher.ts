/**
 * What an oracle sees while a scenario runs.
 *
 * Owns: the types. `Observations` calls every watcher of the world.
 */
import type { RunHeader, WriteBatch } from "@holdfast/orchestrator";
import type { JournalEntry } from "@holdfast/protocol";

/** The facts of the program about an operation that the function requests. */
export type Requested =
  | { readonly kind: "wait"; readonly ms: number }
  /** A race. `ops`: its members. */
  | { readonly kind: "race"; readonly ops: readonly string[] }
  | {
      readonly kind: "step";
      readonly once: boolean;
      readonly compensable: boolean;
      /** The delay that each failed attempt requests, ms; absent: the step's policy decides. */
      readonly retryAfterMs?: number;
    };

/** One commit of a run. */
export interface Commit {
  readonly batch: WriteBatch;
  /** The time of the commit, ms since the epoch. */
  readonly now: number;
  /** The header before and after; `undefined`: the run does not exist. */
  readonly before: RunHeader | undefined;
  readonly after: RunHeader | undefined;
  /** The entries of this commit; none of those that a resumed run takes over. */
  readonly entries: readonly JournalEntry[];
}

export interface Watcher {
  readonly findings: readonly string[];
  /** The function requests an operation. */
  requested?(runId: string, op: string, what: Requested): void;
  /** A body starts. `execution`: the epoch of the execution that starts it; `abandoned`: it has no effect. */
  bodyStarts?(runId: string, op: string, execution: number, abandoned: boolean): void;
  committed?(runId: string, commit: Commit): void;
  /** The run lost its execution: its process died or was abandoned. */
  lost?(runId: string): void;
  /** The run's process died in a body, and a caller's request did not die with it. */
  died?(runId: string): void;
  /** A fault of the run has ended. */
  faultEnded?(runId: string, kind: string): void;
  /** Something happened to the world that may delay a run. */
  disturbed?(): void;
  /** The clock was set back. */
  clockSetBack?(): void;
}
