/** Messages, reports and acknowledgements that outlive the run that they are about (CHILD1, CHILD4, DUR6). */
import type { RunMessage } from "@holdfast/orchestrator";
import { workflow } from "@holdfast/workflows";
import { type MessageFault, MemoryHost } from "@holdfast/workflows/testing";
import { beforeEach, describe, expect, test } from "vitest";

let executed = 0;
beforeEach(() => {
  executed = 0;
});

const child = workflow({
  id: "child",
  run: async (_input, ctx) => {
    await ctx.step("count", () => (executed += 1));
    return "done";
  },
});
const parent = workflow({
  id: "parent",
  run: async ({ detach }: { detach: boolean }, ctx) => {
    const result = detach ? await ctx.invoke(child, null, { detach: true }) : await ctx.invoke(child, null);
    await ctx.sleep("1h");
    return result;
  },
});

/** A parent whose messages have these faults, in order. */
function family(input: { detach: boolean }, ...faults: (MessageFault | undefined)[]): MemoryHost {
  const host = new MemoryHost({
    workflows: [parent, child],
    faults: { message: () => faults.shift() },
    index: new Map(),
  });
  host.trigger("parent", input);
  return host;
}

/** The run that the parent started. */
function startedBy(host: MemoryHost): MemoryHost {
  const found = [...host.world.values()].find((one) => one !== host);
  if (found === undefined) throw new Error("no child");
  return found;
}

describe.each([true, false])("a child, detached: %s", (detach) => {
  test.each(["answer lost", "twice", "late"] as const)(
    "CHILD1 is not created again after its deletion if its start was delivered %s",
    async (fault) => {
      const host = family({ detach }, fault);
      await host.advance(4_000);
      const started = startedBy(host);
      expect([started.ended, host.header.outbox.count]).toEqual([true, 0]);
      expect(started.delete()).toEqual({ type: "done" });
      await host.advance(600_000);
      expect([started.triggered, executed, started.store.alarm]).toEqual([false, 1, null]);
    },
  );

  test("CHILD1 cannot be deleted before its parent has settled its start", async () => {
    const host = family({ detach }, "answer lost", "lost", "lost");
    await host.advance(4_000);
    const started = startedBy(host);
    expect([started.ended, host.header.outbox.count]).toEqual([true, 1]);
    expect(started.delete()).toMatchObject({ code: "run_not_ended" });
    await host.advance(60_000);
    expect(started.delete()).toEqual({ type: "done" });
    await host.advance(600_000);
    expect([started.triggered, executed]).toEqual([false, 1]);
  });

  test("CHILD1 is not created by a repetition of its start that arrives after the deletion", async () => {
    const host = family({ detach });
    const starts: RunMessage[] = [];
    const { afterCommit } = host.store;
    host.store.afterCommit = (batch) => {
      for (const [key, row] of batch.puts)
        if (key.startsWith("outbox/")) starts.push((row as { message: RunMessage }).message);
      afterCommit(batch);
    };
    await host.advance(1_000);
    const started = startedBy(host);
    started.delete();
    for (const start of starts) expect(started.host.receive(start, "1".repeat(32))).toEqual({ type: "acknowledged" });
    expect([started.triggered, executed]).toEqual([false, 1]);
  });
});

describe("a message about an earlier run with the same id", () => {
  const wait = workflow({ id: "wait", run: (_input, ctx) => ctx.sleep("1h") });
  const invokes = workflow({ id: "invokes", run: (_input, ctx) => ctx.invoke(wait, null) });
  const parentRef = { runId: "p", op: "run/0/wait" };
  const trigger: RunMessage = {
    type: "trigger",
    op: parentRef.op,
    trigger: {
      runId: "run-1",
      workflowId: "child",
      input: "[1]",
      tags: [],
      environment: "test",
      triggeredBy: "parent",
      parent: { ...parentRef, detached: false },
    },
  };

  test.each<[RunMessage, string]>([
    [trigger, "refused"],
    [{ type: "cancel", reason: "its parent has stopped", parent: parentRef }, "acknowledged"],
    [
      {
        type: "childEnded",
        op: "run/0/wait",
        outcome: { status: "completed", runId: "of the earlier run", output: "[1]" },
      },
      "acknowledged",
    ],
    [{ type: "noteResumed", runId: "r2", by: "ada", createdAt: 1 }, "acknowledged"],
  ])("CHILD4 %j changes nothing in the run that has the id now", async (message, answer) => {
    const host = new MemoryHost({ workflows: [invokes, wait] });
    host.trigger("invokes");
    await host.settle();
    const before = host.store.dump();
    expect(host.host.receive(message, "1".repeat(32)).type).toBe(answer);
    expect(host.store.dump()).toEqual(before);
    host.operate("pause");
    const paused = host.store.dump();
    expect(host.host.receive(message, "1".repeat(32)).type).toBe(answer);
    expect(host.store.dump()).toEqual(paused);
  });

  test.each<RunMessage>([
    { type: "cancel", reason: "its parent has stopped", parent: parentRef },
    { type: "childEnded", op: "run/0/wait", outcome: { status: "completed", runId: "c", output: "[1]" }, start: 1 },
    { type: "noteResumed", runId: "r2", by: "ada", createdAt: 1 },
  ])("VER3 %j to a run that was deleted is acknowledged, and no row is written", (message) => {
    const host = new MemoryHost({ workflows: [wait] });
    expect(host.host.receive(message, "1".repeat(32))).toEqual({ type: "acknowledged" });
    expect(host.store.dump()).toEqual({});
  });

  test("CHILD3 a parent cancels its own child, also if its message has no parent because older code stored it", async () => {
    for (const more of [{}, { parent: { runId: "run-1", op: "run/0/wait" } }]) {
      const host = new MemoryHost({ workflows: [invokes, wait] });
      host.trigger("invokes");
      await host.settle();
      startedBy(host).host.receive({ type: "cancel", reason: "its parent has stopped", ...more }, "");
      await host.settle();
      expect(startedBy(host).header.status).toBe("cancelled");
    }
  });
});
