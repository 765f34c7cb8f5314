/**
 * Resuming: what a new run takes over from an ended one.
 *
 * Owns: the cut. An operation depends on the step that is executed anew only if the function asked for it after that
 * step's outcome was journaled; `nth` and `asked` of the entries tell (RES1, RES3).
 */
import { FORMAT_VERSION, type JournalEntry, type OperationId, isOutcome, parseOperationId } from "@holdfast/protocol";
import type { Inheritance, Reply } from "./inputs.ts";
import { type RunHeader, isTerminal } from "./run-header.ts";

export interface ResumeRequest {
  /** The step from which to execute anew: a name (its first use) or a name and which use, counted from 0. */
  readonly resumeFromStep?: string | { readonly name: string; readonly occurrence: number } | undefined;
  readonly seedResults: readonly (readonly [step: string, result: string])[];
}

type Refusal = Reply & { readonly type: "refused" };

/** Decides what the new run starts with. Pure: the parent is not changed. */
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
  const { seedResults } = request;
  return {
    parentRunId: header.id,
    step: from === undefined ? undefined : parseOperationId(from).name,
    number: header.number + 1,
    seed: header.seed,
    clockStart: header.clockStart ?? header.startedAt,
    entries: keepBefore(from, journal, new Map(seedResults)),
    seedResults,
  };
}

/** The step to execute anew; `undefined`: none, the run goes on behind all that was journaled. */
function findStep(
  header: RunHeader,
  journal: readonly JournalEntry[],
  request: ResumeRequest,
): OperationId | undefined | Refusal {
  const { resumeFromStep: wanted } = request;
  if (wanted === undefined) {
    if (header.status !== "completed") return header.error?.step;
    return refuseStep("This run completed, so no step stands out to execute anew. Name one in resumeFromStep.");
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

/** Keeps what does not depend on `from`: every ended operation that was asked for before `from` had its outcome. */
function keepBefore(
  from: OperationId | undefined,
  journal: readonly JournalEntry[],
  seeds: Map<string, string>,
): JournalEntry[] {
  const cut = journal.find((entry) => entry.op === from && isOutcome(entry))?.asked ?? Infinity;
  const ended = new Set(journal.filter(isOutcome).map((entry) => entry.op));
  return journal
    .filter((entry) => entry.op !== from && entry.nth <= cut && ended.has(entry.op))
    .map((entry) => seeded({ ...entry, asked: Math.min(entry.asked, cut) }, seeds));
}

/** A result that the caller gave takes the place of the step's own outcome (RES2). */
function seeded(entry: JournalEntry, seeds: Map<string, string>): JournalEntry {
  if (entry.type !== "step.completed" && entry.type !== "step.failed") return entry;
  const { name, occurrence } = parseOperationId(entry.op);
  const value = occurrence === 0 ? seeds.get(name) : undefined;
  if (value === undefined) return entry;
  const { seq, at, asked, nth, op, attempt, startedAt } = entry;
  return {
    v: FORMAT_VERSION,
    seq,
    at,
    asked,
    nth,
    op,
    type: "step.completed",
    attempt,
    startedAt,
    value,
    seeded: true,
  };
}
