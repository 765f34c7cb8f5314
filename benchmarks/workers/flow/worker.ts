/**
 * A Worker that does one thing with limits, schedules, events or windows again and again, as runs and callers do.
 *
 * Owns: the load. `/bench?do=admissions&n=1000&width=32` does it 1,000 times, 32 at a time. `/seen` says what the workflows have
 * counted.
 */
import type { Acquire, Release } from "@holdfast/orchestrator";
import { type HoldfastApp, holdfast } from "@holdfast/orchestrator-cloudflare/worker";
import { event, workflow } from "@holdfast/workflows";

let made = 0;
const seen = { ticks: 0, woken: 0 };
const paid = event<{ readonly key: string }>("paid", { key: ({ key }) => key });

const app = holdfast({
  workflows: [
    workflow({
      id: "ticked",
      run: async () => {
        seen.ticks += 1;
      },
    }),
    workflow({
      id: "waiting",
      run: async (key: string, ctx) => {
        await ctx.waitForEvent(paid, { key });
        seen.woken += 1;
      },
    }),
    workflow({ id: "debounced", debounce: { wait: "1h" }, run: async () => 1 }),
    workflow({ id: "batched", batch: { max: 10_000, wait: "1h" }, run: async () => 1 }),
  ],
});

export const WorkflowRunDO: HoldfastApp["WorkflowRunDO"] = app.WorkflowRunDO;
export const CoordinatorDO: HoldfastApp["CoordinatorDO"] = app.CoordinatorDO;

/** The floor: one row for each request. */
export class FloorDO {
  readonly #storage: DurableObjectStorage;
  #rows = 0;

  constructor({ storage }: DurableObjectState) {
    this.#storage = storage;
  }

  fetch(): Response {
    this.#storage.kv.put(`row/${(this.#rows += 1)}`, { v: 1 });
    return new Response("");
  }
}

interface Env {
  readonly FLOOR: DurableObjectNamespace;
  readonly COORDINATOR_DO: DurableObjectNamespace;
}

/** How many keys or schedules "many" are. */
const MANY = 50;

type Act = (n: number) => Promise<void>;

async function checked(answer: Response): Promise<void> {
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${answer.status}: ${text}`);
}

/** What the load can do, by name. */
function actsOf(env: Env, context: ExecutionContext): Readonly<Record<string, Act>> {
  const post = async (path: string, body: object): Promise<void> => {
    const headers = { "content-type": "application/json" };
    const request = new Request(`http://localhost${path}`, { method: "POST", headers, body: JSON.stringify(body) });
    await checked(await app.worker.fetch(request, env, context));
  };
  const floor = async (name: string): Promise<void> =>
    checked(await env.FLOOR.get(env.FLOOR.idFromName(name)).fetch("http://floor.internal/"));
  return {
    floor: () => floor("one"),
    "floor of new objects": () => floor(`new ${(made += 1)}`),
    admissions: (n) => admit(env, n),
    "ticks of one": () => post("/api/schedules/one/trigger", {}),
    "ticks of many": (n) => post(`/api/schedules/s${n % MANY}/trigger`, {}),
    "events of one key": () => post("/api/events", { name: "paid", data: { key: "k" }, key: "k" }),
    "events of many keys": (n) =>
      post("/api/events", { name: "paid", data: { key: `k${n % MANY}` }, key: `k${n % MANY}` }),
    debounce: () => post("/api/runs", { workflowId: "debounced" }),
    batch: () => post("/api/runs", { workflowId: "batched", input: 1 }),
    wait: () => post("/api/runs", { workflowId: "waiting", input: "all" }),
    "event for all": () => post("/api/events", { name: "paid", data: { key: "all" }, key: "all" }),
    schedules: (n) =>
      post("/api/schedules", {
        id: n === 0 ? "one" : `s${n - 1}`,
        every: "30d",
        overlap: "allow",
        workflow: "ticked",
      }),
    run: () => post("/api/runs", { workflowId: "ticked" }),
  };
}

/** Holds and gives back a place of a limit, as a run does. */
async function admit({ COORDINATOR_DO }: Env, n: number): Promise<void> {
  const gate = COORDINATOR_DO.get(COORDINATOR_DO.idFromName("gate\u0001\u0001bench"));
  const send = async (message: Acquire | Release): Promise<void> => {
    const body = JSON.stringify({ self: { kind: "gate", name: "bench" }, ask: "message", message });
    await checked(await gate.fetch("http://gate.internal/", { method: "POST", body }));
  };
  const hold = { runId: `r${n}`, incarnation: crypto.randomUUID(), seq: 1 };
  const place = { enqueuedAt: Date.now() };
  const settings = { rev: 1, max: 1_000_000 };
  const more = { limit: "bench", mode: "run", onFull: "queue", settings, workflowId: "w" } as const;
  await send({ type: "acquire", hold, place, ...more });
  await send({ type: "release", hold, place });
}

export default {
  async fetch(request: Request, env: Env, context: ExecutionContext): Promise<Response> {
    const { pathname, searchParams: query } = new URL(request.url);
    if (pathname === "/seen") return Response.json(seen);
    const [count, width] = [Number(query.get("n")), Number(query.get("width"))];
    const act = actsOf(env, context)[query.get("do") ?? ""];
    if (act === undefined) return new Response("do", { status: 400 });
    let next = 0;
    const worker = async (): Promise<void> => {
      for (let n = next++; n < count; n = next++) await act(n);
    };
    await Promise.all(Array.from({ length: width }, worker));
    return new Response(String(count));
  },
};
