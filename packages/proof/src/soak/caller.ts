/**
 * The client of the API during the soak test. It repeats each request until it is answered, and discards some answers.
 *
 * Owns: the repetition of requests with the same ids, so that the run processes each of them once.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { ContractHost, RunRecord } from "../catalogue/index.ts";
import type { Random } from "../simulator/random.ts";

/** How long one request is repeated, ms. */
const REQUEST_MS_MAX = 120_000;

export interface Entry {
  readonly type: string;
  readonly at: number;
  /** The run id of the child, in entries about children. */
  readonly runId?: string;
  readonly operation: { readonly kind: string; readonly occurrence: number; readonly name: string };
}

export class Caller implements ContractHost {
  readonly counts = { requests: 0, repeated: 0, lost: 0, deliveries: 0 };
  readonly #url: string;
  readonly #random: Random;

  constructor(url: string, random: Random) {
    this.#url = url;
    this.#random = random;
  }

  async trigger(runId: string, workflowId: string, input: unknown, timeoutMs?: number): Promise<void> {
    await this.ask("/api/runs", {
      runId,
      workflowId,
      input: input ?? null,
      ...(timeoutMs === undefined ? {} : { timeout: timeoutMs }),
    });
  }

  read(runId: string): Promise<RunRecord> {
    return this.ask<RunRecord>(`/api/runs/${runId}`);
  }

  async entries(runId: string): Promise<Entry[]> {
    return (await this.ask<{ entries: Entry[] }>(`/api/runs/${runId}/journal`)).entries;
  }

  async journal(runId: string): Promise<string[]> {
    const entries = await this.entries(runId);
    return entries.map(({ type, operation: { kind, occurrence, name } }) => `${type} ${kind}/${occurrence}/${name}`);
  }

  async deliver(
    runId: string,
    kind: "signal" | "event",
    name: string,
    payload: unknown,
    deliveryId: string,
  ): Promise<void> {
    this.counts.deliveries += 1;
    const body = { payload: payload ?? null, deliveryId };
    await (kind === "signal"
      ? this.ask(`/api/runs/${runId}/signals`, { name, ...body })
      : this.ask(`/api/runs/${runId}/events`, { eventType: name, ...body }));
  }

  async resolveToken(runId: string, tokenId: string, payload: unknown): Promise<void> {
    await this.ask(`/api/runs/${runId}/tokens/${tokenId}`, { payload });
  }

  async cancel(runId: string, reason: string | undefined): Promise<void> {
    await this.ask(`/api/runs/${runId}/cancel`, reason === undefined ? {} : { reason });
  }

  async operate(runId: string, operation: "pause" | "unpause"): Promise<void> {
    await this.ask(`/api/runs/${runId}/${operation}`, {});
  }

  /** Deletes an ended run. It may still send messages for a moment. */
  async delete(runId: string): Promise<void> {
    for (;;) {
      const { status } = (await this.#try(`/api/runs/${runId}`, undefined, "DELETE")) ?? { status: 0 };
      if (status === 204 || status === 404) return;
      await delay(100);
    }
  }

  /** Whether a run does not exist. */
  async isGone(runId: string): Promise<boolean> {
    for (;;) {
      const { status } = (await this.#try(`/api/runs/${runId}`, undefined)) ?? { status: 0 };
      if (status === 200 || status === 404) return status === 404;
      await delay(50);
    }
  }

  tick(): Promise<void> {
    return delay(60);
  }

  wait(ms: number): Promise<void> {
    return delay(ms);
  }

  /** @throws Error if the request is rejected, or if it is not answered within `REQUEST_MS_MAX`. */
  async ask<T>(path: string, json?: unknown): Promise<T> {
    const end = performance.now() + REQUEST_MS_MAX;
    for (let tries = 1; ; tries++) {
      this.counts.requests += 1;
      const answer = await this.#try(path, json);
      const { status, body } = answer ?? { status: 0, body: undefined };
      if (status > 0 && json !== undefined && this.#random.next() < 0.03) {
        // Discard the answer of a request that was processed, and repeat the request.
        this.counts.lost += 1;
        continue;
      }
      if (status >= 200 && status < 300) return body as T;
      // 409: an earlier attempt was processed, and its answer was lost.
      if (tries > 1 && status === 409) return body as T;
      if (status >= 400 && status < 500) throw new Error(`${path} was rejected: ${status} ${JSON.stringify(body)}`);
      if (performance.now() > end)
        throw new Error(`${path} had no answer for ${REQUEST_MS_MAX / 1_000} s: ${status} ${JSON.stringify(body)}`);
      this.counts.repeated += 1;
      await delay(50);
    }
  }

  async #try(
    path: string,
    json: unknown,
    method = "GET",
  ): Promise<{ readonly status: number; readonly body: unknown } | undefined> {
    const post = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(json) };
    try {
      const response = await fetch(this.#url + path, {
        ...(json === undefined ? { method } : post),
        signal: AbortSignal.timeout(15_000),
      });
      const text = await response.text();
      return { status: response.status, body: text === "" ? undefined : JSON.parse(text) };
    } catch {
      return undefined;
    }
  }
}
