/** Entries about native promises over operations, ctx.parallel, and failures in them. */
import { FatalError } from "@holdfast/workflows";
import type { CatalogueEntry, Tools } from "./types.ts";

const ONCE = { retry: { max: 1 } } as const;

/** Pure code between two operations: 300 microtasks. */
async function pureCode<T>(value: T): Promise<T> {
  for (let tick = 0; tick < 300; tick++) await Promise.resolve();
  return value;
}

export function compositionEntries({ sleep }: Tools): CatalogueEntry[] {
  return [
    {
      title: "REP2 Promise.race gives the first step that ends",
      run: async (ctx) => {
        const winner = await Promise.race([
          ctx.step("slow", () => sleep(300).then(() => "slow")),
          ctx.step("fast", () => sleep(5).then(() => "fast")),
        ]);
        return ctx.step("after", () => winner);
      },
      outcome: { status: "completed", output: "fast" },
    },
    {
      title: "REP2 pure code after a step wins a race against a slower step, live and on replay",
      run: async (ctx) => {
        const slow = ctx.step("slow", () => sleep(60).then(() => "slow"));
        const winner = await Promise.race([ctx.step("fast", () => "fast").then(pureCode), slow]);
        await slow;
        return ctx.step(`after ${winner}`, () => sleep(5).then(() => winner));
      },
      outcome: { status: "completed", output: "fast" },
    },
    {
      title: "REP2 pure code after an outcome ends before the next outcome arrives, however long it is",
      run: async (ctx) => {
        const winner = await Promise.race([
          ctx.step("first", () => "first").then(pureCode),
          ctx.step("second", () => "second"),
        ]);
        return ctx.step(`after ${winner}`, () => winner);
      },
      outcome: { status: "completed", output: "first" },
    },
    {
      title: "WAIT11 a step that loses a race is aborted, and journaled when it ends",
      run: async (ctx) => {
        const slow = ctx.step("slow", ({ signal }) => sleep(60_000, signal).catch(() => "aborted"));
        const first = await ctx.race({ slow, fast: ctx.step("fast", () => sleep(5).then(() => "fast")) });
        return [first, await slow];
      },
      outcome: { status: "completed", output: [{ name: "fast", value: "fast" }, "aborted"] },
      // A step that lost does not execute again after a crash.
      orAfterCrash: [{ status: "failed", error: ["RELEASED", 'step "slow" was let go'] }],
    },
    {
      title: "REP2 Promise.any passes over failures",
      run: (ctx) =>
        Promise.any([
          ctx.step("bad", ONCE, () => Promise.reject(new Error("bad"))),
          ctx.step("good", () => sleep(5).then(() => "good")),
        ]),
      outcome: { status: "completed", output: "good" },
    },
    {
      title: "REP2 Promise.allSettled tells all ends",
      run: async (ctx) => {
        const all = await Promise.allSettled([
          ctx.step("bad", ONCE, () => Promise.reject(new Error("bad"))),
          ctx.step("good", () => 1),
        ]);
        return all.map(({ status }) => status);
      },
      outcome: { status: "completed", output: ["rejected", "fulfilled"] },
    },
    {
      title: "REP2 combinations nest",
      // The orchestrator's timer and the executor's steps may belong to two processes.
      anyOrder: true,
      run: async (ctx) => {
        const inner = Promise.race([ctx.sleep("150ms").then(() => "slept"), ctx.waitForSignal("never")]);
        const [a, b] = await Promise.all([inner, Promise.all([ctx.step("x", () => 1), ctx.step("y", () => 2)])]);
        return [a, b];
      },
      outcome: { status: "completed", output: ["slept", [1, 2]] },
    },
    {
      title: "REP3 branches that reach a name in another order keep their own results",
      run: (ctx) =>
        Promise.all(
          [400, 5, 200].map(async (ms, branch) => {
            await ctx.step("first", () => sleep(ms));
            return ctx.step("second", () => branch);
          }),
        ),
      outcome: { status: "completed", output: [0, 1, 2] },
    },
    {
      title: "STEP6 ctx.parallel keeps the order of its items, a few at a time",
      run: (ctx) =>
        ctx.parallel([1, 2, 3, 4, 5], (n) => ctx.step("double", () => n * 2), {
          concurrency: 2,
        }),
      outcome: { status: "completed", output: [2, 4, 6, 8, 10] },
    },
    {
      title: "STEP6 ctx.parallel with settle tells which items failed",
      run: (ctx) =>
        ctx
          .parallel([1, 2, 3], (n) => ctx.step("work", ONCE, () => (n === 2 ? Promise.reject(new Error("two")) : n)), {
            settle: true,
          })
          .catch((error: { failed: number[] }) => error.failed),
      outcome: { status: "completed", output: [1] },
    },
    {
      title: "STEP6 a failure while a sibling executes aborts its signal and waits for it",
      run: (ctx) =>
        Promise.all([
          ctx.step("stubborn", ({ signal }) => sleep(10_000, signal).catch(() => "stopped")),
          ctx.step("failing", ONCE, () => sleep(5).then(() => Promise.reject(new FatalError("failed first")))),
        ]),
      outcome: { status: "failed", error: ["FATAL", "failed first"] },
    },
    {
      title: "REP1 loops, conditions and catches take the same way on replay",
      run: async (ctx) => {
        const seen: string[] = [];
        for (let i = 0; i < 3; i++) {
          try {
            const value = await ctx.step("maybe", ONCE, () => (i === 1 ? Promise.reject(new Error("odd")) : i));
            if (value === 2) await ctx.sleep("5ms");
            seen.push(`value ${value}`);
          } catch (error) {
            seen.push((error as Error).message);
          }
        }
        return seen;
      },
      outcome: { status: "completed", output: ["value 0", "odd", "value 2"] },
    },
    {
      title: "REP4 random numbers and ids are the same in each replay",
      run: async (ctx) => {
        const [number, id] = [ctx.random(), ctx.randomUUID()];
        const stored = await ctx.step("keep", () => [number, id]);
        await ctx.sleep("5ms");
        return stored[0] === number && stored[1] === id && ctx.random() !== number;
      },
      outcome: { status: "completed", output: true },
    },
    {
      title: "REP4 ctx.now does not go backwards and does not move between outcomes",
      run: async (ctx) => {
        const first = ctx.now().getTime();
        const again = ctx.now().getTime();
        await ctx.sleep("10ms");
        return [first === again, ctx.now().getTime() - first >= 10];
      },
      outcome: { status: "completed", output: [true, true] },
    },
    {
      title: "META1 changes of metadata count once each",
      run: async (ctx) => {
        ctx.metadata.set("phase", "begun");
        for (let i = 0; i < 3; i++) {
          await ctx.step("work", () => i);
          ctx.metadata.increment("done");
          ctx.metadata.append("log", i);
        }
        ctx.metadata.remove("phase");
        return "done";
      },
      outcome: { status: "completed", output: "done", metadata: { done: 3, log: [0, 1, 2] } },
    },
    {
      title: "STR1 a stream's chunks are counted once they are stored",
      run: (ctx) =>
        ctx.stream.text("out", async function* () {
          for (const part of ["a", "b", "c"]) {
            await sleep(2);
            yield part;
          }
        }),
      outcome: { status: "completed", output: 3 },
    },
    {
      title: "RUN5 facts about the run are there",
      run: (ctx) => [ctx.run.number, ctx.run.triggeredBy, ctx.signal.aborted, typeof ctx.run.id],
      outcome: { status: "completed", output: [1, "api", false, "string"] },
    },
  ];
}
