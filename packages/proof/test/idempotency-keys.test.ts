/** One idempotency key, several starts: `ctx.invoke` in one run, in several runs, and a trigger of a caller (RUN2). */
import { type RunMessage, idFromKey } from "@holdfast/orchestrator";
import { FatalError, type InvokeOptions, type WorkflowContext, workflow } from "@holdfast/workflows";
import {
  type MessageFault,
  MemoryHost,
  type MemoryHostOptions,
  SimulatedCrash,
  VirtualClock,
} from "@holdfast/workflows/testing";
import { beforeEach, describe, expect, test } from "vitest";

let bodies = 0;
beforeEach(() => {
  bodies = 0;
});

interface ChildInput {
  readonly n: number;
  readonly wait?: boolean;
  readonly fail?: boolean;
}

const child = workflow({
  id: "child",
  run: async ({ n, wait, fail }: ChildInput, ctx) => {
    const doubled = await ctx.step("double", () => ((bodies += 1), n * 2));
    if (wait) await ctx.sleep("1m");
    if (fail) throw new FatalError("child broke");
    return doubled;
  },
});

const KEY = { idempotencyKey: "order 1" };
const CHILD_ID = idFromKey(KEY.idempotencyKey);

type Run = (ctx: WorkflowContext) => unknown;

/** Runs of one world, p1, p2 …, which are triggered in this order. */
function parents(runs: readonly Run[], options: Omit<MemoryHostOptions, "workflows"> = {}) {
  const workflows = [child, ...runs.map((run, n) => workflow({ id: `w${n}`, run: (_input, ctx) => run(ctx) }))];
  const [clock, world] = [new VirtualClock(), new Map<string, MemoryHost>()];
  return runs.map((_run, n) => {
    const host = new MemoryHost({ ...options, workflows, clock, world, runId: `p${n + 1}` });
    host.trigger(`w${n}`);
    return host;
  });
}

async function ended(hosts: readonly MemoryHost[]): Promise<MemoryHost> {
  for (const host of hosts) await host.advance();
  const found = hosts[0]?.world.get(CHILD_ID);
  if (found === undefined) throw new Error("no child");
  await found.advance();
  return found;
}

const invoke =
  (input: ChildInput, options: InvokeOptions = KEY): Run =>
  (ctx) =>
    ctx.invoke(child, input, options as { detach?: false });

const causeOf =
  (run: Run): Run =>
  async (ctx) => {
    try {
      return await run(ctx);
    } catch (error) {
      const { cause } = error as { cause: { code?: string; message: string } };
      return [cause.code, cause.message];
    }
  };

const twice: readonly [string, Run][] = [
  ["one after the other", async (ctx) => [await invoke({ n: 2 })(ctx), await invoke({ n: 2 })(ctx)]],
  ["in parallel", (ctx) => Promise.all([invoke({ n: 2 })(ctx), invoke({ n: 2 })(ctx)])],
  ["in parallel, while the child waits", (ctx) => Promise.all([1, 2].map(() => invoke({ n: 2, wait: true })(ctx)))],
];

describe("one key in one run", () => {
  test.each(twice)("RUN2 two starts %s make one child, and both get its output", async (_how, run) => {
    const hosts = parents([run]);
    const one = await ended(hosts);
    expect([hosts[0]?.output, bodies, hosts[0]?.world.size]).toEqual([[4, 4], 1, 2]);
    expect(one.header).toMatchObject({ idempotencyKey: "order 1", triggeredBy: "parent", outbox: { count: 0 } });
  });

  test.each(twice)(
    "RUN2 DUR4 two starts %s make one child although parent or child crash at any write",
    async (_how, run) => {
      const play = async (whose: string, at: number): Promise<number> => {
        bodies = 0;
        const onCreate = (host: MemoryHost): void => void (host.runId === whose && crashAt(host, at));
        const hosts = parents([run], { onCreate });
        const one = await ended(hosts);
        expect([whose, at, hosts[0]?.output, hosts[0]?.world.size]).toEqual([whose, at, [4, 4], 2]);
        expect(bodies).toBeLessThanOrEqual(2);
        expect(one.header.outbox.count).toBe(0);
        return one.world.get(whose)?.store.counts.commits ?? 0;
      };
      for (const whose of ["p1", CHILD_ID]) {
        const commits = await play(whose, 0);
        for (let at = 1; at <= commits; at++) await play(whose, at);
      }
    },
  );

  test.each<MessageFault>(["lost", "answer lost", "late", "twice"])(
    "RUN2 CHILD4 one child executes once although any message is %s",
    async (fault) => {
      for (let at = 0; at < 8; at++) {
        bodies = 0;
        let messages = 0;
        const hosts = parents([(ctx) => Promise.all([1, 2].map(() => invoke({ n: 2, wait: true })(ctx)))], {
          faults: { message: () => (messages++ === at ? fault : undefined) },
        });
        await ended(hosts);
        expect([at, hosts[0]?.output, bodies]).toEqual([at, [4, 4], 1]);
      }
    },
  );

  test("RUN2 another input or workflow under the key fails the call with IDEMPOTENCY_CONFLICT, and changes nothing", async () => {
    const other = workflow({ id: "other", run: () => 1 });
    const [host] = parents([
      async (ctx) => [
        await invoke({ n: 2 })(ctx),
        await causeOf(invoke({ n: 3 }))(ctx),
        await causeOf(() => ctx.invoke(other, { n: 2 }, KEY))(ctx),
      ],
    ]);
    await host?.advance();
    expect(host?.output).toEqual([
      4,
      ["IDEMPOTENCY_CONFLICT", expect.stringContaining("another input")],
      ["IDEMPOTENCY_CONFLICT", expect.stringContaining("another workflow")],
    ]);
    expect([bodies, host?.world.size]).toEqual([1, 2]);
  });

  test("RUN2 a run that starts a child under its own key would wait for itself, so the call fails", async () => {
    const self = workflow({
      id: "self",
      run: (_input, ctx) => causeOf(() => ctx.invoke({ id: "self" }, null, KEY))(ctx),
    });
    const host = new MemoryHost({ workflows: [self], runId: CHILD_ID });
    host.trigger("self", null, KEY);
    await host.advance();
    expect(host.output).toEqual(["IDEMPOTENCY_CONFLICT", expect.stringContaining("this run itself")]);
    expect(host.header.outbox.count).toBe(0);
  });

  test("RUN2 CHILD3 detached starts with one key return the id of one run", async () => {
    const start: Run = (ctx) => ctx.invoke(child, { n: 2 }, { ...KEY, detach: true });
    const hosts = parents([async (ctx) => [await start(ctx), await start(ctx)]]);
    await ended(hosts);
    expect([hosts[0]?.output, bodies]).toEqual([[{ runId: CHILD_ID }, { runId: CHILD_ID }], 1]);
  });

  test("RUN2 children with different keys, and without a key, are different runs", async () => {
    const [host] = parents([
      (ctx) =>
        Promise.all([{}, {}, KEY, { idempotencyKey: "order 2" }].map((options) => invoke({ n: 2 }, options)(ctx))),
    ]);
    await host?.advance();
    expect([host?.output, bodies, host?.world.size]).toEqual([[4, 4, 4, 4], 4, 5]);
  });
});

describe("one key in two runs", () => {
  const wait = invoke({ n: 2, wait: true });

  test("RUN2 DUR4 two parents get the output of one child although any of the three crashes at any write", async () => {
    const play = async (whose: string, at: number): Promise<number> => {
      bodies = 0;
      const onCreate = (host: MemoryHost): void => void (host.runId === whose && crashAt(host, at));
      const hosts = parents([wait, wait], { onCreate });
      const one = await ended(hosts);
      expect([whose, at, hosts.map(({ output }) => output), one.world.size]).toEqual([whose, at, [4, 4], 3]);
      expect(bodies).toBeLessThanOrEqual(2);
      expect([...hosts, one].map(({ header }) => header.outbox.count)).toEqual([0, 0, 0]);
      return one.world.get(whose)?.store.counts.commits ?? 0;
    };
    for (const whose of ["p1", "p2", CHILD_ID]) {
      const commits = await play(whose, 0);
      for (let at = 1; at <= commits; at++) await play(whose, at);
    }
  });

  test("RUN2 VER4 the run records its second parent and names the feature, so older code leaves the run alone", async () => {
    const hosts = parents([wait, wait]);
    for (const host of hosts) await host.settle();
    expect(hosts[0]?.world.get(CHILD_ID)?.header).toMatchObject({
      parent: { runId: "p1" },
      followers: [{ runId: "p2", op: "run/0/child", detached: false, start: 1 }],
      uses: ["incarnation", "followers"],
    });
  });

  test("CHILD2 both parents catch the failure of the child", async () => {
    const fails = causeOf(invoke({ n: 2, wait: true, fail: true }));
    const hosts = parents([fails, fails]);
    await ended(hosts);
    expect(hosts.map(({ output }) => output)).toEqual([
      ["FATAL", "child broke"],
      ["FATAL", "child broke"],
    ]);
  });

  test("CHILD3 the end of the parent that created the child cancels it, and the other parent catches that", async () => {
    const hosts = parents([wait, causeOf(wait)]);
    for (const host of hosts) await host.settle();
    hosts[0]?.cancel();
    const one = await ended(hosts);
    expect([one.header.status, hosts[1]?.output]).toEqual(["cancelled", ["CANCELLED", expect.any(String)]]);
  });

  test("CHILD3 the end of a parent that joined the child does not cancel it", async () => {
    const hosts = parents([wait, wait]);
    for (const host of hosts) await host.settle();
    hosts[1]?.cancel();
    const one = await ended(hosts);
    expect([one.header.status, hosts[0]?.output, hosts[1]?.header.status]).toEqual(["completed", 4, "cancelled"]);
  });

  test("RUN2 a parent that starts the child after its end gets its output at once; after its deletion, another run", async () => {
    const [first, , third] = parents([
      invoke({ n: 2 }),
      () => 0,
      async (ctx) => {
        await ctx.sleep("1h");
        const known = await invoke({ n: 2 })(ctx);
        await ctx.waitForSignal("deleted");
        return [known, await invoke({ n: 2 })(ctx)];
      },
    ]);
    await third?.advance(3_700_000);
    expect([first?.output, bodies]).toEqual([4, 1]);
    expect(third?.world.get(CHILD_ID)?.delete()).toEqual({ type: "done" });
    third?.deliver("signal", "deleted");
    await third?.advance();
    expect([third?.output, bodies]).toEqual([[4, 4], 2]);
  });

  test("CHILD1 the repeated start of a follower does not create the child again after its deletion", async () => {
    const starts: RunMessage[] = [];
    const message = (sent: RunMessage): RunMessage => (starts.push(sent), sent);
    const hosts = parents([invoke({ n: 2 }), invoke({ n: 2 })], { tampering: { message } });
    const one = await ended(hosts);
    expect(one.delete()).toEqual({ type: "done" });
    for (const start of starts.filter(({ type }) => type === "trigger"))
      expect(one.host.receive(start, "1".repeat(32))).toEqual({ type: "acknowledged" });
    expect([one.triggered, bodies]).toEqual([false, 1]);
  });
});

test("RUN2 VER1 a start with a key that older code stored, under the id of its operation, creates that run once", async () => {
  const trigger: RunMessage = {
    type: "trigger",
    op: "run/0/child",
    trigger: {
      runId: "p.child.0-secret",
      workflowId: "child",
      input: '[{"n":1},2]',
      tags: [],
      environment: "test",
      triggeredBy: "parent",
      parent: { runId: "p", op: "run/0/child", detached: false, start: 1 },
      ...KEY,
    },
  };
  const host = new MemoryHost({ workflows: [child], runId: "p.child.0-secret" });
  for (let n = 0; n < 2; n++) expect(host.host.receive(trigger, "1".repeat(32))).toEqual({ type: "acknowledged" });
  await host.settle();
  expect([host.output, bodies, host.header.followers]).toEqual([4, 1, undefined]);
});

/** Crashes a run after its commit with the number `at`, counted from 1. */
function crashAt(host: MemoryHost, at: number): void {
  const before = host.store.afterCommit;
  host.store.afterCommit = (batch) => {
    before(batch);
    if (host.store.counts.commits !== at) return;
    host.crash();
    throw new SimulatedCrash();
  };
}
