/**
 * Runs that wait for events and come from a back-up, in which their topic is of an earlier or a later moment.
 */
import { event } from "@holdfast/workflows";
import type { MemoryCoordinator, MemoryHost } from "@holdfast/workflows/testing";
import { expect, test } from "vitest";
import { started } from "./run-workflow.ts";
import { sendEvent } from "./topic-world.ts";

const paid = event<number>("order.paid", { key: "orderId" });
const send = (host: MemoryHost, id: string, data: number) =>
  sendEvent(host, { id, name: "order.paid", key: "o-1", data });
const topicOf = ({ coordinators }: MemoryHost): MemoryCoordinator =>
  coordinators.get({ kind: "topic", name: "order.paid\u0002o-1" });

type Rows = Record<string, unknown>;

/** Gives a run and its topic the rows of a back-up, and visits the run. */
async function restore(
  host: MemoryHost,
  { run, topic }: { readonly run?: Rows; readonly topic?: Rows },
): Promise<void> {
  const coordinator = topicOf(host);
  if (run !== undefined) host.store.rewind(run);
  if (topic !== undefined) coordinator.store.rewind(topic);
  coordinator.crash();
  host.crash();
  host.host.handle({ type: "reindex", restored: true });
  await host.settle();
}

/** A run that reads the events of its order until it gets 9. */
async function reader(): Promise<{ readonly host: MemoryHost; readonly seen: () => unknown }> {
  const host = await started(async (ctx) => {
    const numbers: number[] = [];
    for await (const n of ctx.waitForEvent(paid, { key: "o-1" })) {
      numbers.push(n);
      if (n === 9) return numbers;
    }
    return numbers;
  });
  return { host, seen: () => host.output };
}

test("DUR14 EVT6 a restored run gets the event that its topic had delivered after the moment of the run", async () => {
  const { host, seen } = await reader();
  const run = host.store.dump();
  send(host, "e-1", 1);
  send(host, "e-2", 9);
  await host.settle();
  expect(seen()).toEqual([1, 9]);
  await restore(host, { run });
  await host.advance();
  expect([host.header.status, seen()]).toEqual(["completed", [1, 9]]);
});

test("DUR14 EVT5 a restored run gets events of a topic that is of a moment before its subscription", async () => {
  const { host, seen } = await reader();
  await restore(host, { topic: {} });
  send(host, "e-1", 9);
  await host.settle();
  expect([host.header.status, seen()]).toEqual(["completed", [9]]);
});

test("DUR14 EVT6 events after the restoration reach a run that has seen later events than its topic", async () => {
  const { host, seen } = await reader();
  send(host, "e-1", 1);
  await host.settle();
  const topic = topicOf(host).store.dump();
  for (const n of [2, 3, 4]) send(host, `e-${n}`, n);
  await host.settle();
  await restore(host, { topic });
  send(host, "e-5", 9);
  await host.settle();
  expect([host.header.status, seen()]).toEqual(["completed", [1, 2, 3, 4, 9]]);
});
