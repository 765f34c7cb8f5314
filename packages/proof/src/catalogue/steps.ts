/** Entries about steps, retries and values. */
import { FatalError, RetryableError } from "@holdfast/workflows";
import type { CatalogueEntry, Tools } from "./types.ts";

const SOON = { retry: { max: 3, initial: "5ms", backoff: "fixed" } } as const;

export function stepEntries({ sleep }: Tools): CatalogueEntry[] {
  return [
    {
      title: "RUN1 a function that asks for nothing completes with what it returns",
      run: (_ctx, input) => input + 1,
      input: 41,
      outcome: { status: "completed", output: 42 },
    },
    {
      title: "DUR2 a sequence of steps hands each result to the next",
      run: async (ctx) => {
        let sum = 0;
        for (let i = 1; i <= 6; i++) {
          const before = sum;
          sum = await ctx.step("add", () => before + i);
        }
        return sum;
      },
      outcome: { status: "completed", output: 21 },
    },
    {
      title: "REP3 the same name used twice is two operations",
      run: async (ctx) => [await ctx.step("same", () => "first"), await ctx.step("same", () => "second")],
      outcome: { status: "completed", output: ["first", "second"] },
    },
    {
      title: "STEP5 values of every kind come back as they went in",
      run: async (ctx) => {
        const value = await ctx.step("value", () => ({
          map: new Map([["a", new Set([1n])]]),
          date: new Date(0),
          bytes: new Uint8Array([1, 2]),
          nothing: undefined,
          url: new URL("https://example.com/"),
        }));
        return [
          value.map.get("a")?.has(1n),
          value.date.getTime(),
          value.bytes[1],
          "nothing" in value,
          value.url.hostname,
        ];
      },
      outcome: { status: "completed", output: [true, 0, 2, true, "example.com"] },
    },
    {
      title: "STEP5 a function as a result fails the step with its path",
      run: (ctx) => ctx.step("bad", () => ({ inner: { fn: () => 1 } })),
      outcome: { status: "failed", error: ["UNSERIALIZABLE", "The result of step"] },
    },
    {
      title: "STEP2 a step that fails twice succeeds with its third attempt",
      run: (ctx) =>
        ctx.step("flaky", SOON, ({ attempt }) => {
          if (attempt < 3) throw new Error(`attempt ${attempt}`);
          return attempt;
        }),
      outcome: { status: "completed", output: 3 },
    },
    {
      title: "STEP2 a step that fails every time ends the run with its last error",
      run: (ctx) =>
        ctx.step("broken", SOON, ({ attempt }) => Promise.reject(new Error(`attempt ${attempt} of broken`))),
      outcome: { status: "failed", error: ["", "attempt 3 of broken"] },
    },
    {
      title: "STEP2 the workflow's policy holds for steps without their own, until ctx.setRetry",
      config: { retry: { max: 2, initial: "5ms" } },
      run: async (ctx) => {
        const attempts = (name: string): Promise<number> =>
          ctx
            .step(name, ({ attempt }) => Promise.reject(new FatalOnThird(attempt)))
            .catch((error: { data?: unknown }) => Number(error.data ?? -1));
        const before = await attempts("first");
        ctx.setRetry({ max: 1 });
        return [before, await attempts("second")];
      },
      outcome: { status: "completed", output: [2, 1] },
    },
    {
      title: "STEP3 a FatalError ends retrying at once",
      run: (ctx) => ctx.step("fatal", SOON, () => Promise.reject(new FatalError("no use"))),
      outcome: { status: "failed", error: ["FATAL", "no use"] },
    },
    {
      title: "STEP3 a RetryableError sets the delay",
      run: (ctx) =>
        ctx.step("later", { retry: { max: 2, initial: "1h" } }, ({ attempt }) => {
          if (attempt === 1) throw new RetryableError("not yet", { retryAfter: "5ms" });
          return attempt;
        }),
      outcome: { status: "completed", output: 2 },
    },
    {
      title: "STEP3 a caught failure carries name, message and data, and the run goes on",
      run: (ctx) =>
        ctx
          .step("typed", { retry: { max: 1 } }, () => {
            throw Object.assign(new TypeError("bad type"), { code: "E_TYPE", data: { at: 1 } });
          })
          .catch((error: Error & { code: string; data: unknown }) => [
            error.name,
            error.message,
            error.code,
            error.data,
          ]),
      outcome: { status: "completed", output: ["TypeError", "bad type", "E_TYPE", { at: 1 }] },
    },
    {
      title: "STEP3 a thrown string and a thrown undefined arrive as errors",
      run: async (ctx) => {
        const once = { retry: { max: 1 } };
        const one = await ctx
          .step("text", once, () => Promise.reject("plain text"))
          .catch((error: Error) => error.message);
        const two = await ctx
          .step("nothing", once, () => Promise.reject(undefined))
          .catch((error: Error) => error instanceof Error);
        return [one, two];
      },
      outcome: { status: "completed", output: ["plain text", true] },
    },
    {
      title: "STEP4 a time-out ends an attempt that ignores its signal",
      run: (ctx) =>
        ctx
          .step("slow", { timeout: "10ms", retry: { max: 1 } }, () => sleep(60_000))
          .catch((error: { code: string }) => error.code),
      outcome: { status: "completed", output: "TIMEOUT" },
    },
    {
      title: "STEP1 the idempotency key is the same in each attempt and another for each operation",
      run: async (ctx) => {
        const keys = new Set<string>();
        const one = await ctx.step("a", SOON, ({ idempotencyKey, attempt }) => {
          keys.add(idempotencyKey);
          if (attempt === 1) throw new Error("again");
          return idempotencyKey;
        });
        const two = await ctx.step("a", ({ idempotencyKey }) => idempotencyKey);
        return one === two;
      },
      outcome: { status: "completed", output: false },
    },
    {
      title: "DUR3 a once step executes once",
      run: (ctx) => ctx.step("charge", { once: true }, () => "charged"),
      outcome: { status: "completed", output: "charged" },
      orAfterCrash: [{ status: "failed", error: ["STEP_INTERRUPTED", ""] }],
    },
    {
      title: "STEP6 parallel steps are journaled as they end",
      run: (ctx) =>
        Promise.all([
          ctx.step("slow", () => sleep(250).then(() => "slow")),
          ctx.step("fast", () => "fast"),
          ctx.step("medium", () => sleep(70).then(() => "medium")),
        ]),
      outcome: { status: "completed", output: ["slow", "fast", "medium"] },
    },
    {
      title: "STEP7 an operation inside a step body is refused with advice",
      run: (ctx) => ctx.step("outer", () => ctx.step("inner", () => 1)).catch((error: { code: string }) => error.code),
      outcome: { status: "completed", output: "NESTED_OPERATION" },
    },
    {
      title: "RUN7 a bad duration is refused where it is given",
      run: async (ctx) => {
        try {
          await ctx.sleep("1.5h");
          return "slept";
        } catch (error) {
          return (error as { code: string }).code;
        }
      },
      outcome: { status: "completed", output: "INVALID_ARGUMENT" },
    },
    {
      title: "REP7 a step that nobody awaits, and a rejection that nobody handles, do no harm",
      run: async (ctx) => {
        void ctx.step("unwatched", { retry: { max: 1 } }, () => Promise.reject(new Error("unseen")));
        return ctx.step("watched", () => "seen");
      },
      outcome: { status: "completed", output: "seen" },
    },
    {
      title: "RUN8 any text is a good name",
      run: async (ctx) => [await ctx.step("__proto__", () => 1), await ctx.step("constructor / ü 🎉", () => 2)],
      outcome: { status: "completed", output: [1, 2] },
    },
  ];
}

/** An error whose `data` is the number of the attempt that threw it. */
class FatalOnThird extends Error {
  readonly data: number;

  constructor(attempt: number) {
    super(`attempt ${attempt}`);
    this.data = attempt;
  }
}
