/**
 * The messages between a run and a gate, the object of one limit and key.
 *
 * Owns: their forms on the wire and in the outboxes of both sides, and the name of a gate.
 * Interface: a message to a gate is answered with an `acknowledged` result, whose `answer` is the gate's answer. It is the
 * same in the other direction. Every message may be lost, repeated and reordered.
 *
 * Invariants
 * - GM1 A run never uses a `seq` twice: each holding that it wants has a new one. So a message about an earlier holding is
 *   recognised, and a gate that does not know a holding acknowledges its release.
 * - GM2 Stored rows and objects of another version use these forms. Later versions only add optional fields (VER1).
 */
import type { Address } from "@holdfast/protocol";

/** One holding of a run at a gate. */
export interface HoldRef {
  readonly runId: string;
  /** `RunHeader.incarnation`: a later run with this id has another one. */
  readonly incarnation: string;
  /** The number of this holding in its run, from 1. */
  readonly seq: number;
  /** The tenant of the run. Only for a gate of the whole deployment. */
  readonly tenantId?: string | undefined;
}

/** The place of a holding in the queue (L4). It is sent with each acquire and release, and never changes. */
export interface QueuePlace {
  /** When the run was first enqueued, ms since 1970: also after a park, a retry or a resumption. */
  readonly enqueuedAt: number;
  /** Seconds of head start. Absent: 0. */
  readonly priority?: number | undefined;
  /** The group of a fair limit. Absent: all holdings are one group. */
  readonly group?: string | undefined;
}

/**
 * Until when a run holds: `run` from start to end, undoing included; `active` while it executes; `step` around the attempts
 * of a step.
 */
export type HoldMode = "run" | "active" | "step";

export type OnFull = "queue" | "reject" | "skip" | "replace";

/** A limit as the code declares it. The settings with the highest `rev` apply. */
export interface GateSettings {
  /** The time of the Worker version that declares them, ms since 1970. */
  readonly rev: number;
  /** How many holdings there are at most. Absent: only the rate is limited, and there is nothing to release. */
  readonly max?: number | undefined;
  /** At most `limit` starts in `perMs`, and `burst` more at once. */
  readonly rate?: { readonly limit: number; readonly perMs: number; readonly burst: number } | undefined;
  /** How many holdings the queue has at most. */
  readonly maxQueued?: number | undefined;
  /** Which holding a full queue drops. Default `newest`. */
  readonly dropQueued?: "newest" | "oldest" | undefined;
}

/** A run wants to hold. Sent again, it gets the answer of the stored rows (L3). */
export interface Acquire {
  readonly type: "acquire";
  readonly hold: HoldRef;
  readonly limit: string;
  /** Absent: the limit has no key. */
  readonly key?: string | undefined;
  readonly mode: HoldMode;
  readonly place: QueuePlace;
  readonly onFull: OnFull;
  readonly settings: GateSettings;
  /** For operators. */
  readonly workflowId: string;
  /** The holdings of ancestors at the same gate whose mode is `run`, the nearest first: the run is admitted under them. */
  readonly lineage?: readonly HoldRef[] | undefined;
  /** The run holds already, by its own rows: the gate has lost its rows, and stores the holding even above `max` (L5). */
  readonly held?: true | undefined;
  /** The run has executed and wants to hold again: no bound of the queue cancels it. */
  readonly again?: true | undefined;
}

/** A run does not hold, or does not want to hold, any more. It was committed before this message is sent (L1). */
export interface Release {
  readonly type: "release";
  readonly hold: HoldRef;
  readonly place: QueuePlace;
}

/** A larger group of runs is not searched for a deadlock (L10). */
export const DEADLOCK_RUNS_MAX = 50;

/** Asks who holds, if a holding that waits is admitted only when one of them ends (L10). It changes nothing. */
export interface ProbeHolders {
  readonly type: "probeHolders";
}

/** The answer to `ProbeHolders`. */
export interface GateHolders {
  readonly holders: readonly HoldRef[];
}

export function isGateHolders(answer: unknown): answer is GateHolders {
  return typeof answer === "object" && answer !== null && "holders" in answer && Array.isArray(answer.holders);
}

export type GateMessage = Acquire | Release;

/** The answer to `Acquire`. Only `granted` and `queued` store something. */
export type AcquireAnswer =
  /** `startAt`: the run waits until then by its own alarm, ms since 1970 (the rate). Absent: it starts at once. */
  | { readonly type: "granted"; readonly startAt?: number | undefined }
  /** A `Grant` follows. `position` from 1; absent: it is far away. */
  | { readonly type: "queued"; readonly position?: number | undefined }
  /** Of `onFull: "reject"`. `retryAt`: when the rate admits the next start. */
  | { readonly type: "full"; readonly max?: number | undefined; readonly retryAt?: number | undefined }
  /** Of `onFull: "skip"`: the run that holds. Empty: only runs of other tenants hold. */
  | { readonly type: "skip"; readonly holder: string }
  /** Of `onFull: "queue"`: the queue, or what a rate has reserved, is full, and the newest is dropped. */
  | { readonly type: "dropped"; readonly reason: "queue_full" };

const ANSWERS: ReadonlySet<unknown> = new Set(["granted", "queued", "full", "skip", "dropped"]);

/** Whether a gate has answered so: a newer one may have further answers. */
export function isAcquireAnswer(answer: unknown): answer is AcquireAnswer {
  return typeof answer === "object" && answer !== null && "type" in answer && ANSWERS.has(answer.type);
}

/** The gate admits a run of its queue. Answered `accepted`, also if it is repeated, or `declined`. */
export interface Grant {
  readonly type: "grant";
  /** The name of the gate: `gateName`. */
  readonly gate: string;
  readonly hold: HoldRef;
  /** As in `AcquireAnswer`. */
  readonly startAt?: number | undefined;
}

/**
 * The gate does not admit a run of its queue, or a newer run replaces the receiver. The run ends `cancelled` with this
 * reason; one that holds releases at its end. Answered `accepted`, or `declined` if it neither holds nor wants to.
 */
export interface Drop {
  readonly type: "drop";
  readonly gate: string;
  readonly hold: HoldRef;
  /** `kicked`: an operator removed it from the queue. */
  readonly reason: "replaced" | "queue_full" | "kicked";
  /** The run that replaces it, if it is of the same tenant. */
  readonly by?: string | undefined;
}

/** Asks whether a run holds (L2). Answered `holds`, `wants`, `free` or `not_found`. */
export interface HoldProbe {
  readonly type: "probeHold";
  readonly gate: string;
  readonly hold: HoldRef;
}

export type HolderMessage = Grant | Drop | HoldProbe;

/**
 * The answer of a run. `not_found`: there is no run, or another one has its id. `wants`: it has not received the grant. A run
 * answers by its own rows, and frees nothing because of a probe.
 */
export type HolderAnswer = {
  readonly type: "accepted" | "declined" | "holds" | "wants" | "free" | "not_found";
};

/** The name of a gate in its tenant. Names of limits have no control characters, so no two pairs have the same name. */
export function gateName(limit: string, key?: string): string {
  return key === undefined ? limit : `${limit}\u0002${key}`;
}

/** Returns the limit and the key of a gate. */
export function limitOf(name: string): { readonly limit: string; readonly key?: string } {
  const at = name.indexOf("\u0002");
  return at === -1 ? { limit: name } : { limit: name.slice(0, at), key: name.slice(at + 1) };
}

/** The address of a gate. `deployment`: it is one for all tenants. */
export function gateAddress(limit: string, key?: string, scope?: "deployment"): Address {
  return { kind: "gate", name: gateName(limit, key), ...(scope === undefined ? {} : { scope }) };
}
