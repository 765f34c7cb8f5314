/**
 * The checks of a run at the end of a scenario.
 *
 * Owns: the oracles on stored data. Each returns the violations that it finds.
 */
import { type IndexRow, nextAlarm } from "@holdfast/orchestrator";
import { ENCODED_UNDEFINED, type JournalEntry, decodeValue, isTerminal, parseOperationId } from "@holdfast/protocol";
import type { MemoryHost } from "@holdfast/workflows/testing";
import type { Program } from "./program.ts";
import { allows, canUndo } from "./reference.ts";

export interface Finding {
  readonly oracle:
    | "acknowledged"
    | "alarm"
    | "cold replay"
    | "compensation"
    | "effects"
    | "flags"
    | "index"
    | "journal"
    | "metadata"
    | "outcome"
    | "progress"
    | "replay order"
    | "resume"
    | "terminal";
  readonly text: string;
}

/** A run at the end of a scenario, and the observations of it. */
export interface ObservedRun {
  readonly host: MemoryHost;
  readonly program: Program;
  readonly resumed: boolean;
  /** A caller may have cancelled it. */
  readonly cancelled: boolean;
  /** It had a time budget. */
  readonly bounded: boolean;
  /** Waits take deliveries in the order of arrival. */
  readonly inOrder: boolean;
  /** The deliveries that were acknowledged, in order. */
  readonly acknowledged: (on: string, name: string) => readonly string[];
  /** The number of body starts per operation. */
  readonly started: ReadonlyMap<string, number>;
  /** The row of the run in the index. */
  readonly listed: IndexRow | undefined;
  /** The replay flags that new runs got. */
  readonly flags: readonly number[];
}

export function checkRun(run: ObservedRun): Finding[] {
  const { host } = run;
  const oracles = {
    progress: checkProgress,
    alarm: checkAlarm,
    acknowledged: checkAcknowledged,
    journal: checkJournal,
    effects: checkEffects,
    flags: checkFlags,
    compensation: checkCompensation,
    metadata: checkMetadata,
    outcome: checkOutcome,
    index: checkIndex,
  };
  return Object.entries(oracles).flatMap(([oracle, check]) =>
    check(run).map((text) => ({ oracle: oracle as Finding["oracle"], text: `${host.runId}: ${text}` })),
  );
}

/** After the last fault every run ends (DUR5). A run that has not ended is stuck. */
function checkProgress({ host: { header, store } }: ObservedRun): string[] {
  if (isTerminal(header.status)) return [];
  return [
    `is ${header.status} (${header.error?.code ?? "no error"}: ${header.error?.message ?? ""}), alarm ${store.alarm}`,
  ];
}

/** The replay flags of a run never change, and every execution receives them (REP8). */
function checkFlags({ host: { header, starts }, flags: given }: ObservedRun): string[] {
  const [stored, newest] = [header.flags, given].map((flags) => JSON.stringify(flags));
  const others = starts.map(({ flags }) => JSON.stringify(flags)).filter((flags) => flags !== newest);
  if (stored === newest && others.length === 0) return [];
  return [`has the flags ${stored}, and executions with ${others.join(" and ")}, but was created with ${newest}`];
}

/** The alarm always equals the run's next due time, or follows it at once if that has passed (DUR5). */
function checkAlarm({ host: { header, store, clock } }: ObservedRun): string[] {
  const wanted = nextAlarm(header);
  const past = wanted !== null && store.alarm !== null && store.alarm > wanted && store.alarm <= clock.now() + 2;
  return store.alarm === wanted || past ? [] : [`the alarm (${header.status}) is ${store.alarm} instead of ${wanted}`];
}

/** At the end the index equals the run, and no index update is pending (IDX1, IDX2). */
function checkIndex({ host: { header }, listed }: ObservedRun): string[] {
  if (!isTerminal(header.status)) return [];
  if (header.index?.owed !== undefined) return ["has a pending index update"];
  return listed?.status === header.status ? [] : [`the index says ${listed?.status} instead of ${header.status}`];
}

/** Every acknowledged delivery is once in the journal or in the inbox, in the order of arrival (WAIT2, WAIT3). */
function checkAcknowledged({ host, acknowledged, inOrder, resumed }: ObservedRun): string[] {
  if (resumed) return [];
  const taken = new Map<string, string[]>();
  const take = (key: string, id: string): unknown => taken.set(key, [...(taken.get(key) ?? []), id]);
  for (const entry of host.journal) {
    if (entry.type !== "wait.resolved" || entry.deliveryId === undefined) continue;
    const { kind, name } = parseOperationId(entry.op);
    take(`${kind} ${name}`, entry.deliveryId);
  }
  for (const [, row] of host.store.list("inbox/")) {
    const { kind, name, deliveryId } = row as { kind: string; name: string; deliveryId?: string };
    take(`${kind} ${name}`, deliveryId ?? "");
  }
  return ["signal", "event"].flatMap((on) =>
    ["a", "b"].flatMap((name) => {
      const [wanted, found] = [acknowledged(on, name), taken.get(`${on} ${name}`) ?? []];
      const same = inOrder ? wanted.join() === found.join() : wanted.toSorted().join() === found.toSorted().join();
      return same ? [] : [`the deliveries of ${on} ${name} are [${found.join()}] instead of [${wanted.join()}]`];
    }),
  );
}

/** Entries are numbered without gaps, times do not decrease, and an operation has one outcome. */
function checkJournal({ host: { journal } }: ObservedRun): string[] {
  const outcomes = new Set<string>();
  return journal.flatMap((entry, place) => {
    const found: string[] = [];
    if (entry.seq !== place + 1) found.push(`entry ${place + 1} has number ${entry.seq}`);
    if (entry.at < (journal[place - 1]?.at ?? 0)) found.push(`entry ${entry.seq} is older than the one before`);
    if (/^step\.(completed|failed)|^wait\.(resolved|timed_out)|^child\.ended/.test(entry.type)) {
      if (outcomes.has(entry.op)) found.push(`${entry.op} has two outcomes`);
      outcomes.add(entry.op);
    }
    if (entry.op.includes("/changed "))
      found.push(`entry ${entry.seq} was written by code that does not fit the journal`);
    return found;
  });
}

/** Each step that the journal has as completed started at least once (DUR3). */
function checkEffects({ host: { journal }, started, resumed }: ObservedRun): string[] {
  if (resumed) return [];
  return journal.flatMap((entry) =>
    entry.type === "step.completed" && !started.has(entry.op)
      ? [`${entry.op} completed without a start of its body`]
      : [],
  );
}

/** Steps are compensated in reverse order of completion, and the header lists every step that remains (COMP1, COMP3). */
function checkCompensation({ host: { journal, header }, program, resumed }: ObservedRun): string[] {
  const turn = journal.findIndex((entry) => entry.type === "run.unwinding");
  if (turn < 0 || !isTerminal(header.status) || hasAmbiguousSteps(program, resumed)) return [];
  const before = new Set(journal.slice(0, turn).filter(isCompensationEnd).map(nameOf));
  const expected = journal
    .filter((entry) => entry.type === "step.completed" && entry.compensable === true && !before.has(nameOf(entry)))
    .map(nameOf)
    .toReversed();
  const found = journal.slice(turn).filter(isCompensationEnd).map(nameOf);
  const failed = journal.filter((entry) => isCompensationEnd(entry) && entry.type === "step.failed").length;
  const problems: string[] = [];
  const left = header.uncompensated?.length ?? 0;
  // A second cancel ends a run whose code does not fit its journal: the header then lists all steps that remain.
  const abandoned = left === expected.length - found.length + failed && left > failed;
  if (!abandoned && (found.length !== expected.length || !isInOrder(found, expected)))
    problems.push(`compensated ${found.join()} instead of ${expected.join()}`);
  if (!abandoned && left !== failed) problems.push(`lists ${left} of ${failed} failed compensations`);
  return problems;
}

function nameOf({ op }: JournalEntry): string {
  return op.slice(op.indexOf("/"));
}

function isCompensationEnd({ op, type }: JournalEntry): boolean {
  return parseOperationId(op).kind === "compensation" && /completed|failed/.test(type);
}

/** Compensations that a group had started before the run began to unwind come first; the rest follows in order. */
function isInOrder(found: readonly string[], expected: readonly string[]): boolean {
  if (found.length === 0) return true;
  return found.some((_, started) => {
    const first = new Set(found.slice(0, started));
    const rest = expected.filter((one) => !first.has(one));
    return found.slice(started).join() === rest.join();
  });
}

/** Each change of metadata is applied once (META1). */
function checkMetadata({ host: { journal, header } }: ObservedRun): string[] {
  const changes = journal.filter((entry) => entry.type === "metadata.changed").length;
  const count = header.metadata.find(([key]) => key === "count")?.[1];
  const counted = count === undefined ? 0 : decodeValue(count);
  return counted === changes ? [] : [`counts ${String(counted)} for ${changes} changes`];
}

/** The run's outcome is one that the program allows. */
function checkOutcome({ host: { header }, program, cancelled, bounded, resumed }: ObservedRun): string[] {
  const { status, output = ENCODED_UNDEFINED, error } = header;
  if (!isTerminal(status) || hasAmbiguousSteps(program, resumed)) return [];
  const how = { cancelled };
  if (status === "completed") {
    const value = decodeValue(output);
    return allows(program, { value }, how)
      ? []
      : [`completed with ${JSON.stringify(value)}, which the program does not allow`];
  }
  const byCancel = error?.code === "CANCELLED" && cancelled;
  if (status === "cancelled") return byCancel ? [] : ["is cancelled, but no caller cancelled it"];
  const byTime = error?.code === "WORKFLOW_TIMEOUT" && bounded;
  const byRequest = error === undefined && canUndo(program) && status !== "failed";
  const byProgram = byRequest || allows(program, { error: error?.message ?? "" }, how);
  const byCancelAndCompensation = byCancel && status === "compensation_failed";
  return byTime || byProgram || byCancelAndCompensation
    ? []
    : [`ended ${status} with ${JSON.stringify(error?.message)}, which the program does not allow`];
}

/** Whether steps with the same name in parallel branches may be swapped, because a resumed run executes some of them again. */
function hasAmbiguousSteps(program: Program, resumed: boolean): boolean {
  return resumed && countSteps(program, "same") > 1;
}

function countSteps(program: Program, name: string): number {
  if (program.kind === "step") return program.name === name ? 1 : 0;
  return "parts" in program ? program.parts.reduce((sum, part) => sum + countSteps(part, name), 0) : 0;
}

/** Later inputs do not change an ended run (RUN1). */
export function checkTerminal({ host }: ObservedRun): Finding[] {
  if (!isTerminal(host.header.status)) return [];
  const before = JSON.stringify(host.store.dump());
  host.cancel();
  host.deliver("signal", "a", "late", "after the end");
  host.operate("pause");
  host.fireAlarmIfSet();
  if (JSON.stringify(host.store.dump()) === before) return [];
  return [{ oracle: "terminal", text: `${host.runId} changed after its end` }];
}
