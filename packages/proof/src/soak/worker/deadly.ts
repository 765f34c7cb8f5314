/**
 * A Worker whose code blocks its process, for the test that kills it (DUR7, DUR10).
 */
import { holdfast } from "@holdfast/orchestrator-cloudflare/worker";
import { workflow } from "@holdfast/workflows";

/** Never returns: nothing else of the process executes, and only a signal ends it. */
function blockForever(): never {
  for (;;);
}

const spin = workflow({
  id: "spin",
  run: async (_input, ctx) => {
    await ctx.sleep("1s");
    await ctx.step("spin", blockForever);
  },
});

const innocent = workflow({ id: "innocent", run: (_input, ctx) => ctx.waitForSignal("go") });

const app = holdfast({ workflows: [spin, innocent], deps: () => ({ verifyRequest: () => true }) });

export default app.worker;
export const { WorkflowRunDO, RunIndexDO, CoordinatorDO } = app;
