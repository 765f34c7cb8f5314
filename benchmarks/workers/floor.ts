/**
 * The floor: the cost of the minimal writes and round trips of a pipe on this platform.
 *
 * Owns: an object class that performs only these. A row has the size of the engine's row of such a step.
 */
import { sleepFor } from "./workflows.ts";

export interface FloorEnv {
  readonly SIBLING: Fetcher;
  readonly SIBLING_FLOOR: { callBack(n: number, put: (row: unknown) => void): Promise<void> };
  readonly STEP_HANDLER_FLOOR: string;
}

export type FloorPipe = "inline" | "turns" | "timers" | "rpc" | "fetch" | "http";

/** The duration of each parallel step, ms. */
const TIMER_MS = 50;

/** The engine yields one event-loop turn after this many steps of a plain sequence, and so does the floor. */
const TURN_EVERY = 256;

const SETTLED = Promise.resolve();

export class FloorDO {
  readonly #storage: DurableObjectStorage;
  readonly #env: FloorEnv;
  #rows = 0;

  constructor(state: DurableObjectState, env: FloorEnv) {
    this.#storage = state.storage;
    this.#env = env;
  }

  async fetch(request: Request): Promise<Response> {
    const { pipe, n } = await request.json<{ readonly pipe: FloorPipe; readonly n: number }>();
    await this.#write(pipe, n);
    return Response.json({ rows: this.#rows });
  }

  async #write(pipe: FloorPipe, n: number): Promise<void> {
    const { SIBLING, SIBLING_FLOOR, STEP_HANDLER_FLOOR } = this.#env;
    if (pipe === "timers") {
      const write = async (i: number): Promise<void> => {
        await sleepFor(TIMER_MS);
        this.#put({ i });
      };
      await Promise.all(Array.from({ length: n }, (_, i) => write(i)));
      return;
    }
    if (pipe === "rpc") return SIBLING_FLOOR.callBack(n, (row) => this.#put(row));
    for (let i = 0; i < n; i++) {
      this.#put({ i, note: "a result" });
      if (pipe === "turns" || (pipe === "inline" && i % TURN_EVERY === TURN_EVERY - 1)) await turn();
      else if (pipe === "inline") await SETTLED;
      else {
        const init = { method: "POST", body: JSON.stringify({ i, note: "a result" }) };
        const [target, url] =
          pipe === "fetch" ? [SIBLING, "https://floor.internal/floor"] : [globalThis, STEP_HANDLER_FLOOR];
        await (await target.fetch(url, init)).text();
      }
    }
  }

  #put(result: unknown): void {
    this.#rows += 1;
    const row = {
      v: 1,
      seq: this.#rows,
      at: 1_790_000_000_000,
      asked: this.#rows,
      type: "step.completed",
      op: `step:step:${this.#rows}`,
      nth: this.#rows,
      attempt: 1,
      startedAt: 1_790_000_000_000,
      value: JSON.stringify(result),
    };
    this.#storage.kv.put(`journal/${String(this.#rows).padStart(10, "0")}`, row);
  }
}

/** Waits one event-loop turn, in the cheapest way on workerd. */
function turn(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    // oxlint-disable-next-line unicorn/prefer-add-event-listener -- only `onmessage` starts a port implicitly
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
}
