/** Each option of the authors' types has an effect (RUN7). The tables are complete: the type checker requires each field. */
import type {
  InvokeOptions,
  MatchOptions,
  ParallelOptions,
  RaceOptions,
  RetryOptions,
  ShieldedOptions,
  StepOptions,
  TokenOptions,
  WorkflowConfig,
  WorkflowContext,
} from "@holdfast/workflows";
import { type FlowOptions, limit, workflow } from "@holdfast/workflows";
import { describeWorkflow } from "@holdfast/protocol";
import { MemoryHost } from "@holdfast/workflows/testing";
import { describe, expect, test } from "vitest";

type Run = (ctx: WorkflowContext) => unknown;

/** What a run with the option shows, and a run without it. */
type Effect<O> = (options: O) => Promise<unknown>;
type Case<O, K extends keyof O> = readonly [value: NonNullable<O[K]>, effect: Effect<O>];
type Table<O> = { readonly [K in keyof Required<O>]: Case<O, K> };

const child = workflow({ id: "child", run: (_input, ctx) => ctx.sleep("1m") });

/** Runs a function for an hour of virtual time, and returns all that is stored of it and its children. */
async function traceOf(run: Run, signals: readonly unknown[] = [], config: object = {}): Promise<unknown> {
  const host = new MemoryHost({ workflows: [child, workflow({ id: "w", run: (_input, ctx) => run(ctx), ...config })] });
  host.trigger("w");
  await host.settle();
  for (const payload of signals) host.deliver("signal", "s", payload);
  await host.advance(3_600_000);
  const stored = [...host.world.values()].map((one) => [one.header, one.journal]);
  // Stacks name the line of the test that called.
  return JSON.parse(JSON.stringify(stored, (key, value: unknown) => (key === "stack" ? undefined : value)));
}

const failing = (): never => {
  throw new Error("no");
};
const failed =
  (run: Run): Run =>
  async (ctx) => {
    await run(ctx);
    throw new Error("stop");
  };
const aborted = (): AbortSignal => AbortSignal.abort("enough");

const retry: Table<RetryOptions> = {
  max: [1, (options) => traceOf((ctx) => ctx.step("a", { retry: options }, failing))],
  backoff: ["fixed", (options) => traceOf((ctx) => ctx.step("a", { retry: options }, failing))],
  initial: ["20s", (options) => traceOf((ctx) => ctx.step("a", { retry: options }, failing))],
  maxDelay: ["1s", (options) => traceOf((ctx) => ctx.step("a", { retry: options }, failing))],
};

const step: Table<StepOptions<number>> = {
  retry: [{ max: 1 }, (options) => traceOf((ctx) => ctx.step("a", options, failing))],
  timeout: ["1s", (options) => traceOf((ctx) => ctx.step("a", options, () => new Promise<number>(() => {})))],
  once: [true, (options) => traceOf((ctx) => ctx.step("a", options, () => 1))],
  limit: [limit("l", { max: 1 }), (options) => traceOf((ctx) => ctx.step("a", options, () => 1))],
  compensate: [() => {}, (options) => traceOf(failed((ctx) => ctx.step("a", options, () => 1)))],
};

const wait: Table<MatchOptions> = {
  timeout: ["1m", (options) => traceOf((ctx) => ctx.waitForSignal("s", options))],
  onTimeout: ["throw", (options) => traceOf((ctx) => ctx.waitForSignal("s", { timeout: "1m", ...options }))],
  match: [{ id: 2 }, (options) => traceOf((ctx) => ctx.waitForSignal("s", options), [{ id: 1 }, { id: 2 }])],
  signal: [aborted(), (options) => traceOf((ctx) => ctx.waitForSignal("s", options))],
};

const token: Table<TokenOptions> = {
  timeout: ["1m", (options) => traceOf((ctx) => ctx.waitForToken(options).wait())],
  onTimeout: ["throw", (options) => traceOf((ctx) => ctx.waitForToken({ timeout: "1m", ...options }).wait())],
  tokenId: ["t", (options) => traceOf((ctx) => ctx.waitForToken(options).wait())],
  ask: [{ title: "Well?" }, (options) => traceOf((ctx) => ctx.waitForToken(options).wait())],
  public: [true, (options) => traceOf((ctx) => ctx.metadata.set("url", ctx.waitForToken(options).url))],
  signal: [aborted(), (options) => traceOf((ctx) => ctx.waitForToken(options).wait())],
};

const invoke: Table<InvokeOptions> = {
  detach: [true, (options) => traceOf((ctx) => ctx.invoke(child, null, options as { detach?: false }))],
  tags: [["vip"], (options) => traceOf((ctx) => ctx.invoke(child, null, options as { detach?: false }))],
  idempotencyKey: [
    "k",
    (options) =>
      traceOf((ctx) => Promise.all([1, 2].map(() => ctx.invoke(child, null, options as { detach?: false })))),
  ],
};

const parallel: Table<ParallelOptions> = {
  concurrency: [1, (options) => traceOf((ctx) => ctx.parallel([1, 2], () => ctx.sleep("1m"), options))],
  settle: [true, (options) => traceOf((ctx) => ctx.parallel([1, 2], () => ctx.step("a", failing), options))],
};

const race: Table<RaceOptions> = {
  cancelLosers: [
    true,
    (options) =>
      traceOf(async (ctx) => {
        await ctx.race({ child: ctx.invoke(child, null), tick: ctx.sleep("1s") }, options);
        await ctx.sleep("2m");
      }),
  ],
};

const shielded: Table<ShieldedOptions> = {
  timeout: [
    "1s",
    (options) =>
      traceOf((ctx) =>
        ctx.shielded(({ step: shieldedStep }) => shieldedStep("a", () => new Promise(() => {})), options),
      ),
  ],
};

const schema = (issues: readonly { readonly message: string }[]): NonNullable<WorkflowConfig["input"]> =>
  ({ "~standard": { version: 1, vendor: "test", validate: () => ({ issues }) } }) as never;

/** The fields of a definition. `run` and `id` are required; the description is what the list of workflows shows. */
const definition: Table<Omit<WorkflowConfig, "run" | "id" | "description" | "version" | keyof FlowOptions>> = {
  input: [schema([{ message: "bad" }]), (config) => traceOf(() => 1, [], config)],
  output: [schema([{ message: "bad" }]), (config) => traceOf(() => 1, [], config)],
  tags: [["vip"], (config) => traceOf(() => 1, [], config)],
  timeout: ["1m", (config) => traceOf((ctx) => ctx.sleep("2m"), [], config)],
  retry: [{ max: 1 }, (config) => traceOf((ctx) => ctx.step("a", failing), [], config)],
};

const tables = { retry, step, wait, token, invoke, parallel, race, shielded, definition };
const cases = Object.entries(tables).flatMap(([name, table]) =>
  Object.entries(table).map(([option, [value, effect]]) => [`${name}.${option}`, option, value, effect] as const),
);

describe("options", () => {
  test.each(cases)("RUN7 the option %s has an effect, and undefined has none", async (_name, option, value, effect) => {
    const run = effect as Effect<object>;
    const without = await run({});
    expect(await run({ [option]: undefined })).toEqual(without);
    expect(await run({ [option]: value })).not.toEqual(without);
  });

  test("RUN7 the options signal of a sleep, and version and description of a definition, have an effect", async () => {
    expect(await traceOf((ctx) => ctx.sleep("1m", { signal: aborted() }))).not.toEqual(
      await traceOf((ctx) => ctx.sleep("1m")),
    );
    const { version, description } = workflow({ id: "w", run: () => 1, version: "2", description: "text" });
    expect([version, description]).toEqual(["2", "text"]);
  });

  test("RUN7 the options of flow control are data of a description, which has none without them", () => {
    const flow = { limits: [], singleton: {}, debounce: { wait: 1 }, batch: { max: 1, wait: 1 }, priority: "input" };
    expect(describeWorkflow(workflow({ id: "w", run: () => 1, ...flow })).flow).toEqual(flow);
    expect(describeWorkflow(workflow({ id: "w", run: () => 1 }))).toEqual({ id: "w" });
  });

  const unknown: readonly [string, Run][] = [
    ["step", (ctx) => ctx.step("a", { x: 1 } as never, () => 1)],
    ["retry", (ctx) => ctx.step("a", { retry: { x: 1 } as never }, () => 1)],
    ["setRetry", (ctx) => ctx.setRetry({ x: 1 } as never)],
    ["sleep", (ctx) => ctx.sleep(1, { x: 1 } as never)],
    ["sleepUntil", (ctx) => ctx.sleepUntil(new Date(0), { x: 1 } as never)],
    ["waitForEvent", (ctx) => ctx.waitForEvent("e", { x: 1 } as never)],
    ["waitForSignal", (ctx) => ctx.waitForSignal("s", { x: 1 } as never)],
    ["waitForToken", (ctx) => ctx.waitForToken({ x: 1 } as never).wait()],
    ["invoke", (ctx) => ctx.invoke(child, null, { x: 1 } as never)],
    ["parallel", (ctx) => ctx.parallel([], () => 1, { x: 1 } as never)],
    ["race", (ctx) => ctx.race({ a: ctx.sleep(1) }, { x: 1 } as never)],
    ["shielded", (ctx) => ctx.shielded(() => 1, { x: 1 } as never)],
  ];

  test.each(unknown)("RUN7 ctx.%s rejects an unknown option, and names it", async (_name, run) => {
    const [[header]] = (await traceOf(run)) as [[{ error: object }]];
    expect(header.error).toMatchObject({
      code: "INVALID_ARGUMENT",
      message: expect.stringContaining("x: unknown option"),
    });
  });
});
