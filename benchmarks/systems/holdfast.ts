/**
 * Holdfast over one pipe, as a client uses it.
 */
import type { Pipe } from "../measures/contest.ts";
import type { BenchPlatform } from "../platform.ts";
import type { System, Work } from "./system.ts";

/** The longest wait that a caller may request, s. */
const WAIT_S = 60;

export function holdfastOver(platform: BenchPlatform, pipe: Pipe): System {
  // The prefix of the id chooses the pipe.
  const runOf = (id: string): string => `${pipe}-${id}`;
  const start = async (id: string, input: Work, wanted: string): Promise<void> => {
    const json = { runId: runOf(id), workflowId: "work", input };
    expectStatus(wanted, await platform.ask("/api/runs?view=result", { json, wait: WAIT_S }));
  };
  return {
    what: pipe,
    who: "Holdfast",
    run: (id, work) => start(id, work, "completed"),
    park: (id, work) => start(id, work, "waiting"),
    async result(id) {
      expectStatus("completed", await platform.ask(`/api/runs/${runOf(id)}?view=result`, { wait: WAIT_S }));
    },
    async signal(id) {
      await platform.ask(`/api/runs/${runOf(id)}/signals`, { json: { name: "go" } });
    },
    restart: () => platform.restart(),
  };
}

function expectStatus(wanted: string, answer: unknown): void {
  const { status } = answer as { readonly status?: unknown };
  if (status !== wanted) throw new Error(`is ${String(status)} instead of ${wanted}`);
}
