/**
 * Workflows whose bodies have an external effect: each body sends a record to the recorder process.
 *
 * Owns: the record: the operation, the attempt, and the start time of the body. The record is durable before the body
 * returns, so every completion in the journal must have a record.
 */
import { type StepContext, type StepOptions, type Workflow, type WorkflowContext, workflow } from "@holdfast/workflows";

export interface Effect {
  /** The operation: `run/kind/occurrence/name`. */
  readonly op: string;
  /** The step's idempotency key. A compensation has none. */
  readonly key?: string;
  readonly attempt: number;
  /** What the function had decided when it requested the operation, in order. */
  readonly decided?: string;
  /** When the body started, ms since the epoch. */
  readonly startedAt: number;
}

const retry = { max: 20, backoff: "fixed", initial: 200 } as const;

/** The first word of the names of steps without an effect. */
export const PURE = "pure";

/** A body that calls `act` for its effect. */
type Body = (act: () => Promise<number>, step: StepContext) => Promise<unknown>;

/** How often the body of `soak-spinning` blocks its process. */
const SPINS = 2;

export function effectWorkflows(recorderUrl: () => string): Workflow[] {
  /** Sends a record. Returns how many the recorder has of the operation. */
  const send = async (effect: Effect, signal: AbortSignal): Promise<number> => {
    const response = await fetch(recorderUrl(), { method: "POST", body: JSON.stringify(effect), signal });
    if (!response.ok) throw new Error(`the recorder answered ${response.status}`);
    return Number(await response.text());
  };
  /** Returns a function that requests a step whose body has an effect, under its number among the steps of its name. */
  const actingIn = (ctx: WorkflowContext) => {
    const occurrences = new Map<string, number>();
    return (name: string, options: StepOptions = {}, body: Body = (act) => act(), decided = ""): Promise<unknown> => {
      const occurrence = occurrences.get(name) ?? 0;
      occurrences.set(name, occurrence + 1);
      const op = `${ctx.run.id}/step/${occurrence}/${name}`;
      return ctx.step(name, { retry, ...options }, (step) => {
        const { idempotencyKey: key, attempt, signal } = step;
        return body(() => send({ op, key, attempt, decided, startedAt: Date.now() }, signal), step);
      });
    };
  };

  const sequence = workflow({
    id: "soak-sequence",
    run: async (steps: number, ctx) => {
      const acting = actingIn(ctx);
      for (let i = 0; i < steps; i++) {
        await acting("act");
        if (i % 3 === 1) await ctx.sleep(80);
      }
      return steps;
    },
  });
  const parallel = workflow({
    id: "soak-parallel",
    run: async (_input, ctx) => {
      const acting = actingIn(ctx);
      const names = ["a", "b", "c", "d"];
      await Promise.all(names.map((name) => acting(name)));
      return names.length;
    },
  });
  /** Each effect names the branches that have won: effects of an execution that saw other winners differ. */
  const racing = workflow({
    id: "soak-racing",
    run: async (rounds: number, ctx) => {
      const acting = actingIn(ctx);
      let won = "";
      for (let round = 0; round < rounds; round++) {
        const [left, right, quick] = [
          acting("left", {}, undefined, won),
          acting("right", {}, undefined, won),
          ctx.step(`${PURE} quick`, () => round),
        ];
        won += await Promise.race([left.then(() => "l"), right.then(() => "r")]);
        won += await Promise.race([left.then(() => "L"), right.then(() => "R"), microtasks(round).then(() => "c")]);
        await Promise.all([left, right, quick]);
        const late = ctx.step(`${PURE} late`, () => microtasks(2 * round));
        won += await Promise.race([late.then(() => "s"), microtasks(2 * round).then(() => "c")]);
        await late;
      }
      await acting("end", {}, undefined, won);
      return won.length;
    },
  });
  const flaky = workflow({
    id: "soak-flaky",
    run: (_input, ctx) =>
      actingIn(ctx)("sometimes", {}, async (act, { attempt }) => {
        await act();
        if (attempt < 3) throw new Error("not yet");
        return "at last";
      }),
  });
  const undoing = workflow({
    id: "soak-undoing",
    run: async (_input, ctx) => {
      const acting = actingIn(ctx);
      for (const name of ["reserve", "charge", "ship"]) {
        const op = `${ctx.run.id}/compensation/0/${name}`;
        await acting(name, { compensate: () => send({ op, attempt: 1, startedAt: Date.now() }, ctx.signal) });
      }
      throw new Error("out of stock");
    },
  });
  const signals = workflow({
    id: "soak-signals",
    run: async (_input, ctx) => {
      const acting = actingIn(ctx);
      const got: unknown[] = [];
      for (let i = 0; i < 3; i++) {
        got.push(await ctx.waitForSignal("n"));
        await acting("act");
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
      actingIn(ctx)("spin", {}, async (act) => {
        if ((await act()) > SPINS) return "through";
        for (;;);
      }),
  });
  /** Leaves promises that are rejected long before anything awaits them (REP7). */
  const rejecting = workflow({
    id: "soak-rejecting",
    run: async (_input, ctx) => {
      const helper = (async () => ctx.step("fails", { retry: { max: 1 } }, () => Promise.reject(new Error("no"))))();
      const acting = actingIn(ctx);
      await acting("act", {}, async (act) => {
        void Promise.reject(new Error("of a body"));
        await act();
      });
      await ctx.sleep(80);
      const caught = await helper.catch((error: Error) => error.message);
      await acting("act");
      return caught;
    },
  });
  return [sequence, parallel, racing, flaky, undoing, signals, family, spinning, rejecting];
}

async function microtasks(count: number): Promise<void> {
  for (let at = 0; at < count; at++) await Promise.resolve();
}
