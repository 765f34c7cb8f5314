/**
 * Oracle on the deliveries that callers made.
 */
import { parseOperationId } from "@holdfast/protocol";
import type { ObservedRun } from "./observed-run.ts";

/** Every acknowledged delivery is once in the journal or in the inbox, in the order of arrival (WAIT2, WAIT3). */
export function checkAcknowledged({ host, acknowledged, inOrder, resumed }: ObservedRun): string[] {
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
    ["a", "b", "c"].flatMap((name) => {
      const [wanted, found] = [acknowledged(on, name), taken.get(`${on} ${name}`) ?? []];
      const same = inOrder ? wanted.join() === found.join() : wanted.toSorted().join() === found.toSorted().join();
      return same ? [] : [`the deliveries of ${on} ${name} are [${found.join()}] instead of [${wanted.join()}]`];
    }),
  );
}
