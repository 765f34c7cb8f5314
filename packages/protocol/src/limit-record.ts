/**
 * The records of limits in the API.
 */

/** A run that holds. */
export interface LimitHolder {
  readonly runId: string;
  readonly workflowId: string;
  /** Until when it holds: its end, its next park, or the end of a step. */
  readonly mode: "run" | "active" | "step";
  /** Since when it holds, ms since 1970. */
  readonly since: number;
  /**
   * `granted`: it has not confirmed that it holds. `unreachable`: it did not answer since `unreachableSince`. `replaced`: it
   * is cancelled for a newer run. `released`: it has ended, and runs that it started still hold under it.
   */
  readonly state: "held" | "granted" | "unreachable" | "replaced" | "released";
  /** When the rate lets it start, ms since 1970. */
  readonly startAt?: number;
  readonly unreachableSince?: number;
  readonly replacedBy?: string;
  /** It holds under a run that started it, and takes no place. */
  readonly reentrant?: true;
}

/** A run that waits, for itself or for one of its steps. */
export interface LimitQueued {
  readonly runId: string;
  readonly workflowId: string;
  readonly since: number;
  readonly priority?: number;
  readonly group?: string;
}

/** A limit, for one key. */
export interface LimitRecord {
  readonly name: string;
  /** Absent: the limit has no key. */
  readonly key?: string;
  /** How many runs may hold. `null`: any number, because only the rate is limited. */
  readonly max: number | null;
  /** The same as the code declares it. */
  readonly declaredMax: number | null;
  /** At most `limit` starts in `perMs`, and `burst` more. */
  readonly rate?: { readonly limit: number; readonly perMs: number; readonly burst: number };
  readonly maxQueued?: number;
  /** The time of the Worker version whose declaration applies, ms since 1970. */
  readonly rev: number;
  /** What an operator has set in place of `declaredMax`. */
  readonly override?: { readonly max: number; readonly by: string; readonly at: number };
  /** An operator admits nobody. */
  readonly paused?: { readonly by: string; readonly at: number };
  /** Places that are taken. */
  readonly held: number;
  /** The first holders, the oldest first. */
  readonly holders: readonly LimitHolder[];
  readonly queued: number;
  /** The first runs of the queue. */
  readonly queue: readonly LimitQueued[];
  /** The run that is admitted next. */
  readonly next?: string;
  /** When the next start of an even flow is due. */
  readonly nextStartAt?: number;
}

/** What a build declares for a limit. */
export interface LimitSettings {
  /** `null`: only the rate is limited. */
  readonly max: number | null;
  readonly rate?: NonNullable<LimitRecord["rate"]>;
  readonly maxQueued?: number;
  readonly dropQueued?: "newest" | "oldest";
}

/** What the declarations of the served build change at one limit and key (GATE8). */
export interface LimitChange {
  readonly name: string;
  readonly key?: string;
  /**
   * `undeclared`: no workflow of the served build names the limit. A step may: its next attempt brings the declaration. `voided`:
   * the same, and a later build has declared what applies.
   */
  readonly change: "changed" | "unchanged" | "undeclared" | "voided";
  /** The time of the build that declared what applies, ms since 1970. */
  readonly rev: number;
  readonly applies: LimitSettings;
  readonly declares?: LimitSettings;
}

export interface LimitSync {
  /** The time of the build that is served, ms since 1970. */
  readonly rev: number;
  readonly changes: readonly LimitChange[];
  readonly nextCursor: string | null;
}

export interface LimitList {
  readonly limits: readonly LimitRecord[];
  readonly nextCursor: string | null;
}

/** The window of a workflow with debounce or batch, for one key (WIN6). */
export interface WindowRecord {
  readonly workflowId: string;
  /** Absent: the debounce or batch has no key. */
  readonly key?: string;
  /** The run that the triggers become. It does not exist while the window is open. */
  readonly runId: string;
  /** `debounced`, `batched`: the window is open. `fired`: the run starts. `cancelled`: it never exists. */
  readonly state: "debounced" | "batched" | "fired" | "cancelled";
  /** When the run starts, ms since 1970, unless another trigger changes it. */
  readonly startsAt: number;
  /** The triggers that the run stands for so far. Absent: the window is closed. */
  readonly count?: number;
}
