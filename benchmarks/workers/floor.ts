/**
 * The floor: the cost of the minimal writes and round trips of a pipe on this platform.
 *
 * Owns: an object class that performs only these. A row has the size of the engine's row of such a step.
 */
import type { FloorWork } from "./floor-work.ts";
import { resultOf, sleepFor } from "./workflows.ts";

export interface FloorEnv {
  readonly SIBLING: Fetcher;
  readonly SIBLING_FLOOR: { callBack(n: number, chars: number, put: (row: unknown) => void): Promise<void> };
  readonly STEP_HANDLER_FLOOR: string;
}

/** The duration of each parallel step, ms. */
const TIMER_MS = 50;

/** The time until the alarm, ms: it never fires during a measurement. */
const ALARM_MS = 3_600_000;

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
    const work = await request.json<FloorWork>();
    const { pipe, n, chars = 0, header = false, reads = false } = work;
    if (reads) this.#rows = [...this.#storage.kv.list()].length;
    if (header) {
      void this.#storage.setAlarm(Date.now() + ALARM_MS);
      this.#put({ header });
    }
    if (pipe === "timers") await this.#writeTimed(n);
    else if (pipe === "rpc") await this.#env.SIBLING_FLOOR.callBack(n, chars, (row) => this.#put(row));
    else if (pipe === "socket") await this.#writeOverSocket(n, chars);
    else for (let i = 0; i < n; i++) await this.#write(pipe, i, chars);
    return Response.json({ rows: this.#rows });
  }

  alarm(): void {}

  async #writeTimed(n: number): Promise<void> {
    const write = async (i: number): Promise<void> => {
      await sleepFor(TIMER_MS);
      this.#put({ i });
    };
    await Promise.all(Array.from({ length: n }, (_, i) => write(i)));
  }

  async #write(pipe: "inline" | "turns" | "fetch" | "http", i: number, chars: number): Promise<void> {
    const { SIBLING, STEP_HANDLER_FLOOR } = this.#env;
    if (pipe === "fetch" || pipe === "http") {
      const init = { method: "POST", body: JSON.stringify({ i, chars }) };
      const [target, url] =
        pipe === "fetch" ? [SIBLING, "https://floor.internal/floor"] : [globalThis, STEP_HANDLER_FLOOR];
      this.#put(await (await target.fetch(url, init)).json());
    } else this.#put(resultOf(i, chars));
    if (pipe === "turns" || (pipe === "inline" && i % TURN_EVERY === TURN_EVERY - 1)) await turn();
    else if (pipe === "inline") await SETTLED;
  }

  /** One connection, with a frame each way before each row. */
  async #writeOverSocket(n: number, chars: number): Promise<void> {
    const { webSocket } = await fetch(this.#env.STEP_HANDLER_FLOOR, { headers: { Upgrade: "websocket" } });
    if (webSocket === null) throw new Error("the server opens no connection");
    webSocket.accept();
    for (let i = 0; i < n; i++) {
      const answer = new Promise<MessageEvent>((resolve) =>
        webSocket.addEventListener("message", resolve, { once: true }),
      );
      webSocket.send(JSON.stringify({ i, chars }));
      this.#put(JSON.parse(String((await answer).data)));
    }
    webSocket.close();
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

/** Waits one event-loop turn, in the cheapest way on workerd: a message over a channel comes before other microtasks. */
async function turn(): Promise<void> {
  await new Response(" ").text();
}
