/**
 * What must hold of a run when the simulation is over.
 *
 * Owns: the oracles on stored state. Each returns what is wrong, or nothing.
 */
import { isTerminal, nextAlarm } from "@holdfast/orchestrator";
import { type JournalEntry, decodeValue, parseOperationId } from "@holdfast/protocol";
import type { MemoryHost } from "@holdfast/workflows/testing";

/** Acknowledged deliveries, by run: their delivery ids. */
export type Acknowledged = ReadonlyMap<string, ReadonlySet<string>>;

/** A run that has not ended, although nothing hinders it any more, is stuck (DUR5). */
export function checkProgress(id: string, { header, store }: MemoryHost): string[] {
  if (isTerminal(header.status)) return [];
  return [
    `progress: ${id} is ${header.status} (${header.error?.code ?? "no error"}: ${header.error?.message ?? ""}), alarm ${store.alarm}`,
  ];
}

/** The alarm is the run's next due time, always (H2). */
export function checkAlarm(id: string, { header, store }: MemoryHost): string[] {
  const wanted = nextAlarm(header);
  return store.alarm === wanted ? [] : [`alarm: ${id} (${header.status}) has ${store.alarm} instead of ${wanted}`];
}

/** Every acknowledged delivery is in the journal or in the inbox, once (WAIT2, WAIT3). */
export function checkAcknowledged(id: string, host: MemoryHost, acknowledged: Acknowledged): string[] {
  const found: string[] = [];
  for (const entry of host.journal)
    if (entry.type === "wait.resolved" && entry.deliveryId !== undefined) found.push(entry.deliveryId);
  for (const [, row] of host.store.list("inbox/")) found.push((row as { deliveryId?: string }).deliveryId ?? "");
  return [...(acknowledged.get(id) ?? [])].flatMap((delivery) => {
    const times = found.filter((one) => one === delivery).length;
    return times === 1 ? [] : [`acknowledged: the delivery ${delivery} to ${id} counts ${times} times`];
  });
}

/** Steps are undone last completed first; none that is left is missing from the list (COMP1, COMP3). */
export function checkCompensation(id: string, { journal, header }: MemoryHost): string[] {
  const turn = journal.findIndex((entry) => entry.type === "run.unwinding");
  if (turn < 0 || !isTerminal(header.status)) return [];
  const nameOf = (entry: JournalEntry): string => entry.op.slice(entry.op.indexOf("/"));
  const undone = (entry: JournalEntry): boolean =>
    parseOperationId(entry.op).kind === "compensation" && /completed|failed/.test(entry.type);
  const before = new Set(journal.slice(0, turn).filter(undone).map(nameOf));
  const expected = journal
    .filter((entry) => entry.type === "step.completed" && entry.compensable === true && !before.has(nameOf(entry)))
    .map(nameOf)
    .toReversed();
  const found = journal.slice(turn).filter(undone).map(nameOf);
  const failed = journal.filter((entry) => undone(entry) && entry.type === "step.failed").length;
  // What groups were undoing when the run turned back goes on first; the rest follows in its order.
  const inOrder = found.some((_, begun) => {
    const rest = expected.filter((one) => !found.slice(0, begun).includes(one));
    return JSON.stringify(found.slice(begun)) === JSON.stringify(rest);
  });
  const problems =
    found.length === expected.length && (inOrder || found.length === 0)
      ? []
      : [`compensation: ${id} undid ${found.join()} instead of ${expected.join()}`];
  if ((header.uncompensated?.length ?? 0) !== failed)
    problems.push(`compensation: ${id} lists ${header.uncompensated?.length ?? 0} of ${failed} that failed`);
  return problems;
}

/** Each change of metadata counts once (META1). */
export function checkMetadata(id: string, { journal, header }: MemoryHost): string[] {
  const changes = journal.filter((entry) => entry.type === "metadata.changed").length;
  const count = header.metadata.find(([key]) => key === "count")?.[1];
  const counted = count === undefined ? 0 : decodeValue(count);
  return counted === changes ? [] : [`metadata: ${id} counts ${String(counted)} for ${changes} changes`];
}

/** An end is final: whatever comes afterwards changes nothing (RUN1). */
export function checkTerminal(id: string, host: MemoryHost): string[] {
  if (!isTerminal(host.header.status)) return [];
  const before = JSON.stringify(host.store.dump());
  host.cancel();
  host.deliver("signal", "a", "late", "after the end");
  host.operate("pause");
  host.fireAlarmIfSet();
  return JSON.stringify(host.store.dump()) === before ? [] : [`terminal: ${id} changed after its end`];
}
