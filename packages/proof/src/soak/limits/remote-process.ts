/**
 * `node remote-process.ts <port> <key>`: a Node process with workflows that share a limit of one run at a time. It counts bodies.
 * Messages: `most` is answered with the count; `hide` and `show`: whether it lists its workflows.
 */
import { setTimeout as delay } from "node:timers/promises";
import { serve } from "@hono/node-server";
import { type WorkflowContext, event, limit, workflow } from "@holdfast/workflows";
import { createStepHandler } from "@holdfast/workflows/handler";

const [port = "0", key = ""] = process.argv.slice(2);
let executing = 0;
let most = 0;
let lists = true;

async function work(ctx: WorkflowContext): Promise<void> {
  for (const name of ["first", "second"])
    await ctx.step(name, async () => {
      executing += 1;
      most = Math.max(most, executing);
      await delay(50);
      executing -= 1;
    });
}

const limits = [limit("desk", { max: 1 }).hold("run")];
const one = workflow({ id: "one", limits, run: async (_input: unknown, ctx) => work(ctx) });
const parent = workflow({
  id: "parent",
  run: async (_input, ctx) => {
    await ctx.waitForSignal("go");
    await ctx.parallel([1, 2], (part) => ctx.invoke(one, part));
  },
});
const paid = event<{ order: string }>("paid", { key: "order" });
const ofEvent = workflow({
  id: "of-event",
  on: [{ id: "paid", event: paid }],
  limits,
  run: async (_input, ctx) => work(ctx),
});
const order = workflow({
  id: "order",
  cancelOn: [{ event: event<{ order: string }>("stopped", { key: "order" }), key: "order" }],
  run: async (_input: { order: string }, ctx) => ctx.waitForSignal("go"),
});
const rows = workflow({ id: "rows", batch: { max: 9, wait: "1h" }, run: async (given: unknown) => given as number[] });
const alone = workflow({
  id: "alone",
  singleton: { onConflict: "reject" },
  run: async (_input, ctx) => ctx.waitForSignal("go"),
});
const asks = workflow({
  id: "asks",
  run: async (_input, ctx) => {
    await ctx.waitForSignal("go");
    return ctx.invoke(alone, null);
  },
});

const handler = createStepHandler({
  workflows: [one, parent, ofEvent, order, rows, alone, asks],
  signingKeys: [key],
  audience: `http://127.0.0.1:${port}/holdfast`,
});
process.on("message", (message) => {
  if (message === "most") process.send?.({ most });
  else lists = message === "show";
});
process.on("disconnect", () => process.exit());
const answer = (request: Request): Response | Promise<Response> =>
  lists || !request.url.endsWith("/workflows") ? handler(request) : new Response("hidden", { status: 503 });
serve({ fetch: answer, port: Number(port), hostname: "127.0.0.1" }, () => process.send?.("ready"));
