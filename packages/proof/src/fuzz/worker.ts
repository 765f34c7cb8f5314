/**
 * The Worker of the fuzz test: an order with steps, a signal, and a public token whose URL its metadata shows.
 */
import { type HoldfastApp, holdfast } from "@holdfast/orchestrator-cloudflare/worker";
import { workflow } from "@holdfast/workflows";

const order = workflow({
  id: "order",
  run: async (_input, ctx) => {
    await ctx.step("reserve", () => 1);
    const link = ctx.waitForToken({ public: true, timeout: "1d" });
    const named = ctx.waitForToken({ tokenId: "t" });
    ctx.metadata.set("url", link.url);
    await ctx.step("charge", () => 2);
    await ctx.waitForSignal("approval");
    return [await link.wait(), await named.wait()];
  },
});

// All requests have one principal. The limit of an hour would answer most of them, and nothing else would be tested.
const app = holdfast({ workflows: [order], deps: () => ({ limits: { notFoundPerHour: 10_000_000 } }) });

const worker: HoldfastApp["worker"] = app.worker;
export default worker;
export const WorkflowRunDO: HoldfastApp["WorkflowRunDO"] = app.WorkflowRunDO;
export const RunIndexDO: HoldfastApp["RunIndexDO"] = app.RunIndexDO;
export const CoordinatorDO: HoldfastApp["CoordinatorDO"] = app.CoordinatorDO;
