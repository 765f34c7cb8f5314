/**
 * A Node process that serves workflows whose promises are rejected late, or never handled:
 * `node rejecting-process.ts <port> <key> <server>`. It writes a line for each body that starts.
 */
import { setTimeout as sleepFor } from "node:timers/promises";
import { type Workflow, type WorkflowContext, workflow } from "@holdfast/workflows";
import { createStepHandler } from "@holdfast/workflows/handler";
import { servers } from "../src/servers.ts";

const [port = "0", key = "", server = "node"] = process.argv.slice(2);

const gate = Promise.withResolvers<void>();

const fails = (): never => {
  throw new Error("the body failed");
};

/** Waits longer than every test, unless the signal aborts. */
const forever = (signal: AbortSignal): Promise<void> => sleepFor(2 ** 30, undefined, { signal });

const programs: Readonly<Record<string, (ctx: WorkflowContext) => Promise<unknown>>> = {
  /** Awaits a promise of its own after a wait that a cancel ends. */
  helper: async (ctx) => {
    const helper = (async () => {
      await ctx.sleep("1h");
    })();
    await ctx.waitForSignal("go");
    await helper;
  },
  /** Awaits parallel branches after one of them has failed. */
  parallel: async (ctx) => {
    const branches = ctx.parallel([1], () => ctx.step("fails", { retry: { max: 1 } }, fails));
    await ctx.waitForSignal("failed");
    try {
      await branches;
    } catch {
      await ctx.waitForSignal("go");
    }
  },
  /** Awaits a branch of its own after its step has failed. */
  job: async (ctx) => {
    const job = (async () => ctx.step("bg", { retry: { max: 1 } }, fails))();
    await ctx.waitForSignal("failed");
    await job.catch(() => {});
    await ctx.waitForSignal("go");
  },
  /** Fails in a group that nothing awaits. */
  group: async (ctx) => {
    void ctx.group("", () => 1);
    void ctx.group("g", (group) => group.step("fails", { retry: { max: 1 } }, fails));
    await ctx.waitForSignal("go");
  },
  /** Waits for the abort of the run's signal. */
  listener: async (ctx) => {
    void new Promise((_, reject) => {
      ctx.signal.addEventListener("abort", () => reject(ctx.signal.reason as Error));
    });
    await ctx.waitForSignal("go");
  },
  /** Leaves promises that its bodies do not await. */
  background: async (ctx) => {
    await ctx.step("leaves", () => {
      void (async () => {
        await gate.promise;
        throw new Error("not awaited");
      })();
    });
    await ctx.step("waits", ({ signal }) => {
      void forever(signal);
      return forever(signal);
    });
  },
};

const workflows: Workflow[] = Object.entries(programs).map(([id, run]) =>
  workflow({ id, run: (_input, ctx) => run(ctx) }),
);

const neighbour = workflow({
  id: "neighbour",
  run: (_input, ctx) =>
    ctx.step("body", async () => {
      console.log("body of the neighbour");
      await gate.promise;
    }),
});

const open = workflow({ id: "open", run: (_input, ctx) => ctx.step("open", () => gate.resolve()) });

const handler = createStepHandler({
  workflows: [...workflows, neighbour, open],
  signingKeys: [key],
  audience: `http://127.0.0.1:${port}/holdfast`,
});
servers[server]?.(handler, Number(port), () => console.log("ready"));
