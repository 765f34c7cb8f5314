import { FatalError, type WorkflowContext, workflow } from "@holdfast/workflows";
import { describe, expect, test } from "vitest";
import { MemoryHost, type MemoryHostOptions } from "@holdfast/workflows/testing";
import { workflowOf } from "./run-workflow.ts";

const bodies: string[] = [];

const child = workflow({
  id: "child",
  run: async (input: { n: number; fail?: boolean; wait?: boolean }, ctx) => {
    const doubled = await ctx.step("double", () => (bodies.push(`double ${input.n}`), input.n * 2));
    if (input.wait) await ctx.waitForSignal("go");
    if (input.fail) throw new FatalError("child broke", { data: { n: input.n } });
    return { doubled, parent: ctx.run.triggeredBy };
  },
});

function family(run: (ctx: WorkflowContext) => unknown, options: Partial<MemoryHostOptions> = {}): MemoryHost {
  bodies.length = 0;
  const host = new MemoryHost({
    ...options,
    workflows: [child, workflow({ id: "w", run: (_input, ctx) => run(ctx) })],
  });
  host.trigger("w");
  return host;
}

function childOf(host: MemoryHost): MemoryHost {
  const found = [...host.world].find(([id]) => id !== "run-1");
  if (found === undefined) throw new Error("no child");
  return found[1];
}

describe("children", () => {
  test("CHILD1 a child runs once, in a separate object, under an id derived from parent and operation", async () => {
    const host = family((ctx) => ctx.invoke(child, { n: 4 }));
    await host.advance();
    expect(host.output).toEqual({ doubled: 8, parent: "parent" });
    expect(bodies).toEqual(["double 4"]);
    const [, id] = [...host.world.keys()];
    expect(id).toMatch(/^run-1\.child\.0-/);
    expect(childOf(host).header).toMatchObject({ parent: { runId: "run-1", op: "run/0/child", detached: false } });
  });

  test("CHILD1 many children, of one workflow and in parallel, keep their own results", async () => {
    const host = family((ctx) => Promise.all(Array.from({ length: 20 }, (_, n) => ctx.invoke(child, { n }))));
    await host.advance();
    expect((host.output as { doubled: number }[]).map(({ doubled }) => doubled)).toEqual(
      Array.from({ length: 20 }, (_, n) => n * 2),
    );
    expect(host.world.size).toBe(21);
  });

  test("CHILD2 a child's failure is thrown with its error and run id", async () => {
    const host = family((ctx) =>
      ctx
        .invoke(child, { n: 1, fail: true })
        .catch((error: Error & { code: string; data: unknown }) => [
          error.code,
          error.message,
          error.data,
          (error.cause as Error).message,
        ]),
    );
    await host.advance();
    const [, runId] = [...host.world.keys()];
    expect(host.output).toEqual([
      "CHILD_RUN_FAILED",
      `The child run ${runId} ended failed: child broke`,
      { runId, status: "failed", error: { name: "FatalError", message: "child broke", code: "FATAL" } },
      "child broke",
    ]);
  });

  test("CHILD2 a parent that does not catch its child's failure fails with CHILD_RUN_FAILED", async () => {
    const host = family((ctx) => ctx.invoke(child, { n: 1, fail: true }));
    await host.advance();
    expect(host.header).toMatchObject({ status: "failed", error: { code: "CHILD_RUN_FAILED" } });
  });

  test("CHILD3 cancelling the parent cancels its attached child", async () => {
    const host = family((ctx) => ctx.invoke(child, { n: 1, wait: true }));
    await host.settle();
    expect(childOf(host).header.status).toBe("waiting");
    host.cancel();
    await host.settle();
    expect(childOf(host).header).toMatchObject({ status: "cancelled", cancelReason: "its parent run-1 has stopped" });
    expect(host.header.outbox.count).toBe(0);
  });

  test("CHILD3 a detached child returns its id immediately and outlives its parent", async () => {
    const host = family((ctx) => ctx.invoke(child, { n: 1, wait: true }, { detach: true, tags: ["solo"] }));
    await host.advance();
    const [, runId] = [...host.world.keys()];
    expect(host.output).toEqual({ runId });
    expect(childOf(host).header).toMatchObject({ status: "waiting", tags: ["solo"] });
    childOf(host).deliver("signal", "go");
    await childOf(host).settle();
    expect(childOf(host).header.status).toBe("completed");
  });

  test.each(["parent", "child"])(
    "CHILD4 a crash of the %s after any write loses neither start nor result, and repeats no durable step",
    async (whose) => {
      const run = async (at: number): Promise<[MemoryHost, number]> => {
        const host = family(
          (ctx) => ctx.invoke(child, { n: 3 }),
          whose === "parent" ? { crashAfterCommits: [at] } : {},
        );
        if (whose === "child") {
          await untilChild(host);
          const peer = childOf(host);
          peer.store.afterCommit = crashAt(peer, at);
        }
        await host.advance();
        return [host, (whose === "parent" ? host : childOf(host)).store.counts.commits];
      };
      const [, commits] = await run(0);
      for (let at = 1; at <= commits; at++) {
        const [host] = await run(at);
        expect([at, host.output]).toEqual([at, { doubled: 6, parent: "parent" }]);
        expect(host.world.size).toBe(2);
        expect(bodies.filter((line) => line === "double 3").length).toBeLessThanOrEqual(2);
      }
    },
  );

  test("CHILD4 a cancel reaches the child, although the parent crashed after a write", async () => {
    for (let at = 1; at <= 12; at++) {
      const host = family((ctx) => ctx.invoke(child, { n: 1, wait: true }), { crashAfterCommits: [at] });
      await host.advance(120_000);
      host.cancel();
      await host.advance();
      expect([at, childOf(host).header.status]).toEqual([at, "cancelled"]);
    }
  });

  test("CHILD1 ctx.invoke fails with CHILDREN_NOT_CONFIGURED in a deployment without runDO", async () => {
    const { RunHost } = await import("@holdfast/orchestrator");
    const host = family(() => 1);
    const alone = new MemoryHost({
      workflows: [workflow({ id: "w", run: (_input, ctx) => ctx.invoke(child, { n: 1 }) })],
      noChildren: true,
    });
    alone.trigger("w");
    await alone.advance();
    expect(alone.header.error?.message).toContain("runDO");
    expect([host.world.size, RunHost.name]).toEqual([1, "RunHost"]);
  });

  test("CHILD3 RUN6 a child that never ends is cancelled when its parent's time budget is used up", async () => {
    const endless = workflow({ id: "endless", run: (_input, ctx) => ctx.waitForSignal("never") });
    const host = new MemoryHost({ workflows: [workflowOf((ctx) => ctx.invoke(endless, null)), endless] });
    host.trigger("w", null, { timeoutMs: 60_000 });
    await host.advance();
    expect(host.header).toMatchObject({ status: "failed", error: { code: "WORKFLOW_TIMEOUT" } });
    const [, childHost] = host.world.values();
    expect(childHost?.header.status).toBe("cancelled");
  });
});

async function untilChild(host: MemoryHost): Promise<void> {
  while (host.world.size < 2) await new Promise((resolve) => setImmediate(resolve));
}

function crashAt(host: MemoryHost, at: number): () => void {
  const before = host.store.afterCommit;
  let commits = 0;
  return () => {
    before({ puts: new Map(), deletes: new Set() });
    commits += 1;
    if (commits !== at) return;
    host.crash();
    throw new Error("simulated crash of the child");
  };
}
