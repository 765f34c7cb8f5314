/**
 * Requests to the API: tried again when that is safe.
 *
 * Owns: time-outs, repetitions, and making an error of an answer that refuses. Every request that changes something is
 * made so that repeating it changes nothing more: its callers give ids.
 */
import { ApiError, ConnectionError } from "./errors.ts";

export interface ClientOptions {
  /** Where the API answers: `https://flows.example`. */
  readonly url: string;
  /** Sent as `Authorization: Bearer …`. */
  readonly token?: string | (() => string | Promise<string>);
  readonly headers?: Readonly<Record<string, string>>;
  /** How often a request is tried at most. Default 5. */
  readonly attempts?: number;
  /** How long one try may take, ms. Default 75,000: longer than the API holds an answer. */
  readonly timeoutMs?: number;
  /** The pause before the first repetition, ms; it doubles, with jitter. Default 250. */
  readonly retryAfterMs?: number;
  /** Ends everything that the client does. */
  readonly signal?: AbortSignal;
  readonly fetch?: (request: Request) => Promise<Response>;
}

type QueryValue = string | number | undefined;

export interface ApiRequest {
  readonly method: "GET" | "POST" | "DELETE";
  readonly path: string;
  readonly query?: Readonly<Record<string, QueryValue | readonly QueryValue[]>>;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
}

/** Answers behind which the same request may go through a moment later. */
const RETRIED: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504]);
const FINAL_CODES: ReadonlySet<string> = new Set(["auth_not_configured"]);
const PAUSE_MS_MAX = 10_000;

export class Transport {
  readonly #options: ClientOptions;

  constructor(options: ClientOptions) {
    this.#options = options;
  }

  /** The answer's JSON. `attempt` counts the tries that were made. */
  async ask(request: ApiRequest): Promise<{ readonly body: unknown; readonly attempts: number }> {
    const { response, attempts } = await this.#send(request);
    if (response.status === 204) return { body: undefined, attempts };
    return { body: await readJson(response, what(request)), attempts };
  }

  /** An answer that lasts: tried again only until it begins. */
  async open(request: ApiRequest): Promise<Response> {
    return (await this.#send(request, { lasting: true })).response;
  }

  /** The pause before the first repetition, ms. */
  get retryAfterMs(): number {
    return this.#options.retryAfterMs ?? 250;
  }

  /** Waits, unless the call or the client is ended. */
  async pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
    const ended = this.#signals(signal);
    ended.throwIfAborted();
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(done, ms);
      function done(): void {
        clearTimeout(timer);
        ended.removeEventListener("abort", done);
        if (ended.aborted) reject(ended.reason as Error);
        else resolve();
      }
      ended.addEventListener("abort", done);
    });
  }

  async #send(
    request: ApiRequest,
    { lasting = false }: { readonly lasting?: boolean } = {},
  ): Promise<{ readonly response: Response; readonly attempts: number }> {
    const { attempts = 5 } = this.#options;
    for (let attempt = 1; ; attempt++) {
      let trouble: Error;
      let pauseMs = Math.min(this.retryAfterMs * 2 ** (attempt - 1), PAUSE_MS_MAX) * (0.5 + Math.random());
      try {
        const response = await this.#try(request, lasting);
        if (response.ok) return { response, attempts: attempt };
        const refusal = await toError(response, what(request));
        if (!RETRIED.has(response.status) || FINAL_CODES.has(refusal.code)) throw new Final(refusal);
        const seconds = Number(response.headers.get("Retry-After"));
        if (seconds > 0) pauseMs = Math.min(seconds * 1_000, PAUSE_MS_MAX);
        trouble = refusal;
      } catch (error) {
        if (error instanceof Final) {
          // What a try before had done already is done.
          if (attempt > 1 && wasDone(request, error.cause))
            return { response: new Response(null, { status: 204 }), attempts: attempt };
          throw error.cause;
        }
        this.#signals(request.signal).throwIfAborted();
        const message = error instanceof Error ? error.message : String(error);
        trouble = new ConnectionError(`${what(request)} could not be sent: ${message}`, { cause: error });
      }
      if (attempt >= attempts) throw trouble;
      await this.pause(pauseMs, request.signal);
    }
  }

  async #try(
    { method, path, query = {}, body, headers = {}, signal }: ApiRequest,
    lasting: boolean,
  ): Promise<Response> {
    const { url, token, timeoutMs = 75_000, fetch = (request: Request) => globalThis.fetch(request) } = this.#options;
    const target = new URL(url.replace(/\/+$/, "") + path);
    for (const [name, value] of Object.entries(query)) {
      for (const one of [value].flat()) if (one !== undefined) target.searchParams.append(name, String(one));
    }
    const given = new Headers({ Accept: "application/json", ...this.#options.headers, ...headers });
    if (token !== undefined)
      given.set("Authorization", `Bearer ${typeof token === "function" ? await token() : token}`);
    if (body !== undefined) given.set("Content-Type", "application/json");
    const timeout = new AbortController();
    const timer = setTimeout(() => timeout.abort(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
    try {
      const init = { method, headers: given, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
      const ended = this.#signals(signal, timeout.signal);
      const response = await orAborted(fetch(new Request(target, { ...init, signal: ended })), ended);
      if (lasting) return response;
      // Read here, so that a connection that breaks in the middle counts as none.
      const bytes = response.status === 204 ? null : await orAborted(response.arrayBuffer(), ended);
      return new Response(bytes, { status: response.status, headers: response.headers });
    } finally {
      clearTimeout(timer);
    }
  }

  #signals(...signals: readonly (AbortSignal | undefined)[]): AbortSignal {
    return AbortSignal.any([this.#options.signal, ...signals].filter((signal) => signal !== undefined));
  }
}

/** A refusal that another try would meet again. */
class Final extends Error {
  declare readonly cause: ApiError;

  constructor(cause: ApiError) {
    super(cause.message, { cause });
  }
}

/** Not every `fetch` listens to its signal. */
async function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const listener = (): void => reject(signal.reason as Error);
  signal.addEventListener("abort", listener);
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", listener);
  }
}

/** A repetition is refused because the try before it went through, and its answer was lost. */
function wasDone({ method, path }: ApiRequest, { code }: ApiError): boolean {
  if (method === "DELETE") return code === "not_found";
  return (
    (code === "run_terminal" && path.endsWith("/cancel")) || (code === "already_resolved" && path.includes("/tokens/"))
  );
}

function what({ method, path }: ApiRequest): string {
  return `${method} ${path}`;
}

async function toError(response: Response, request: string): Promise<ApiError> {
  const text = await response.text();
  try {
    const { error, message, details } = JSON.parse(text) as { error: string; message: string; details?: unknown };
    if (typeof error === "string" && typeof message === "string")
      return new ApiError(request, response.status, error, message, details);
  } catch {
    // It is told below.
  }
  return new ApiError(request, response.status, "unknown", `this is no answer of Holdfast: ${text.slice(0, 200)}`);
}

async function readJson(response: Response, request: string): Promise<unknown> {
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    const message = `this is no JSON; is the address right, and does no proxy answer in its place? ${text.slice(0, 200)}`;
    throw new ApiError(request, response.status, "unknown", message);
  }
}
