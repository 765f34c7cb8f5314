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
  type ReceivedOrder,
  defined,
  describeOperation,
  errorValue,
  isOutcome,
  isTerminal,
  operationId,
  parseOperationId,
} from "@holdfast/protocol";
import type { Draft } from "./draft/draft.ts";
import type { Input, Refusal, Reply } from "./draft/inputs.ts";
import { type Lineage, type Placed, countUses, nameOf, requestsIn, traceLineage } from "./lineage.ts";
import type { Inheritance, PlacedOutcome } from "./state/messages.ts";
import type { RunHeader } from "./state/run-header.ts";
import { compensationOf } from "./unwinding.ts";

export interface ResumeRequest {
  /** The step from which to execute again: its name, or its name and occurrence, counted from 0. Default: the first. */
  readonly resumeFromStep?: string | { readonly name: string; readonly occurrence: number } | undefined;
  readonly seedResults: readonly (readonly [step: string, result: string])[];
}

/** Computes what the new run takes over from this one, its parent. The parent is not changed. */
export function planResume(
  header: RunHeader,
  journal: readonly JournalEntry[],
  request: ResumeRequest,
): Inheritance | Refusal {
  const refusal = refuseUnended(header);
  if (refusal !== undefined) return refusal;
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
    recordsPlaces: header.recordsPlaces,
    ...takeOver(header, from, journal, request.seedResults),
  };
}

function refuseUnended({ id, status }: RunHeader): Refusal | undefined {
  if (isTerminal(status)) return undefined;
  return {
    type: "refused",
    code: "parent_not_ended",
    message: `Run ${JSON.stringify(id)} has not ended (${status}). Only an ended run can be resumed; cancel it first or wait for its end.`,
  };
}

/** Returns the refusal that each resume of this run would get now (ACT1). Reads the journal up to its first step. */
export function refuseResume(header: RunHeader, journal: Iterable<JournalEntry>): Refusal | undefined {
  const refusal = refuseUnended(header);
  if (refusal !== undefined || header.status !== "completed") return refusal;
  for (const entry of journal) if (isOfStep(entry)) return undefined;
  return refuseStep("This run completed without a step, so there is none to execute again.");
}

function isOfStep({ type }: JournalEntry): boolean {
  return type.startsWith("step.");
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
  const steps = journal.filter(isOfStep);
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
 * Splits the journal that is taken over. `entries` start the new journal unchanged, so this part replays as before. The
 * others are outcomes of operations that the function requests after a step that executes again: each applies when the
 * function requests its operation.
 */
function takeOver(
  header: RunHeader,
  from: OperationId | undefined,
  journal: readonly JournalEntry[],
  seedResults: ResumeRequest["seedResults"],
): Pick<Inheritance, "entries" | "outcomes" | "lineage"> {
  const seeds = new Map(seedResults.map(([step, value]) => [operationId("step", 0, step), value]));
  const isDropped = dropped(from, journal, seeds);
  const known = cutAfter(journal, (entry) => entry.op === from);
  const isCutEntry = (entry: JournalEntry): boolean => isDropped(entry) || seeds.has(entry.op);
  const changed = journal.find((entry) => isOutcome(entry) && isCutEntry(entry))?.seq ?? Infinity;
  // A release may be the consequence of an outcome that changes now. The new run requests such an operation again.
  const isUndone = (entry: JournalEntry): boolean => isRelease(entry) && entry.seq > changed;
  const ended = new Set(journal.filter((entry) => isOutcome(entry) && !isUndone(entry)).map((entry) => entry.op));
  const isTakenOver = (entry: JournalEntry): boolean =>
    !isDropped(entry) &&
    !isUndone(entry) &&
    entry.nth <= known &&
    isSettled(entry, ended) &&
    (ended.has(entry.op) || !seeds.has(entry.op));
  const takenOver = journal.filter(isTakenOver).map((entry) => seeded(entry, seeds));
  // After a result that the caller replaced, the function may take another path, too.
  const cut = cutAfter(journal, isCutEntry);
  const endingIn = (entries: JournalEntry[]): EntryBody[] => entries.flatMap((one) => outcomeOf(one, ended) ?? []);
  const later = endingIn(takenOver.filter((entry) => entry.nth > cut));
  const found = placed([...later, ...seedsLeft(seeds, takenOver)], header, journal, changed);
  // The parent's function received what follows the outcome that changes after it, and the new one does so if it can.
  const end = found.lineage?.order === undefined ? Infinity : changed;
  const requested = takenOver.filter((entry) => entry.nth <= cut);
  // These operations were requested before anything changed, so their ids are the parent's.
  const siblings = endingIn(requested.filter(({ seq }) => seq >= end));
  const places = new Map(header.recordsPlaces ? requestsIn(journal).map((entry) => [entry.op, entry]) : []);
  const entries = renumbered(entriesBefore(end, requested, ended), cut, places);
  return { ...found, entries, outcomes: [...siblings, ...found.outcomes] };
}

/** Returns the number of operations that the function had requested before these outcomes. */
function cutAfter(journal: readonly JournalEntry[], isCut: (entry: JournalEntry) => boolean): number {
  return Math.min(...journal.filter((entry) => isOutcome(entry) && isCut(entry)).map((entry) => entry.asked));
}

/** Returns the entries before a number, without those of operations that end later. */
function entriesBefore(
  end: number,
  entries: readonly JournalEntry[],
  ended: ReadonlySet<OperationId>,
): readonly JournalEntry[] {
  const endedBefore = new Set(entries.filter((entry) => isOutcome(entry) && entry.seq < end).map((entry) => entry.op));
  return entries.filter(({ op, seq }) => seq < end && (endedBefore.has(op) || !ended.has(op)));
}

/** Whether an operation was let go: a wait, or a step that ended without a result of its own (WAIT11). */
function isRelease(entry: JournalEntry): boolean {
  return entry.type === "wait.released" || (entry.type === "step.failed" && entry.error.code === "RELEASED");
}

/** Returns whether the new run ignores an entry: its step executes again, or it belongs to the parent's end. */
function dropped(
  from: OperationId | undefined,
  journal: readonly JournalEntry[],
  seeds: ReadonlyMap<OperationId, string>,
): (entry: JournalEntry) => boolean {
  const compensated = new Set(journal.filter((entry) => entry.type === "step.completed").map((entry) => entry.op));
  const unwound = journal.find(({ type }) => type === "run.unwinding")?.seq ?? Infinity;
  return ({ op, seq }) => {
    // Compensations, and the steps of clean-up code.
    if (seq > unwound) return true;
    const { kind } = parseOperationId(op);
    // The new run produces streams again, for its own readers.
    if (op === from || kind === "compensation" || kind === "unwind" || kind === "stream") return true;
    return kind === "step" && compensated.has(compensationOf(op)) && !seeds.has(op);
  };
}

/**
 * Whether an entry belongs to an operation that can be taken over: one with an outcome, one that needs none, or a `once`
 * step whose outcome was lost, because its body must not execute again without notice (DUR3).
 */
function isSettled(entry: JournalEntry, ended: ReadonlySet<OperationId>): boolean {
  return ended.has(entry.op) || entry.type === "metadata.changed" || entry.type === "step.started";
}

/** The outcome of an operation in an entry, if the entry has one. A `once` step whose outcome was lost has failed (DUR3). */
function outcomeOf(entry: JournalEntry, ended: ReadonlySet<OperationId>): EntryBody | undefined {
  if (isOutcome(entry)) return bodyOf(entry);
  if (entry.type !== "step.started" || ended.has(entry.op)) return undefined;
  const { op, startedAt } = entry;
  const message = `${describeOperation(op)} was started in the resumed run and its outcome was lost. It has once: true, so it is not executed again. Check whether it took effect, then resume with seedResults.`;
  return { type: "step.failed", op, attempt: 1, startedAt, error: errorValue("STEP_INTERRUPTED", message) };
}

/** The first entries of the new journal. Their numbers change, and so do the numbers that name other entries. */
function renumbered(
  entries: readonly JournalEntry[],
  cut: number,
  places: ReadonlyMap<OperationId, Placed>,
): JournalEntry[] {
  const numbers = new Map([[0, 0], ...entries.map(({ seq }, position) => [seq, position + 1] as const)]);
  return entries.map((entry) => {
    const place = places.get(entry.op);
    const { after: _after, use: _use, ...other } = entry;
    const where = place === undefined ? {} : defined({ after: numbers.get(place.after), use: place.use || undefined });
    return { ...other, asked: Math.min(entry.asked, cut), ...where };
  });
}

/**
 * Decides how the new run finds the operation of each outcome: by its lineage if the journal has it. Otherwise by its id,
 * if no other operation has its name. Otherwise the operation executes again, unless a caller gave its result or it is a
 * `once` step: then the new run decides, and does not execute a `once` step (RES2, RES3).
 * @param changed The number of the first outcome that the new run does not take over as it is.
 */
function placed(
  outcomes: readonly EntryBody[],
  header: RunHeader,
  journal: readonly JournalEntry[],
  changed: number,
): Pick<Inheritance, "outcomes" | "lineage"> {
  const { places, silent } = header.recordsPlaces === true ? traceLineage(journal) : UNKNOWN;
  const uses = countUses(journal);
  const started = new Set(journal.filter((entry) => entry.type === "step.started").map((entry) => entry.op));
  const byId: EntryBody[] = [];
  const byLineage: PlacedOutcome[] = [];
  for (const body of outcomes) {
    const isSeed = body.type === "step.completed" && body.seeded === true;
    const seed = isSeed ? { seeded: true as const } : {};
    const place = places.get(body.op);
    if (place !== undefined) byLineage.push({ body, place: { ...place, ...seed } });
    else if ((uses.get(nameOf(body.op)) ?? 0) <= 1) byId.push(body);
    else if (isSeed || started.has(body.op)) byLineage.push({ body, place: { after: "", silent: 0, ...seed } });
  }
  if (byLineage.length === 0) return { outcomes: byId };
  const isOrdered = byLineage.some(({ place }) => place.received !== undefined);
  const order = isOrdered ? { order: orderOf(journal, changed) } : {};
  return { outcomes: byId, lineage: { silent, outcomes: byLineage, ...order } };
}

/** The order in which the function received its outcomes, from the first that changes until the run unwound. */
function orderOf(journal: readonly JournalEntry[], changed: number): ReceivedOrder {
  const unwound = journal.find(({ type }) => type === "run.unwinding")?.seq ?? Infinity;
  const received = journal.filter((entry) => isOutcome(entry) && entry.seq < unwound);
  const after = received.filter(({ seq }) => seq < changed).length;
  return { after, ops: received.slice(after).map(({ op }) => op) };
}

const UNKNOWN: Lineage = { places: new Map(), silent: [] };

/** The given results for steps that have no outcome in the parent's journal, or execute again. */
function seedsLeft(seeds: ReadonlyMap<OperationId, string>, takenOver: readonly JournalEntry[]): EntryBody[] {
  const known = new Set(takenOver.filter(isOutcome).map((entry) => entry.op));
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
  const { v, seq, at, asked, nth, quiet, after, use } = entry;
  const compensable = entry.type === "step.completed" && entry.compensable ? { compensable: true as const } : {};
  return { ...defined({ v, seq, at, asked, nth, quiet, after, use }), ...seedBody(entry.op, value), ...compensable };
}

function bodyOf(entry: JournalEntry): EntryBody {
  const {
    v: _v,
    seq: _seq,
    at: _at,
    asked: _asked,
    nth: _nth,
    quiet: _quiet,
    after: _after,
    use: _use,
    ...body
  } = entry;
  return body;
}

/** Records that a run was resumed from this one (RES1). */
export function noteResumed(draft: Draft, { runId, createdAt, resumedAt }: Input & { type: "noteResumed" }): Reply {
  const { resumedBy, createdAt: own } = draft.header;
  // The note is about an earlier run with this id, which was deleted.
  if ((createdAt !== undefined && createdAt !== own) || (resumedAt ?? own) < own) return { type: "done" };
  if (!resumedBy.includes(runId) && resumedBy.length < HOST_LIMITS.resumedBy) {
    draft.change({ resumedBy: [...resumedBy, runId] });
  }
  return { type: "done" };
}
