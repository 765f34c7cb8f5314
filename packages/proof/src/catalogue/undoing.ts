/** Entries about compensation, cancel, pause, time budgets and children. */
import { FatalError, workflow } from "@holdfast/workflows";
import type { CatalogueEntry, Tools } from "./types.ts";

export function undoingEntries({ sleep }: Tools): CatalogueEntry[] {
  const child = workflow({
    id: "catalogue-child",
    run: async (input: { fail?: boolean; sleepMs?: number; value?: unknown }, ctx) => {
      if (input.sleepMs !== undefined) await ctx.sleep(input.sleepMs);
      if (input.fail === true) throw new FatalError("the child failed");
      return ctx.step("work", () => input.value ?? "child's work");
    },
  });
  const others = [child];
  return [
    {
      title: "COMP1 a failure undoes the completed steps, last completed first",
      run: async (ctx) => {
        await ctx.step("a", { compensate: () => "a undone" }, () => 1);
        await ctx.step("b", { compensate: () => "b undone" }, () => 2);
        throw new FatalError("no more");
      },
      outcome: { status: "compensated", error: ["FATAL", "no more"] },
    },
    {
      title: "COMP1 a step that failed is not undone",
      run: async (ctx) => {
        await ctx.step("good", { compensate: () => 0 }, () => 1);
        await ctx.step("bad", { retry: { max: 1 }, compensate: () => 0 }, () => Promise.reject(new Error("bad")));
      },
      outcome: { status: "compensated", error: ["", "bad"] },
    },
    {
      title: "COMP1 a compensation is retried like a step",
      run: async (ctx) => {
        // Each execution counts for itself: a killed process begins again.
        let tries = 0;
        const compensate = (): void => {
          tries += 1;
          if (tries < 2) throw new Error("not yet");
        };
        await ctx.step("a", { compensate, retry: { max: 10, initial: "5ms" } }, () => 1);
        throw new FatalError("undo me");
      },
      outcome: { status: "compensated", error: ["FATAL", "undo me"] },
    },
    {
      title: "COMP3 a compensation that fails for good does not stop the others",
      run: async (ctx) => {
        await ctx.step("a", { compensate: () => 0 }, () => 1);
        await ctx.step("b", { compensate: () => Promise.reject(new FatalError("stuck")) }, () => 2);
        throw new FatalError("undo me");
      },
      outcome: { status: "compensation_failed", error: ["FATAL", "undo me"] },
    },
    {
      title: "COMP1 ctx.compensate undoes and ends the run",
      run: async (ctx) => {
        await ctx.step("a", { compensate: () => 0 }, () => 1);
        await ctx.compensate();
      },
      outcome: { status: "compensated" },
    },
    {
      title: "COMP4 a failure that leaves a group undoes the group and can be caught",
      run: async (ctx) => {
        await ctx.step("outside", { compensate: () => 0 }, () => 1);
        const caught = await ctx
          .group("g", async (group) => {
            await group.step("inside", { compensate: () => 0 }, () => 2);
            throw new FatalError("group");
          })
          .catch((error: Error) => error.message);
        return ctx.step("after", () => caught);
      },
      outcome: { status: "completed", output: "group" },
    },
    {
      title: "COMP4 a group undoes itself when asked to",
      run: (ctx) =>
        ctx.group("g", async (group) => {
          await group.step("inside", { compensate: () => 0 }, () => 2);
          await group.compensate();
          return "undone";
        }),
      outcome: { status: "completed", output: "undone" },
    },
    {
      title: "CAN2 a parked run is cancelled at once",
      run: (ctx) => ctx.waitForSignal("never"),
      cues: [{ when: { waitsFor: "never" }, act: { type: "cancel", reason: "changed my mind" } }],
      outcome: { status: "cancelled", error: ["CANCELLED", "The run was cancelled: changed my mind"] },
    },
    {
      title: "COMP3 a cancelled run that was undone ends cancelled",
      run: async (ctx) => {
        await ctx.step("a", { compensate: () => 0 }, () => 1);
        await ctx.waitForSignal("never");
      },
      cues: [{ when: { waitsFor: "never" }, act: { type: "cancel" } }],
      outcome: { status: "cancelled", error: ["CANCELLED", "The run was cancelled."] },
    },
    {
      title: "CAN1 a cancel aborts the step that executes",
      run: (ctx) => ctx.step("long", ({ signal }) => sleep(60_000, signal).catch(() => "aborted")),
      cues: [{ when: { step: "long" }, act: { type: "cancel" } }],
      outcome: { status: "cancelled", error: ["CANCELLED", "The run was cancelled."] },
    },
    {
      title: "CAN3 code may tidy up, but new steps are refused, and the end stays cancelled",
      run: async (ctx) => {
        try {
          await ctx.waitForSignal("never");
        } catch {
          await ctx.step("too late", () => 1).catch(() => {});
          return "caught it";
        }
        return "came";
      },
      cues: [{ when: { waitsFor: "never" }, act: { type: "cancel" } }],
      outcome: { status: "cancelled", error: ["CANCELLED", "The run was cancelled."] },
    },
    {
      title: "CAN6 a paused run keeps deliveries and timers, and goes on when unpaused",
      run: async (ctx) => [await ctx.waitForSignal("s"), await ctx.step("after", () => "went on")],
      cues: [
        { when: { waitsFor: "s" }, act: { type: "pause" } },
        { when: { status: "paused" }, act: { type: "signal", name: "s", payload: "kept" } },
        { act: { type: "unpause" } },
      ],
      outcome: { status: "completed", output: ["kept", "went on"] },
    },
    {
      title: "RUN6 the time budget ends a run that waits",
      run: (ctx) => ctx.waitForSignal("never"),
      timeoutMs: 400,
      outcome: { status: "failed", error: ["WORKFLOW_TIMEOUT", "The run's time budget of 400 ms"] },
    },
    {
      title: "RUN6 the time budget ends a run whose step never settles, and undoes it",
      run: async (ctx) => {
        await ctx.step("a", { compensate: () => 0 }, () => 1);
        await ctx.step("hangs", () => sleep(60_000));
      },
      timeoutMs: 500,
      outcome: { status: "compensated", error: ["WORKFLOW_TIMEOUT", "The run's time budget of 500 ms"] },
      // If the process dies before the first step completes, the budget is used up before another process replaces it.
      orAfterCrash: [{ status: "failed", error: ["WORKFLOW_TIMEOUT", "The run's time budget of 500 ms"] }],
    },
    {
      title: "CHILD2 a child's output becomes the call's result",
      others,
      run: (ctx) => ctx.invoke(child, { value: { deep: [1] } }),
      outcome: { status: "completed", output: { deep: [1] } },
    },
    {
      title: "CHILD2 a child's failure is thrown with its error and run id",
      others,
      run: (ctx) =>
        ctx
          .invoke(child, { fail: true })
          .catch((error: { code: string; data: { error: { message: string } } }) => [
            error.code,
            error.data.error.message,
          ]),
      outcome: { status: "completed", output: ["CHILD_RUN_FAILED", "the child failed"] },
    },
    {
      title: "CHILD1 several children run side by side",
      others,
      anyOrder: true,
      run: (ctx) => Promise.all([1, 2, 3].map((n) => ctx.invoke(child, { value: n, sleepMs: 5 * n }))),
      outcome: { status: "completed", output: [1, 2, 3] },
    },
    {
      title: "CHILD3 a detached child gives its id at once",
      others,
      run: async (ctx) => {
        const { runId } = await ctx.invoke(child, {}, { detach: true });
        return runId.length > 0;
      },
      outcome: { status: "completed", output: true },
    },
    {
      title: "CHILD3 cancelling the parent while a child sleeps ends both",
      others,
      run: (ctx) => ctx.invoke(child, { sleepMs: 3_600_000 }),
      cues: [{ when: { waitsFor: "catalogue-child" }, act: { type: "cancel" } }],
      outcome: { status: "cancelled", error: ["CANCELLED", "The run was cancelled."] },
    },
  ];
}

/** Entries about `ctx.shielded`. */
export function shieldedEntries({ sleep }: Tools): CatalogueEntry[] {
  return [
    {
      title: "CAN9 shielded steps execute after a cancel, before the compensations, and are not undone",
      run: async (ctx) => {
        await ctx.step("reserve", { compensate: () => 0 }, () => 1);
        try {
          await ctx.waitForSignal("never");
        } finally {
          await ctx.shielded(async ({ step }) => {
            await step("close", { compensate: () => 0 }, () => 2);
            await step("report", () => sleep(5).then(() => 3));
          });
        }
      },
      cues: [{ when: { waitsFor: "never" }, act: { type: "cancel" } }],
      outcome: { status: "cancelled", error: ["CANCELLED", "The run was cancelled."] },
    },
    {
      title: "CAN9 shielded steps execute after the end of the time budget",
      run: async (ctx) => {
        try {
          await ctx.waitForSignal("never");
        } finally {
          await ctx.shielded(({ step }) => step("close", () => sleep(5)));
        }
      },
      timeoutMs: 400,
      outcome: { status: "failed", error: ["WORKFLOW_TIMEOUT", "The run's time budget of 400 ms"] },
    },
  ];
}
