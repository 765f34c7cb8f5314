/**
 * The client's handle of one run.
 *
 * Owns: the routes under `/api/runs/:id`, and the wait for a result.
 */
import {
  type AuditEntry,
  type Delivery,
  HoldfastError,
  type RunEvent,
  type RunJournalEntry as JournalEntry,
  type RunView,
  type RunViews,
  isTerminal,
} from "@holdfast/protocol";
import { ApiError, RunFailedError } from "./errors.ts";
import { checkFrom, given } from "./options.ts";
import { type StreamOptions, runEvents } from "./run-events.ts";
import { type ApiRequest, type Transport, oneAct } from "./transport.ts";
import type { CallOptions, EndedOptions, GetOptions, ResumeOptions, ShownRun, StartedRun } from "./types.ts";

export interface DeliveryOptions extends CallOptions {
  /** Repeated deliveries with the same id count once. Default: a new id for each call. */
  readonly deliveryId?: string | undefined;
}

export interface JournalOptions extends CallOptions {
  readonly order?: "asc" | "desc" | undefined;
  /** Only with `asc`, the default: entries after the one with this `seq`. */
  readonly after?: number | undefined;
  /** Only with `desc`: entries before the one with this `seq`. */
  readonly before?: number | undefined;
}

interface JournalPage {
  readonly entries: readonly JournalEntry[];
  readonly nextAfter: number | null;
  readonly nextBefore?: number | null;
}

export interface StreamTicket {
  readonly ticket: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
  /** For `new WebSocket(url)` or `new EventSource(url)`. */
  readonly url: string;
}

/** The time for which the API may hold its answer. */
const WAIT_SECONDS = 50;
const POLL_MS_MIN = 250;
const POLL_MS_MAX = 2_000;
/** The fields that every view of a run has. */
const RUN = ["id", "status"];

export class RunHandle<Output = unknown> {
  readonly id: string;
  /** What the answer to `trigger` or `resume` showed: the run may have changed since. */
  readonly record: StartedRun<Output> | undefined;
  readonly #transport: Transport;
  readonly #path: string;

  constructor(transport: Transport, id: string, record?: StartedRun<Output>) {
    // A URL cannot hold these ids: the request would reach another route.
    if (id === "" || id === "." || id === "..")
      throw new HoldfastError("INVALID_ARGUMENT", `${JSON.stringify(id)} is not the id of a run.`);
    this.#transport = transport;
    this.id = id;
    this.record = record;
    this.#path = `/api/runs/${encodeURIComponent(id)}`;
  }

  /**
   * Returns the run: its record, or with `view` less of it (API7). With `why: "deep"` it also says why the children for which the run waits are in their states (WHY4),
   * with `actions: true` what the API would answer to each action on the run (ACT1).
   * @throws ApiError `not_found`; `invalid_query` for `why` or `actions` with `view: "result"`
   */
  get<V extends RunView = "record">(options: GetOptions<V> = {}): Promise<RunViews<Output>[V]> {
    const { signal, view, why, actions } = given<GetOptions>(options, "get");
    const query = { view, why, actions: actions === true ? "true" : undefined };
    return this.#send({ method: "GET", path: this.#path, query, signal, answer: RUN });
  }

  /**
   * Waits for the run's output.
   * @throws RunFailedError if the run ends without one.
   */
  async result(options: CallOptions = {}): Promise<Output> {
    const run = await this.ended({ ...given(options, "call", "result"), view: "result" });
    if (run.status === "completed") return run.output as Output;
    throw new RunFailedError(run);
  }

  /** Waits until the run has ended, in whatever way, and returns its record, or with `view` less of it (API7). */
  async ended<V extends RunView = "record">(options: EndedOptions<V> = {}): Promise<RunViews<Output>[V]> {
    const { signal, view } = given<EndedOptions>(options, "ended");
    let wait = WAIT_SECONDS;
    for (let pauseMs = POLL_MS_MIN; ; pauseMs = Math.min(pauseMs * 2, POLL_MS_MAX)) {
      const sentAt = performance.now();
      const request = { method: "GET", path: this.#path, query: { view }, wait, signal, answer: RUN } as const;
      const answer = await this.#transport.send(request).catch(unlessNotStarted);
      const run = answer?.body as RunViews<Output>[V] | undefined;
      if (run !== undefined && isTerminal(run.status)) return run;
      wait = answer?.wait ?? wait;
      // Pause before the next request if the API does not hold its answers.
      if (performance.now() - sentAt < 1_000) await this.#transport.pause(pauseMs, signal);
    }
  }

  /** Yields the run's events as they happen, until it has ended. */
  stream(options: StreamOptions = {}): AsyncGenerator<RunEvent, void> {
    given(options, "stream");
    checkFrom(options.from, "stream");
    return runEvents(this.#transport, `${this.#path}/stream`, options);
  }

  /**
   * Makes a URL with which a browser, which cannot send credentials with a WebSocket or an EventSource, may follow the run
   * once, within 60 s. The holder of the URL sees what this client may see of the run.
   * @throws ApiError `forbidden`, `tickets_not_configured`
   */
  async ticket(options: StreamOptions = {}): Promise<StreamTicket> {
    const { signal, ...query } = given(options, "ticket");
    checkFrom(query.from, "ticket");
    const path = `${this.#path}/stream`;
    const made = await this.#send<Omit<StreamTicket, "url">>({
      method: "POST",
      path: "/api/tickets",
      body: { path },
      signal,
      answer: ["ticket", "expiresAt"],
    });
    return { ...made, url: this.#transport.urlOf(path, { ...query, ticket: made.ticket }).href };
  }

  /**
   * Iterates over all entries, oldest first; with `order: "desc"` newest first. Reads each page when the caller needs it.
   * @throws ApiError `not_found`; `invalid_query` for `after` with `order: "desc"`, or `before` without it
   */
  async *journal(options: JournalOptions = {}): AsyncGenerator<JournalEntry, void> {
    const { signal, ...first } = given(options, "journal");
    const isDesc = first.order === "desc";
    for (let query: Omit<JournalOptions, "signal"> | undefined = first; query !== undefined;) {
      const page: JournalPage = await this.#send({
        method: "GET",
        path: `${this.#path}/journal`,
        query,
        signal,
        answer: ["entries", isDesc ? "nextBefore" : "nextAfter"],
      });
      yield* page.entries;
      const next: number | null | undefined = isDesc ? page.nextBefore : page.nextAfter;
      query = typeof next === "number" ? { ...first, [isDesc ? "before" : "after"]: next } : undefined;
    }
  }

  /** Returns the actions of callers on this run. */
  async audit(options: CallOptions = {}): Promise<AuditEntry[]> {
    const { signal } = given(options, "call", "audit");
    const path = `${this.#path}/audit`;
    return (await this.#send<{ entries: AuditEntry[] }>({ method: "GET", path, signal, answer: ["entries"] })).entries;
  }

  signal(name: string, payload?: unknown, options: DeliveryOptions = {}): Promise<Delivery> {
    return this.#deliver("signals", { name, payload }, options);
  }

  event(eventType: string, payload?: unknown, options: DeliveryOptions = {}): Promise<Delivery> {
    return this.#deliver("events", { eventType, payload }, options);
  }

  /**
   * Answers a token.
   * @throws ApiError `already_resolved`, whose `details.by` says who answered; `invalid_answer`, whose `details.issues` list
   * what does not fit its ask, which stays open; `token_not_found`
   */
  async resolveToken(tokenId: string, payload?: unknown, options: CallOptions = {}): Promise<Delivery> {
    const { signal } = given(options, "call", "resolveToken");
    const path = `${this.#path}/tokens/${encodeURIComponent(tokenId)}`;
    return (await this.#act<{ delivery: Delivery }>({ path, body: { payload }, signal, answer: ["delivery"] }))
      .delivery;
  }

  /**
   * Requests the end of the run.
   * @throws ApiError `run_terminal` if the run has ended.
   */
  cancel(reason?: string, options: CallOptions = {}): Promise<ShownRun> {
    return this.#operate("cancel", options, { reason });
  }

  /**
   * Ends the run at once, without its code: for a run that a cancel cannot end. Nothing is compensated. The record lists
   * the steps that are not undone and the bodies that were in flight.
   * @throws ApiError `run_terminal` if the run has ended.
   */
  terminate(reason: string, options: CallOptions = {}): Promise<ShownRun> {
    return this.#operate("terminate", options, { reason });
  }

  /** Stops the run until `unpause`. */
  pause(options: CallOptions & { readonly reason?: string | undefined } = {}): Promise<ShownRun> {
    const { reason, ...call } = given(options, "pause");
    return this.#operate("pause", call, { reason });
  }

  unpause(options: CallOptions = {}): Promise<ShownRun> {
    return this.#operate("unpause", options);
  }

  /** Continues a run that the engine paused. */
  retry(options: CallOptions = {}): Promise<ShownRun> {
    return this.#operate("retry", options);
  }

  /** Starts a new run from this one, which must have ended. */
  async resume(resumeOptions: ResumeOptions = {}): Promise<RunHandle<Output>> {
    const { signal, ...options } = given(resumeOptions, "resume");
    // The client chooses the id, so that a repeated request finds the run of the first one.
    const body = { runId: crypto.randomUUID(), ...options };
    const path = `${this.#path}/resume`;
    const run = await this.#send<StartedRun<Output>>({ method: "POST", path, body, signal, answer: RUN });
    return new RunHandle<Output>(this.#transport, run.id, run);
  }

  /** Deletes the run and all its data. The run must have ended. */
  async delete(options: CallOptions = {}): Promise<void> {
    const { signal } = given(options, "call", "delete");
    await this.#send({ method: "DELETE", path: this.#path, signal, isGoneAfter: true, answer: [] });
  }

  async #deliver(kind: "signals" | "events", body: object, options: DeliveryOptions): Promise<Delivery> {
    const { signal, deliveryId } = given(options, "deliver", kind);
    const id = deliveryId ?? crypto.randomUUID();
    const path = `${this.#path}/${kind}`;
    const answered = ["delivery"];
    const request: ApiRequest = { method: "POST", path, body: { ...body, deliveryId: id }, signal, answer: answered };
    const { body: answer, attempts } = await this.#transport.send(request);
    const { delivery } = answer as { readonly delivery: Delivery };
    // The client's own repetition is the duplicate here: the attempt before it was accepted.
    return delivery === "duplicate" && attempts > 1 && deliveryId === undefined ? "buffered" : delivery;
  }

  async #operate(operation: string, options: CallOptions, body: object = {}): Promise<ShownRun> {
    const { signal } = given(options, "call", operation);
    const path = `${this.#path}/${operation}`;
    return (await this.#act<{ run: ShownRun }>({ path, body, signal, answer: ["run"] })).run;
  }

  /** The key makes a repeated request no second act (API10). */
  #act<T>(request: Omit<ApiRequest, "method" | "headers">): Promise<T> {
    return this.#send({ ...request, method: "POST", headers: oneAct() });
  }

  async #send<T>(request: ApiRequest): Promise<T> {
    return (await this.#transport.send(request)).body as T;
  }
}

/** The start of the run was refused for good. */
function isRefused({ details }: ApiError): boolean {
  return (Object(details) as { readonly state?: unknown }).state === "refused";
}

/** A run whose triggers a window collects starts later (WIN6). */
function unlessNotStarted(error: unknown): undefined {
  if (error instanceof ApiError && error.code === "not_started" && !isRefused(error)) return undefined;
  throw error;
}
