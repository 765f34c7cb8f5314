/**
 * A Worker that acquires and releases one key of a limit, as runs do.
 *
 * Owns: the messages. `?pairs=1000&width=32` sends that many pairs, `width` of them at a time.
 */
import type { Acquire, Release } from "@holdfast/orchestrator";
import { type HoldfastApp, holdfast } from "@holdfast/orchestrator-cloudflare/worker";

const app = holdfast({ workflows: [] });

export const WorkflowRunDO: HoldfastApp["WorkflowRunDO"] = app.WorkflowRunDO;
export const CoordinatorDO: HoldfastApp["CoordinatorDO"] = app.CoordinatorDO;

interface Env {
  readonly COORDINATOR_DO: {
    idFromName(name: string): unknown;
    get(id: unknown): { fetch(request: Request): Promise<Response> };
  };
}

export default {
  async fetch(request: Request, { COORDINATOR_DO }: Env): Promise<Response> {
    const query = new URL(request.url).searchParams;
    const [pairs, width] = [Number(query.get("pairs") ?? 1), Number(query.get("width") ?? 1)];
    const gate = COORDINATOR_DO.get(COORDINATOR_DO.idFromName("gate\u0001\u0001bench"));
    const send = async (message: Acquire | Release): Promise<void> => {
      const body = JSON.stringify({ self: { kind: "gate", name: "bench" }, ask: "message", message });
      const answer = await gate.fetch(new Request("https://gate.internal/", { method: "POST", body }));
      if (!answer.ok) throw new Error(await answer.text());
      await answer.arrayBuffer();
    };
    let next = 0;
    const worker = async (): Promise<void> => {
      for (let seq = (next += 1); seq <= pairs; seq = next += 1) {
        const [hold, place] = [
          { runId: `r${seq}`, incarnation: crypto.randomUUID(), seq: 1 },
          { enqueuedAt: Date.now() },
        ];
        const settings = { rev: 1, max: 1_000_000 };
        await send({
          type: "acquire",
          hold,
          limit: "bench",
          mode: "run",
          place,
          onFull: "queue",
          settings,
          workflowId: "w",
        });
        await send({ type: "release", hold, place });
      }
    };
    await Promise.all(Array.from({ length: width }, worker));
    return new Response(String(pairs));
  },
};
