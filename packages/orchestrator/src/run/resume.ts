/**
 * Resuming: the part of an ended run's journal that a new run takes over.
 *
 * Owns: the cut. An operation depends on the step that executes again only if the function requested it after that step's
 * outcome was journaled: `nth` of the operation is higher than `asked` of the outcome (RES1, RES3).
 */
import {
  type EntryBody,
  type JournalEntry,
  HOST_LIMITS,
  type OperationId,
  isOutcome,
  isTerminal,
  operationId,
  parseOperationId,
} from "@holdfast/protocol";
import type { Draft } from "./draft.ts";
import type { Input, Reply } from "./inputs.ts";
import type { Inheritance } from "./messages.ts";
import type { RunHeader } from "./run-header.ts";
import { compensationOf } from "./unwinding.ts";

export interface ResumeRequest {
  /** The step from which to execute again: its name, or its name and occurrence, counted from 0. Default: the first. */
  readonly resumeFromStep?: string | { readonly name: string; readonly occurrence: number } | undefined;
  readonly seedResults: readonly (readonly [step: string, result: string])[];
}

type Refusal = Reply & { readonly type: "refused" };

/** Computes what the new run takes over from this one, its parent. The parent is not changed. */
export function planResume(
  header: RunHeader,
  journal: readonly JournalEntry[],
  request: ResumeRequest,
): Inheritance | Refusal {
  if (!isTerminal(header.status)) {
    return {
      type: "refused",
      code: "parent_not_ended",
      message: `Run ${JSON.stringify(header.id)} has not ended (${header.status}). Only an ended run can be resumed; cancel it first or wait for its end.`,
    };
  }
  const from = findStep(header, journal, request);
  if (typeof from === "object") return from;
  return {
    parentRunId: header.id,
    parentCreatedAt: header.createdAt,
    step: from === undefined ? undefined : parseOperationId(from).name,
    number: header.number + 1,
    seed: header.seed,
    clockStart: header.clockStart ?? header.startedAt,
    flags: header.flags ?? [],
    ...takeOver(from, journal, request.seedResults),
  };
}

/** Finds the step to execute again; `undefined`: none, and the new run takes over the whole journal. */
function findStep(
  header: RunHeader,
  journal: readonly JournalEntry[],
  request: ResumeRequest,
): OperationId | undefined | Refusal {
  const { resumeFromStep: wanted } = request;
  if (wanted === undefined) {
    if (header.status !== "completed") return header.error?.step;
    return refuseStep("This run completed, so no step failed. Name a step in resumeFromStep.");
  }
  const { name, occurrence } = typeof wanted === "string" ? { name: wanted, occurrence: 0 } : wanted;
  const steps = journal.filter((entry) => entry.type.startsWith("step."));
  const found = steps.find((entry) => {
    const op = parseOperationId(entry.op);
    return op.name === name && op.occurrence === occurrence;
  });
  if (found !== undefined) return found.op;
  const known = [...new Set(steps.map((entry) => parseOperationId(entry.op).name))].slice(0, 20);
  return refuseStep(
    `The run has no step ${JSON.stringify(name)}. Its steps are: ${known.map((step) => JSON.stringify(step)).join(", ") || "none"}.`,
  );
}

function refuseStep(message: string): Refusal {
  return { type: "refused", code: "unknown_step", message };
}

/**
 * Splits the journal that is taken over. `entries` start the new journal unchanged, so this part replays as before.
 * `outcomes` are those of operations that the function requests after a step that executes again: each applies when the
 * function requests its operation.
 */
function takeOver(
  from: OperationId | undefined,
  journal: readonly JournalEntry[],
  seedResults: ResumeRequest["seedResults"],
): Pick<Inheritance, "entries" | "outcomes"> {
  const seeds = new Map(seedResults.map(([step, value]) => [operationId("step", 0, step), value]));
  const compensated = new Set(journal.filter((entry) => entry.type === "step.completed").map((entry) => entry.op));
  const isDropped = (entry: JournalEntry): boolean => {
    const kind = parseOperationId(entry.op).kind;
    // The new run produces streams again, for its own readers.
    if (entry.op === from || kind === "compensation" || kind === "unwind" || kind === "stream") return true;
    return kind === "step" && compensated.has(compensationOf(entry.op)) && !seeds.has(entry.op);
  };
  const cutAfter = (isCut: (entry: JournalEntry) => boolean): number =>
    Math.min(...journal.filter((entry) => isOutcome(entry) && isCut(entry)).map((entry) => entry.asked));
  const known = cutAfter((entry) => entry.op === from);
  const isCutEntry = (entry: JournalEntry): boolean => isDropped(entry) || seeds.has(entry.op);
  const changed = journal.find((entry) => isOutcome(entry) && isCutEntry(entry))?.seq ?? Infinity;
  // A release may be the consequence of an outcome that changes now. The new run opens such a wait again.
  const isUndone = (entry: JournalEntry): boolean => entry.type === "wait.released" && entry.seq > changed;
  const ended = new Set(journal.filter((entry) => isOutcome(entry) && !isUndone(entry)).map((entry) => entry.op));
  const isTakenOver = (entry: JournalEntry): boolean =>
    !isDropped(entry) && !isUndone(entry) && entry.nth <= known && isSettled(entry, ended);
  const takenOver = journal.filter(isTakenOver).map((entry) => seeded(entry, seeds));
  // After a result that the caller replaced, the function may take another path, too.
  const cut = cutAfter(isCutEntry);
  return {
    entries: takenOver
      .filter((entry) => entry.nth <= cut)
      .map((entry) => ({ ...entry, asked: Math.min(entry.asked, cut) })),
    outcomes: [
      ...takenOver.filter((entry) => entry.nth > cut && isOutcome(entry)).map(bodyOf),
      ...seedsLeft(seeds, takenOver),
    ],
  };
}

/**
 * Whether an entry belongs to an operation that can be taken over: one with an outcome, one that needs none, or a `once`
 * step whose outcome was lost, because its body must not execute again without notice (DUR3).
 */
function isSettled(entry: JournalEntry, ended: ReadonlySet<OperationId>): boolean {
  return ended.has(entry.op) || entry.type === "metadata.changed" || entry.type === "step.started";
}

/** The given results for steps that are not in the parent's journal. */
function seedsLeft(seeds: ReadonlyMap<OperationId, string>, takenOver: readonly JournalEntry[]): EntryBody[] {
  const known = new Set(takenOver.map((entry) => entry.op));
  return [...seeds].filter(([op]) => !known.has(op)).map(([op, value]) => seedBody(op, value));
}

/** The results that a caller gave, as outcomes, for a run whose parent this deployment does not have (RES2). */
export function outcomesOf(seedResults: ResumeRequest["seedResults"]): EntryBody[] {
  return seedResults.map(([step, value]) => seedBody(operationId("step", 0, step), value));
}

function seedBody(op: OperationId, value: string): EntryBody {
  return { type: "step.completed", op, attempt: 0, startedAt: 0, value, seeded: true };
}

/** Replaces a step's outcome by the result that the caller gave (RES2). */
function seeded(entry: JournalEntry, seeds: ReadonlyMap<OperationId, string>): JournalEntry {
  const value = seeds.get(entry.op);
  if (value === undefined || !isOutcome(entry)) return entry;
  const { v, seq, at, asked, nth, quiet } = entry;
  const compensable = entry.type === "step.completed" && entry.compensable ? { compensable: true as const } : {};
  const place = { v, seq, at, asked, nth, ...(quiet === undefined ? {} : { quiet }) };
  return { ...place, ...seedBody(entry.op, value), ...compensable };
}

function bodyOf(entry: JournalEntry): EntryBody {
  const { v: _v, seq: _seq, at: _at, asked: _asked, nth: _nth, quiet: _quiet, ...body } = entry;
  return body;
}

/** Records that a run was resumed from this one (RES1). */
export function noteResumed(draft: Draft, { runId, createdAt }: Input & { type: "noteResumed" }): Reply {
  const { resumedBy, createdAt: own } = draft.header;
  // The note is about an earlier run with this id, which was deleted.
  if (createdAt !== undefined && createdAt !== own) return { type: "done" };
  if (!resumedBy.includes(runId) && resumedBy.length < HOST_LIMITS.resumedBy) {
    draft.change({ resumedBy: [...resumedBy, runId] });
  }
  return { type: "done" };
}
