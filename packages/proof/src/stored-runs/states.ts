/** Scenarios with states of runs that the catalogue does not reach, or reaches only by chance. */
import { type Workflow, type WorkflowContext, workflow } from "@holdfast/workflows";
import type { Cue, Tools } from "../catalogue/index.ts";
import type { Scenario } from "./scenario.ts";

const ONCE = { retry: { max: 1 } } as const;

const sleeper: Workflow = workflow({
  id: "sleeper",
  run: async (_input, ctx) => {
    await ctx.sleep("1h");
    return ctx.step("woken", () => "awake");
  },
});

async function failsAtFirst(ctx: WorkflowContext): Promise<unknown> {
  const a = await ctx.step("a", { compensate: () => {} }, () => 1);
  await ctx.sleep("5ms");
  const b = await ctx.step("b", ONCE, () => (ctx.run.number === 1 ? Promise.reject(new Error("no")) : 2));
  return [a, b, await ctx.step("c", () => 3), await ctx.waitForSignal("go", { timeout: "1h" })];
}

const EVERY_FIELD = {
  tags: ["a", "b"],
  tenantMeta: '[{"plan":1},"gold"]',
  idempotencyKey: "key-1",
  delayMs: 60_000,
  timeoutMs: 7_200_000,
  traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
  baseUrl: "https://api.example",
};

const EVERY_CUE: readonly Cue[] = [
  { act: { type: "event", name: "early", payload: { kind: 1 } } },
  { when: { waitsFor: "early" }, act: { type: "event", name: "early", payload: { kind: 2 } } },
  { when: { waitsFor: "token" }, act: { type: "pause" } },
  { act: { type: "signal", name: "kept" } },
  { act: { type: "token", payload: "yes" } },
  { act: { type: "wait", ms: 1_000 } },
  { act: { type: "unpause" } },
];

export function stateScenarios({ sleep }: Tools): Scenario[] {
  return [children, ...resumed, attemptsFarApart(sleep), cancelled(sleep), everything(sleep)];
}

const completed = { status: "completed" };

const children: Scenario = {
  entry: {
    title: "children of both kinds sleep while their parent waits",
    others: [sleeper],
    run: async (ctx) => {
      await ctx.invoke(sleeper, null, { detach: true });
      const child = await ctx.invoke(sleeper, null);
      return ctx.step("after", () => child);
    },
    outcome: completed,
  },
};

const resumed: readonly Scenario[] = [
  {
    resume: { seedResults: [] },
    entry: { title: "resumed from the step that failed", run: failsAtFirst, outcome: completed },
  },
  {
    resume: { resumeFromStep: "a", seedResults: [["c", '["given"]']] },
    entry: {
      title: "resumed with outcomes that apply when they are asked for",
      run: failsAtFirst,
      outcome: completed,
    },
  },
];

function attemptsFarApart(sleep: Tools["sleep"]): Scenario {
  return {
    entry: {
      title: "attempts are an hour apart",
      run: (ctx) =>
        Promise.all([
          ctx.step("flaky", { retry: { max: 3, initial: "1h" } }, async ({ attempt }) => {
            await sleep(3);
            if (attempt < 3) throw new Error(`attempt ${attempt}`);
            return attempt;
          }),
          ctx.sleep("30m"),
        ]),
      outcome: completed,
    },
  };
}

function cancelled(sleep: Tools["sleep"]): Scenario {
  return {
    entry: {
      title: "a cancel with much to undo",
      run: async (ctx) => {
        for (let at = 0; at < 3; at++) await ctx.step("book", { compensate: () => sleep(5) }, () => at);
        await ctx.waitForSignal("never");
      },
      cues: [{ when: { waitsFor: "never" }, act: { type: "cancel", reason: "enough" } }],
      outcome: { status: "cancelled" },
    },
  };
}

function everything(sleep: Tools["sleep"]): Scenario {
  return {
    observed: true,
    trigger: EVERY_FIELD,
    entry: {
      title: "everything that a header may hold",
      input: { text: "x".repeat(4_200) },
      run: async (ctx, input) => {
        ctx.metadata.set("size", input.text.length);
        const written = await ctx.stream.text("log", () => ["x", "y"]);
        const early = await ctx.waitForEvent("early", { match: { kind: 2 } });
        await ctx.step("undoable", { compensate: () => sleep(3) }, () => sleep(3));
        const token = await ctx.waitForToken({ timeout: "1h" }).wait();
        return [written, early, token, ctx.random()];
      },
      cues: EVERY_CUE,
      outcome: completed,
    },
  };
}
