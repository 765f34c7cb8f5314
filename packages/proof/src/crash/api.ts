/**
 * A client of the HTTP API for the demo and the crash test.
 *
 * Owns: the requests, and their repetition while the runtime is down, if `retryMsMax` is set. Repeating is safe because
 * every request that changes something carries an id: the run id for a trigger, a delivery id for a signal.
 */
import { setTimeout as delay } from "node:timers/promises";
import { ensure } from "@holdfast/local-runtime/until";

const REQUEST_MS_MAX = 10_000;
const RETRY_AFTER_MS = 25;

export interface StepRecord {
  readonly name: string;
  readonly status: string;
  readonly attempts: number;
}

export interface RunRecord {
  readonly id: string;
  readonly status: string;
  /** The number of executions of the workflow function. */
  readonly invocationCount: number;
  readonly output?: unknown;
  readonly error?: unknown;
  readonly steps: readonly StepRecord[];
}

/** The fields that the demo and the crash test read. `at` is in milliseconds since the epoch. */
export interface JournalEntry {
  readonly seq: number;
  readonly at: number;
  readonly type: string;
  readonly operation: { readonly name: string };
}

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

export class Api {
  /** The number of requests that failed because the runtime was down. */
  interrupted = 0;
  /** The number of answers with a status of 500 or above. */
  serverErrors = 0;
  readonly #url: string;
  readonly #retryMsMax: number;

  /** @param retryMsMax How long to repeat a request while the runtime is down, ms. 0: requests are not repeated. */
  constructor(url: string, retryMsMax = 0) {
    this.#url = url;
    this.#retryMsMax = retryMsMax;
  }

  trigger(body: { runId: string; workflowId: string; input: unknown }): Promise<Answer> {
    return this.#ask("POST", "/api/runs", body);
  }

  signal(id: string, body: { name: string; payload: unknown; deliveryId?: string }): Promise<Answer> {
    return this.#ask("POST", `/api/runs/${id}/signals`, body);
  }

  async run(id: string): Promise<RunRecord> {
    return (await this.#read(`/api/runs/${id}`)) as RunRecord;
  }

  async journal(id: string): Promise<readonly JournalEntry[]> {
    return ((await this.#read(`/api/runs/${id}/journal`)) as { entries: JournalEntry[] }).entries;
  }

  async #read(path: string): Promise<unknown> {
    const { status, body } = await this.#ask("GET", path);
    ensure(status === 200, `GET ${path} answered ${status}: ${JSON.stringify(body)}`);
    return body;
  }

  async #ask(method: string, path: string, body?: object): Promise<Answer> {
    const end = Date.now() + this.#retryMsMax;
    for (;;) {
      try {
        const answer = await this.#askOnce(method, path, body);
        if (answer.status < 500) return answer;
        this.serverErrors += 1;
        if (Date.now() >= end) return answer;
      } catch (error) {
        this.interrupted += 1;
        if (Date.now() >= end) throw error;
      }
      await delay(RETRY_AFTER_MS);
    }
  }

  async #askOnce(method: string, path: string, body?: object): Promise<Answer> {
    const response = await fetch(this.#url + path, {
      method,
      signal: AbortSignal.timeout(REQUEST_MS_MAX),
      ...(body === undefined ? {} : { headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) }),
    });
    return { status: response.status, body: await response.json() };
  }
}
