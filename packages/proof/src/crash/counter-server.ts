/**
 * A server that counts the starts and ends of step bodies, as a witness outside of the engine.
 *
 * Owns: the counts. They live in this process, not in workerd: a kill does not lose them, and the engine cannot change
 * them. Step bodies send `POST /STEP/start` and `POST /STEP/end`; a path segment before STEP separates the counts of
 * several runs.
 */
import { once } from "node:events";
import { type Server, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { until } from "@holdfast/local-runtime/until";

type Edge = "start" | "end";

/** One start or end of a step body. */
export interface Hit {
  readonly scope: string;
  readonly step: string;
  readonly edge: Edge;
  /** The number of hits of this step and edge, including this one. */
  readonly count: number;
  /** The idempotency key that the body received. */
  readonly key: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

export class CounterServer {
  readonly url: string;
  /** Is called for each hit. */
  onHit: (hit: Hit) => void = () => {};
  readonly #server: Server;
  readonly #hits = new Map<string, Hit[]>();

  private constructor(server: Server) {
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on("request", (request, response) => {
      const key = decodeURIComponent(String(request.headers["idempotency-key"] ?? ""));
      const recorded = request.method === "POST" && this.#record(request.url ?? "", key);
      request.resume();
      response.writeHead(recorded ? 204 : 404).end();
    });
  }

  static async start(): Promise<CounterServer> {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    return new CounterServer(server);
  }

  hits(step: string, edge: Edge, scope = ""): readonly Hit[] {
    return this.#hits.get(`${scope}/${step}/${edge}`) ?? [];
  }

  count(step: string, edge: Edge, scope = ""): number {
    return this.hits(step, edge, scope).length;
  }

  /** @throws ConditionNotMet if the step's body has not started `times` times within `boundMs`. */
  untilStarted(step: string, times: number, boundMs: number): Promise<void> {
    return until(`the body of ${step} starts (time ${times})`, boundMs, () => this.count(step, "start") >= times);
  }

  /** @throws ConditionNotMet if the step's body has not ended `times` times within `boundMs`. */
  untilEnded(step: string, times: number, boundMs: number): Promise<void> {
    return until(`the body of ${step} ends (time ${times})`, boundMs, () => this.count(step, "end") >= times);
  }

  async close(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, "close");
  }

  #record(path: string, key: string): boolean {
    const [, scope = "", step, edge] = /^(?:\/([\w-]+))?\/([\w-]+)\/(start|end)$/.exec(path) ?? [];
    if (step === undefined || (edge !== "start" && edge !== "end")) return false;
    const name = `${scope}/${step}/${edge}`;
    const hits = this.#hits.get(name) ?? [];
    const hit: Hit = { scope, step, edge, count: hits.length + 1, key, at: Date.now() };
    hits.push(hit);
    this.#hits.set(name, hits);
    this.onHit(hit);
    return true;
  }
}
