/**
 * What must hold of a run when a scenario is over.
 *
 * Owns: the oracles on what is stored. Each says what is wrong, or nothing.
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

/** A run at the end of a scenario, and what is known of it from outside. */
export interface Played {
  readonly host: MemoryHost;
  readonly program: Program;
  readonly resumed: boolean;
  /** Somebody may have cancelled it. */
  readonly cancelled: boolean;
  /** It had a time budget. */
  readonly bounded: boolean;
  /** Deliveries are taken in the order in which they came. */
  readonly inOrder: boolean;
  /** The deliveries that were acknowledged, in order. */
  readonly acknowledged: (on: string, name: string) => readonly string[];
  /** How often a body of each operation started. */
  readonly started: ReadonlyMap<string, number>;
  /** What the index has of it. */
  readonly listed: IndexRow | undefined;
}

export function checkRun(played: Played): Finding[] {
  const { host } = played;
  const oracles = {
    progress: checkProgress,
    alarm: checkAlarm,
    acknowledged: checkAcknowledged,
    journal: checkJournal,
    effects: checkEffects,
    compensation: checkCompensation,
    metadata: checkMetadata,
    outcome: checkOutcome,
    index: checkIndex,
  };
  return Object.entries(oracles).flatMap(([oracle, check]) =>
    check(played).map((text) => ({ oracle: oracle as Finding["oracle"], text: `${host.runId}: ${text}` })),
  );
}

/** A run that has not ended, although nothing hinders it any more, is stuck (DUR5). */
function checkProgress({ host: { header, store } }: Played): string[] {
  if (isTerminal(header.status)) return [];
  return [
    `is ${header.status} (${header.error?.code ?? "no error"}: ${header.error?.message ?? ""}), alarm ${store.alarm}`,
  ];
}

/** The alarm is the run's next due time, always (DUR5). */
function checkAlarm({ host: { header, store } }: Played): string[] {
  const wanted = nextAlarm(header);
  return store.alarm === wanted ? [] : [`the alarm (${header.status}) is ${store.alarm} instead of ${wanted}`];
}

/** In the end the index says what the run says, and is owed nothing (IDX1, IDX2). */
function checkIndex({ host: { header }, listed }: Played): string[] {
  if (!isTerminal(header.status)) return [];
  if (header.index?.owed !== undefined) return ["owes the index a row"];
  return listed?.status === header.status ? [] : [`the index says ${listed?.status} instead of ${header.status}`];
}

/** Every acknowledged delivery is in the journal or in the inbox, once, and first come is first served (WAIT2, WAIT3). */
function checkAcknowledged({ host, acknowledged, inOrder, resumed }: Played): string[] {
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
function checkJournal({ host: { journal } }: Played): string[] {
  const outcomes = new Set<string>();
  return journal.flatMap((entry, place) => {
    const found: string[] = [];
    if (entry.seq !== place + 1) found.push(`entry ${place + 1} has number ${entry.seq}`);
    if (entry.at < (journal[place - 1]?.at ?? 0)) found.push(`entry ${entry.seq} is older than the one before`);
    if (/^step\.(completed|failed)|^wait\.(resolved|timed_out)|^child\.ended/.test(entry.type)) {
      if (outcomes.has(entry.op)) found.push(`${entry.op} has two outcomes`);
      outcomes.add(entry.op);
    }
    if (entry.op.includes("/changed ")) found.push(`entry ${entry.seq} is of code that did not fit the journal`);
    return found;
  });
}

/** What is said to be done was done (DUR3). */
function checkEffects({ host: { journal }, started, resumed }: Played): string[] {
  if (resumed) return [];
  return journal.flatMap((entry) =>
    entry.type === "step.completed" && !started.has(entry.op) ? [`${entry.op} completed and never started`] : [],
  );
}

/** Steps are undone last completed first; none that is left is missing from the list (COMP1, COMP3). */
function checkCompensation({ host: { journal, header }, program, resumed }: Played): string[] {
  const turn = journal.findIndex((entry) => entry.type === "run.unwinding");
  if (turn < 0 || !isTerminal(header.status) || isAmbiguous(program, resumed)) return [];
  const before = new Set(journal.slice(0, turn).filter(undone).map(nameOf));
  const expected = journal
    .filter((entry) => entry.type === "step.completed" && entry.compensable === true && !before.has(nameOf(entry)))
    .map(nameOf)
    .toReversed();
  const found = journal.slice(turn).filter(undone).map(nameOf);
  const failed = journal.filter((entry) => undone(entry) && entry.type === "step.failed").length;
  const problems: string[] = [];
  const left = header.uncompensated?.length ?? 0;
  // A second cancel gives up a run whose code does not fit: all that was not undone is listed.
  const givenUp = left === expected.length + before.size - found.length && left > failed;
  if (!givenUp && (found.length !== expected.length || !isInOrder(found, expected)))
    problems.push(`undid ${found.join()} instead of ${expected.join()}`);
  if (!givenUp && left !== failed) problems.push(`lists ${left} of ${failed} that failed`);
  return problems;
}

function nameOf({ op }: JournalEntry): string {
  return op.slice(op.indexOf("/"));
}

function undone({ op, type }: JournalEntry): boolean {
  return parseOperationId(op).kind === "compensation" && /completed|failed/.test(type);
}

/** What groups were undoing when the run turned back goes on first; the rest follows in its order. */
function isInOrder(found: readonly string[], expected: readonly string[]): boolean {
  if (found.length === 0) return true;
  return found.some((_, begun) => {
    const first = new Set(found.slice(0, begun));
    const rest = expected.filter((one) => !first.has(one));
    return found.slice(begun).join() === rest.join();
  });
}

/** Each change of metadata counts once (META1). */
function checkMetadata({ host: { journal, header } }: Played): string[] {
  const changes = journal.filter((entry) => entry.type === "metadata.changed").length;
  const count = header.metadata.find(([key]) => key === "count")?.[1];
  const counted = count === undefined ? 0 : decodeValue(count);
  return counted === changes ? [] : [`counts ${String(counted)} for ${changes} changes`];
}

/** The run came to something that the program may come to. */
function checkOutcome({ host: { header }, program, cancelled, bounded, resumed }: Played): string[] {
  const { status, output = ENCODED_UNDEFINED, error } = header;
  if (!isTerminal(status) || isAmbiguous(program, resumed)) return [];
  const how = { cancelled };
  if (status === "completed") {
    const value = decodeValue(output);
    return allows(program, { value }, how) ? [] : [`completed with ${JSON.stringify(value)}, which cannot be`];
  }
  const byCancel = error?.code === "CANCELLED" && cancelled;
  if (status === "cancelled") return byCancel ? [] : ["is cancelled, and nobody asked for it"];
  const byTime = error?.code === "WORKFLOW_TIMEOUT" && bounded;
  const byRequest = error === undefined && canUndo(program) && status !== "failed";
  const byProgram = byRequest || allows(program, { error: error?.message ?? "" }, how);
  const byCancelAndUndoing = byCancel && status === "compensation_failed";
  return byTime || byProgram || byCancelAndUndoing
    ? []
    : [`ended ${status} with ${JSON.stringify(error?.message)}, which cannot be`];
}

/** Steps of one name in parallel branches change places when a part of the run is executed anew. */
function isAmbiguous(program: Program, resumed: boolean): boolean {
  return resumed && countSteps(program, "same") > 1;
}

function countSteps(program: Program, name: string): number {
  if (program.kind === "step") return program.name === name ? 1 : 0;
  return "parts" in program ? program.parts.reduce((sum, part) => sum + countSteps(part, name), 0) : 0;
}

/** An end is final: whatever comes afterwards changes nothing (RUN1). */
export function checkTerminal({ host }: Played): Finding[] {
  if (!isTerminal(host.header.status)) return [];
  const before = JSON.stringify(host.store.dump());
  host.cancel();
  host.deliver("signal", "a", "late", "after the end");
  host.operate("pause");
  host.fireAlarmIfSet();
  if (JSON.stringify(host.store.dump()) === before) return [];
  return [{ oracle: "terminal", text: `${host.runId} changed after its end` }];
}
