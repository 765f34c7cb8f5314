/**
 * Workflows that count their started and aborted bodies, for tests that read the counts over HTTP.
 */
import { type Workflow, event, workflow } from "@holdfast/workflows";

export interface Watched {
  readonly workflows: readonly Workflow[];
  /** Answers `GET …/watched?run=…` with the counts of the run; `undefined` for another path. */
  answer(request: Request): Response | undefined;
}

export function watch(sleep: (ms: number) => Promise<void>): Watched {
  const seen = new Map<string, { bodies: number; aborted: number }>();
  const of = (runId: string): { bodies: number; aborted: number } => {
    const found = seen.get(runId) ?? { bodies: 0, aborted: 0 };
    seen.set(runId, found);
    return found;
  };
  const hangs = workflow({
    id: "watched-hangs",
    run: (_input, ctx) =>
      ctx.step("hang", async ({ signal }) => {
        of(ctx.run.id).bodies += 1;
        while (!signal.aborted) await sleep(10);
        of(ctx.run.id).aborted += 1;
      }),
  });
  const ticks = workflow({
    id: "watched-ticks",
    run: async (_input, ctx) => {
      for (let i = 0; i < 2_000; i++) {
        await ctx.step("tick", async () => {
          of(ctx.run.id).bodies += 1;
          await sleep(10);
        });
      }
    },
  });
  const stops = workflow({
    id: "watched-stops",
    cancelOn: [{ event: event("watched.stopped", { key: "orderId" }), key: "orderId" }],
    run: (_input: { orderId: string }, ctx) => ctx.waitForSignal("never"),
  });
  return {
    workflows: [hangs, ticks, stops],
    answer(request) {
      const { pathname, searchParams } = new URL(request.url);
      return pathname.endsWith("/watched") ? Response.json(of(searchParams.get("run") ?? "")) : undefined;
    },
  };
}
