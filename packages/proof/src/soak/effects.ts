/**
 * Workflows whose bodies have an external effect: each body sends a record to the recorder process.
 *
 * Owns: the record: the operation, the attempt, and the start time of the body. The record is durable before the body
 * returns, so every completion in the journal must have a record.
 */
import { type StepContext, type Workflow, workflow } from "@holdfast/workflows";

export interface Effect {
  /** `run/kind/occurrence/name`. */
  readonly key: string;
  readonly attempt: number;
  /** When the body started, ms since the epoch. */
  readonly startedAt: number;
}

/** How often the body of `soak-spinning` blocks its process. */
const SPINS = 2;

export function effectWorkflows(recorderUrl: () => string): Workflow[] {
  const act = async ({
    idempotencyKey,
    attempt,
    signal,
  }: Pick<StepContext, "idempotencyKey" | "attempt" | "signal">): Promise<number> => {
    const effect: Effect = { key: idempotencyKey, attempt, startedAt: Date.now() };
    const response = await fetch(recorderUrl(), { method: "POST", body: JSON.stringify(effect), signal });
    if (!response.ok) throw new Error(`the recorder answered ${response.status}`);
    return Number(await response.text());
  };
  const retry = { max: 20, backoff: "fixed", initial: 200 } as const;

  const sequence = workflow({
    id: "soak-sequence",
    run: async (steps: number, ctx) => {
      for (let i = 0; i < steps; i++) {
        await ctx.step("act", { retry }, act);
        if (i % 3 === 1) await ctx.sleep(80);
      }
      return steps;
    },
  });
  const parallel = workflow({
    id: "soak-parallel",
    run: async (_input, ctx) => {
      const names = ["a", "b", "c", "d"];
      await Promise.all(names.map((name) => ctx.step(name, { retry }, act)));
      return names.length;
    },
  });
  const flaky = workflow({
    id: "soak-flaky",
    run: (_input, ctx) =>
      ctx.step("sometimes", { retry }, async (step) => {
        await act(step);
        if (step.attempt < 3) throw new Error("not yet");
        return "at last";
      }),
  });
  const undoing = workflow({
    id: "soak-undoing",
    run: async (_input, ctx) => {
      for (const name of ["reserve", "charge", "ship"]) {
        const undo = { idempotencyKey: `${ctx.run.id}/compensation/0/${name}`, attempt: 1, signal: ctx.signal };
        await ctx.step(name, { retry, compensate: async () => void (await act(undo)) }, act);
      }
      throw new Error("out of stock");
    },
  });
  const signals = workflow({
    id: "soak-signals",
    run: async (_input, ctx) => {
      const got: unknown[] = [];
      for (let i = 0; i < 3; i++) {
        got.push(await ctx.waitForSignal("n"));
        await ctx.step("act", { retry }, act);
      }
      return got;
    },
  });
  const family = workflow({
    id: "soak-family",
    run: (_input, ctx) => Promise.all([ctx.invoke(sequence, 2), ctx.invoke(sequence, 3)]),
  });
  /** Blocks its process at first. Something outside must kill the process then. */
  const spinning = workflow({
    id: "soak-spinning",
    run: (_input, ctx) =>
      ctx.step("spin", { retry }, async (step) => {
        if ((await act(step)) > SPINS) return "through";
        for (;;);
      }),
  });
  /** Leaves promises that are rejected long before anything awaits them (REP7). */
  const rejecting = workflow({
    id: "soak-rejecting",
    run: async (_input, ctx) => {
      const helper = (async () => ctx.step("fails", { retry: { max: 1 } }, () => Promise.reject(new Error("no"))))();
      await ctx.step("act", { retry }, async (step) => {
        void Promise.reject(new Error("of a body"));
        await act(step);
      });
      await ctx.sleep(80);
      const caught = await helper.catch((error: Error) => error.message);
      await ctx.step("act", { retry }, act);
      return caught;
    },
  });
  return [sequence, parallel, flaky, undoing, signals, family, spinning, rejecting];
}
