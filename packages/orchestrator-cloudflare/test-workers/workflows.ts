/**
 * Workflows for the real-workerd suite, and a log of their step bodies in this isolate.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { type CatalogueEntry, makeCatalogue, workflowsOf } from "@holdfast/proof/catalogue";
import { type StepContext, event, workflow } from "@holdfast/workflows";
import * as v from "valibot";
import { gathers, timed } from "./large.ts";
import { oddWorkflows } from "./odd-values.ts";
import { sleepFor } from "./sleep.ts";
import { watch } from "./watched.ts";

/** The step bodies that ran, by run and step, in order. */
export const effects: string[] = [];

/** The active span of a tracing library. */
const span = new AsyncLocalStorage<string>();

const child = workflow({
  id: "child",
  run: async (input: { n: number; wait?: boolean }, ctx) => {
    const doubled = await ctx.step("double", () => (effects.push(`double ${input.n}`), input.n * 2));
    if (input.wait) await ctx.waitForSignal("go");
    return doubled;
  },
});

/** Bodies that run until a test ends them, by run and step. */
export const held = new Map<
  string,
  { readonly end: (value: unknown) => void } & Pick<StepContext, "signal" | "progress">
>();

const orderPaid = event<{ orderId: string; cents: number }>("order.paid", { key: "orderId" });
const checked = event("order.checked", { schema: v.object({ cents: v.number() }) });
const orderStopped = event<{ orderId: string }>("order.stopped", { key: "orderId" });

export const catalogue: CatalogueEntry[] = makeCatalogue({ sleep: sleepFor });

async function microtasks(count: number): Promise<void> {
  for (let at = 0; at < count; at++) await Promise.resolve();
}

export const workflows = [
  child,
  gathers,
  timed,
  ...oddWorkflows,
  workflow({
    id: "family",
    run: async (input: { wait?: boolean }, ctx) => {
      const wait = input.wait ?? false;
      const detached = await ctx.invoke(child, { n: 100 }, { detach: true });
      const doubled = await Promise.all([1, 2, 3].map((n) => ctx.invoke(child, { n, wait })));
      return { doubled, detached: detached.runId };
    },
  }),
  workflow({
    id: "public-token",
    run: async (_input, ctx) => {
      const token = ctx.waitForToken({ public: true, timeout: "1h" });
      await ctx.step("send", () => token.url);
      return token.wait();
    },
  }),
  workflow({
    id: "asks",
    run: async (input: { timeout?: "1h" | "2h"; public?: boolean }, ctx) => {
      const ask = {
        title: "Refund?",
        details: "x".repeat(5_000),
        schema: { type: "object", properties: { cents: { type: "integer", minimum: 0 } }, required: ["cents"] },
        assignees: ["role:finance"],
      };
      const token = ctx.waitForToken({ ask, timeout: input.timeout ?? "1h", public: input.public ?? false });
      ctx.metadata.set("url", token.url);
      return token.wait();
    },
  }),
  workflow({
    id: "shares",
    run: (idempotencyKey: string, ctx) =>
      Promise.all([1, 2].map(() => ctx.invoke(child, { n: 4, wait: true }, { idempotencyKey }))),
  }),
  workflow({
    id: "trip",
    run: async (_input, ctx) => {
      for (const name of ["flight", "hotel"]) {
        await ctx.step(
          name,
          { compensate: (output) => void effects.push(`undo ${output}`) },
          () => (effects.push(name), name),
        );
      }
      ctx.metadata.set("phase", "waiting");
      await ctx.stream.text("log", () => ["a", "b"]);
      await ctx.waitForSignal("never");
    },
  }),
  workflow({
    id: "sequence",
    run: async (count: number, ctx) => {
      for (let i = 0; i < count; i++) await ctx.step("turn", () => i);
      return count;
    },
  }),
  workflow({
    id: "races",
    run: async (_input, ctx) => {
      const bodies: Record<string, () => unknown> = {
        "ends at once": () => 1,
        awaits: () => microtasks(6),
        "takes time": () => sleepFor(2),
      };
      const winners: string[] = [];
      for (const [name, body] of Object.entries(bodies))
        for (let ticks = 0; ticks < 130; ticks += 3) {
          const step = ctx.step(name, body);
          winners.push(await Promise.race([step.then(() => name), microtasks(ticks).then(() => "pure code")]));
          await step;
        }
      effects.push(winners.join());
      await ctx.waitForSignal("end");
    },
  }),
  workflow({
    id: "endless",
    run: async (_input, ctx) => {
      for (;;) await ctx.step("turn", () => 1);
    },
  }),
  workflow({
    id: "until-timer",
    run: async (_input, ctx) => {
      let fired = false;
      setTimeout(() => (fired = true), 1);
      for (let steps = 1; steps <= 9_500; steps++) if (await ctx.step("turn", () => fired)) return "fired";
      return "never fired";
    },
  }),
  workflow({
    id: "order",
    run: async (_input, ctx) => {
      const did = (step: string): string => (effects.push(`${ctx.run.id} ${step}`), step);
      const reserve = await ctx.step("reserve", () => did("reserve"));
      const approval = await ctx.waitForSignal("approval", { timeout: "1h" });
      const ship = await ctx.step("ship", async () => did("ship"));
      return { reserve, approval, ship };
    },
  }),
  workflow({
    id: "no time",
    run: async (_input, ctx) => {
      await ctx.waitForSignal("go");
      let count = 0;
      for (let turn = 0; turn < 20; turn++, count++) await ctx.sleep(0);
      while (count < 40 && (await ctx.waitForSignal("m", { timeout: 0 })) === null) count++;
      while (count < 60 && (await ctx.waitForToken({ timeout: 0 }).wait()) === null) count++;
      return count;
    },
  }),
  workflow({
    id: "sleeps beside a step",
    run: async (_input, ctx) => {
      const hold = ctx.step("hold", ({ signal, attempt, progress }) => {
        return new Promise((end) => held.set(`${ctx.run.id} ${attempt}`, { signal, end, progress }));
      });
      const begun = Date.now();
      for (let turn = 0; turn < 10; turn++) await ctx.sleep(100);
      effects.push(`${Date.now() - begun}`);
      return hold;
    },
  }),
  workflow({ id: "patient", run: (_input, ctx) => ctx.waitForSignal("never", { timeout: 300 }) }),
  workflow({
    id: "race",
    run: async (_input, ctx) => {
      const winner = await Promise.race([
        ctx.waitForSignal("a", { timeout: "1h" }),
        ctx.sleep(400).then(() => "slept"),
      ]);
      const both = await Promise.all([ctx.step("x", () => 1), Promise.race([ctx.step("y", () => 2), ctx.sleep("1h")])]);
      await ctx.waitForSignal("end");
      return { winner, both };
    },
  }),
  workflow({
    id: "flaky",
    run: (_input, ctx) =>
      ctx.step("thrice", { retry: { initial: 200, backoff: "fixed" } }, ({ attempt }) => {
        effects.push(`${ctx.run.id} attempt ${attempt} at ${Date.now()}`);
        if (attempt < 3) throw new Error("not yet");
        return attempt;
      }),
  }),
  workflow({
    id: "spans",
    run: async (_input, ctx) => {
      const see = (name: string): unknown => effects.push(`${name} in ${span.getStore()}`);
      await span.run("first", () => ctx.step("at once", () => see("at once")));
      await span.run("second", () =>
        ctx.step("later", { retry: { max: 2, initial: 200, backoff: "fixed" } }, async ({ attempt }) => {
          await sleepFor(1);
          see(`attempt ${attempt}`);
          if (attempt < 2) throw new Error("not yet");
        }),
      );
      await ctx.waitForSignal("go");
      await span.run("third", () => ctx.step("after the signal", () => see("after the signal")));
    },
  }),
  workflow({
    id: "held",
    run: (_input, ctx) =>
      ctx.step("hold", ({ signal, attempt, progress }) => {
        effects.push(`${ctx.run.id} hold`);
        return new Promise((end) => held.set(`${ctx.run.id} ${attempt}`, { signal, end, progress }));
      }),
  }),
  workflow({
    id: "large",
    run: async (size: number, ctx) => {
      const text = await ctx.step("make", () => "ä".repeat(size));
      await ctx.waitForSignal("end");
      return [text.length, await ctx.step("again", () => text)];
    },
  }),
  workflow({
    id: "fulfil",
    on: [{ id: "paid", event: orderPaid, where: { "data.cents": { gte: 100 } }, input: "data.orderId" }],
    run: (orderId: string, ctx) => ctx.step("pack", () => (effects.push(`pack ${orderId}`), orderId)),
  }),
  workflow({
    id: "waits for payment",
    events: [orderPaid],
    cancelOn: [{ event: orderStopped, key: "orderId" }],
    run: async ({ orderId, after }: { orderId: string; after?: string }, ctx) => {
      if (after !== undefined) await ctx.waitForSignal(after);
      return (await ctx.waitForEvent(orderPaid, { key: orderId })).cents;
    },
  }),
  workflow({
    id: "checked",
    on: [{ id: "large", event: checked, where: ({ cents }) => cents >= 100, input: "data.cents" }],
    run: (cents: number) => cents,
  }),
  workflow({
    id: "sends checked",
    run: (input: { cents: number }, ctx) => ctx.sendEvent(checked, input),
  }),
  workflow({
    id: "pays",
    run: (input: { orderId: string; cents: number }, ctx) => ctx.sendEvent(orderPaid, input),
  }),
  ...workflowsOf(catalogue),
  ...watch(sleepFor).workflows,
];
