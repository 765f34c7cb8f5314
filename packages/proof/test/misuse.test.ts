/** What `ctx` says to code that uses it in a wrong way. */
import type { WorkflowContext } from "@holdfast/workflows";
import { expect, test } from "vitest";
import { finished, started } from "./run-workflow.ts";

/** `ctx` as untyped code calls it. */
type Loose = Record<string, (...args: readonly unknown[]) => Promise<unknown>>;

test.each<[string, (ctx: Loose) => unknown, string]>([
  [
    "ctx.invoke with the id of a workflow",
    (ctx) => ctx["invoke"]?.("child", {}),
    "ctx.invoke: needs what workflow({ … }) returned, whose id must be a string.",
  ],
  [
    "ctx.invoke without a workflow",
    (ctx) => ctx["invoke"]?.(undefined, {}),
    "ctx.invoke: needs what workflow({ … }) returned",
  ],
  [
    "ctx.sendEvent with a name",
    (ctx) => ctx["sendEvent"]?.("paid", {}),
    "ctx.sendEvent: needs what event(…) returned, whose name must be a string.",
  ],
  [
    "ctx.step with its options after its function",
    (ctx) => ctx["step"]?.("charge", () => 1, { compensate: () => 2 }),
    'ctx.step("charge"): needs a function last, as in ctx.step("a", {}, () => pay()).',
  ],
  [
    "ctx.step with two functions",
    (ctx) =>
      ctx["step"]?.(
        "charge",
        () => 1,
        () => 2,
      ),
    'ctx.step("charge"): must be an object with retry, timeout,',
  ],
  ["ctx.group without a function", (ctx) => ctx["group"]?.("g", 5), "ctx.group: needs a function."],
  [
    "ctx.parallel without a list",
    (ctx) => ctx["parallel"]?.(undefined, () => 1),
    "ctx.parallel: needs a list and a function.",
  ],
  [
    "ctx.parallel with promises and no function",
    (ctx) => ctx["parallel"]?.([Promise.resolve(1)]),
    "ctx.parallel: needs a list and a function.",
  ],
  ["ctx.parallel with a number", (ctx) => ctx["parallel"]?.(3, () => 1), "ctx.parallel: needs a list and a function."],
])("RUN7 %s is refused, and the message says what is needed", async (_what, call, message) => {
  const host = await finished((ctx) => call(ctx as unknown as Loose));
  expect(host.header.error).toMatchObject({
    code: "INVALID_ARGUMENT",
    message: expect.stringContaining(message),
  });
});

test("RUN7 an operation of a ctx whose run has ended is named in the log of that run, and not executed", async () => {
  let earlier: WorkflowContext | undefined;
  let executed = 0;
  const host = await finished((ctx) => {
    earlier = ctx;
    return 1;
  });
  void earlier?.step("late", () => (executed += 1));
  void earlier?.sleep("1m");
  await host.advance();
  expect([host.header.status, host.output, executed]).toEqual(["completed", 1, 0]);
  expect(host.logged).toMatchObject(
    ['step "late"', "sleep"].map((what) => ({
      level: "warn",
      message: `${what} was requested after the end, so it never settles.`,
    })),
  );
});

test("RUN7 an operation that code requests beside the end, or after a crash, is not named as late", async () => {
  const host = await started(async (ctx) => {
    void ctx.step("first", () => 1).then(() => ctx.step("second", () => 2));
    await ctx.sleep("1m");
  });
  host.crash();
  await host.advance();
  expect([host.header.status, host.logged]).toEqual(["completed", []]);
});
