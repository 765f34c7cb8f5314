/**
 * The Worker of the soak test of limits. Each body is a request that the recorder answers when the body may end: so the
 * recorder knows which bodies execute, also when the process dies.
 */
import { env as environment } from "cloudflare:workers";
import { holdfast } from "@holdfast/orchestrator-cloudflare/worker";
import { type Workflow, type WorkflowContext, limit, workflow } from "@holdfast/workflows";

const { RECORDER_URL, MAX } = environment as unknown as { readonly RECORDER_URL: string; readonly MAX: string };

const shared = limit("shared", { max: Number(MAX) });

/** Executes a body: until the recorder answers, it counts. `last`: the run holds nothing after it. */
function body(ctx: WorkflowContext, name: string, { span = false, last = false, own = false } = {}): Promise<void> {
  const retry = { max: 20, backoff: "fixed", initial: 200 } as const;
  return ctx.step(name, own ? { retry, limit: shared } : { retry }, async ({ signal }) => {
    const record = JSON.stringify({ runId: own ? `${ctx.run.id} ${name}` : ctx.run.id, span, last });
    const answer = await fetch(RECORDER_URL, { method: "POST", body: record, signal });
    if (!answer.ok) throw new Error(`the recorder answered ${answer.status}`);
    await answer.arrayBuffer();
  });
}

const workflows: Workflow[] = [
  /** Holds from its start to its end: also between its bodies. */
  workflow({
    id: "whole",
    limits: [shared.hold("run")],
    run: async (_input, ctx) => {
      await body(ctx, "first", { span: true });
      await ctx.sleep(20);
      await body(ctx, "last", { span: true, last: true });
    },
  }),
  /** Holds while it executes: it gives its place back at the sleep. */
  workflow({
    id: "active",
    limits: [shared.hold("active")],
    run: async (_input, ctx) => {
      await body(ctx, "first");
      await ctx.sleep(20);
      await body(ctx, "last");
    },
  }),
  /** Holds nothing itself: each of its steps has a place. */
  workflow({
    id: "steps",
    run: async (_input, ctx) => {
      await ctx.parallel(["first", "second"], (name) => body(ctx, name, { own: true }));
      await ctx.sleep(20);
      await body(ctx, "last", { own: true });
    },
  }),
];

const app = holdfast({ workflows, deps: () => ({ verifyRequest: () => true, telemetry: {} }) });

export default app.worker;

export const { WorkflowRunDO, RunIndexDO, CoordinatorDO } = app;
