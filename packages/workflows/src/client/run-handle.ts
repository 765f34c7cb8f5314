/**
 * One run, as a caller holds it.
 *
 * Owns: the routes under `/api/runs/:id`, and waiting for a result.
 */
import {
  type AuditEntry,
  type Delivery,
  type RunEvent,
  type RunJournalEntry as JournalEntry,
  type RunRecord,
  type RunSummary,
  isTerminal,
} from "@holdfast/protocol";
import { RunFailedError } from "./errors.ts";
import { type StreamOptions, runEvents } from "./run-events.ts";
import type { ApiRequest, Transport } from "./transport.ts";
import type { CallOptions, ResumeOptions } from "./types.ts";

export interface DeliveryOptions extends CallOptions {
  /** Counts once, however often it is delivered. Without it one is made for this call. */
  readonly deliveryId?: string;
}

/** How long the API is asked to hold its answer. */
const WAIT_SECONDS = 50;
const POLL_MS_MIN = 250;
const POLL_MS_MAX = 2_000;

export class RunHandle<Output = unknown> {
  readonly id: string;
  readonly #transport: Transport;
  readonly #path: string;

  constructor(transport: Transport, id: string) {
    this.#transport = transport;
    this.id = id;
    this.#path = `/api/runs/${encodeURIComponent(id)}`;
  }

  /** @throws ApiError `not_found` */
  get({ signal }: CallOptions = {}): Promise<RunRecord<Output>> {
    return this.#ask({ method: "GET", path: this.#path, signal });
  }

  /**
   * The run's output, once it has one.
   * @throws RunFailedError if it ends otherwise.
   */
  async result({ signal }: CallOptions = {}): Promise<Output> {
    for (let pauseMs = POLL_MS_MIN; ; pauseMs = Math.min(pauseMs * 2, POLL_MS_MAX)) {
      const headers = { Prefer: `wait=${WAIT_SECONDS}` };
      const asked = performance.now();
      const run = await this.#ask<RunRecord<Output>>({ method: "GET", path: this.#path, headers, signal });
      if (run.status === "completed") return run.output as Output;
      if (isTerminal(run.status)) throw new RunFailedError(run);
      // Whoever does not hold its answer is not asked again at once.
      if (performance.now() - asked < 1_000) await this.#transport.pause(pauseMs, signal);
    }
  }

  /** What happens to the run, as it happens, until it has ended. */
  stream(options: StreamOptions = {}): AsyncGenerator<RunEvent, void> {
    return runEvents(this.#transport, `${this.#path}/stream`, options);
  }

  /** All entries, oldest first; pages are read when they are wanted. */
  async *journal({ after = 0, signal }: CallOptions & { readonly after?: number } = {}): AsyncGenerator<
    JournalEntry,
    void
  > {
    for (let from: number | null = after; from !== null;) {
      const query = { after: from };
      const page: { entries: JournalEntry[]; nextAfter: number | null } = await this.#ask({
        method: "GET",
        path: `${this.#path}/journal`,
        query,
        signal,
      });
      yield* page.entries;
      from = page.nextAfter;
    }
  }

  /** Who did what to it. */
  async audit({ signal }: CallOptions = {}): Promise<AuditEntry[]> {
    return (await this.#ask<{ entries: AuditEntry[] }>({ method: "GET", path: `${this.#path}/audit`, signal })).entries;
  }

  signal(name: string, payload?: unknown, options: DeliveryOptions = {}): Promise<Delivery> {
    return this.#deliver("signals", { name, payload }, options);
  }

  event(eventType: string, payload?: unknown, options: DeliveryOptions = {}): Promise<Delivery> {
    return this.#deliver("events", { eventType, payload }, options);
  }

  /**
   * Answers a token.
   * @throws ApiError `already_resolved`, `token_not_found`
   */
  async resolveToken(tokenId: string, payload?: unknown, { signal }: CallOptions = {}): Promise<Delivery> {
    const path = `${this.#path}/tokens/${encodeURIComponent(tokenId)}`;
    const answer = await this.#ask<{ delivery: Delivery } | undefined>({
      method: "POST",
      path,
      body: { payload },
      signal,
    });
    return answer?.delivery ?? "duplicate";
  }

  /** @throws ApiError `run_terminal` if it has ended. */
  async cancel(reason?: string, { signal }: CallOptions = {}): Promise<void> {
    await this.#ask({ method: "POST", path: `${this.#path}/cancel`, body: { reason }, signal });
  }

  /** Stops the run until `unpause`. */
  pause(options: CallOptions = {}): Promise<RunSummary> {
    return this.#operate("pause", options);
  }

  unpause(options: CallOptions = {}): Promise<RunSummary> {
    return this.#operate("unpause", options);
  }

  /** Lets a run go on that the engine has paused. */
  retry(options: CallOptions = {}): Promise<RunSummary> {
    return this.#operate("retry", options);
  }

  /** A new run from this one, which has ended. */
  async resume({ signal, ...options }: ResumeOptions = {}): Promise<RunHandle<Output>> {
    // An id of ours: a repetition finds the run that the first request has made.
    const body = { runId: crypto.randomUUID(), ...options };
    const { id } = await this.#ask<RunRecord>({ method: "POST", path: `${this.#path}/resume`, body, signal });
    return new RunHandle<Output>(this.#transport, id);
  }

  /** Deletes the run, which has ended, with everything in it. */
  async delete({ signal }: CallOptions = {}): Promise<void> {
    await this.#ask({ method: "DELETE", path: this.#path, signal });
  }

  async #deliver(kind: "signals" | "events", body: object, { signal, deliveryId }: DeliveryOptions): Promise<Delivery> {
    const id = deliveryId ?? crypto.randomUUID();
    const path = `${this.#path}/${kind}`;
    const asked: ApiRequest = { method: "POST", path, body: { ...body, deliveryId: id }, signal };
    const { body: answer, attempts } = await this.#transport.ask(asked);
    const { delivery } = answer as { readonly delivery: Delivery };
    // A repetition of ours that counts as one tells of the try before it: that was no duplicate.
    return delivery === "duplicate" && attempts > 1 && deliveryId === undefined ? "buffered" : delivery;
  }

  async #operate(operation: string, { signal }: CallOptions): Promise<RunSummary> {
    const path = `${this.#path}/${operation}`;
    return (await this.#ask<{ run: RunSummary }>({ method: "POST", path, body: {}, signal })).run;
  }

  async #ask<T>(request: ApiRequest): Promise<T> {
    return (await this.#transport.ask(request)).body as T;
  }
}
