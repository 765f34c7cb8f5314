/**
 * Sends requests to the API, and repeats them after temporary failures.
 *
 * Owns: time-outs, repetitions, and the translation of refusals into errors. Every request can be repeated without a
 * second effect, because its caller gives an id.
 */
import { SIGNATURE_HEADER, signRequest } from "@holdfast/protocol/transport";
import { ApiError, unreachable } from "./errors.ts";

export interface ClientOptions {
  /** The origin of the API: `https://flows.example`. */
  readonly url: string;
  /** Sent as `Authorization: Bearer …`. */
  readonly token?: (string | (() => string | Promise<string>)) | undefined;
  /**
   * Signs each request with this key instead of sending a token (`hmacAuth` of the deployment). The secret is not sent. The
   * signature covers method, path with query, time, body, `Content-Type`, `Idempotency-Key` and `Prefer`.
   */
  readonly hmacKey?: { readonly id: string; readonly secret: string } | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** The maximum number of attempts of a request. Default 5. */
  readonly attempts?: number | undefined;
  /** The time limit of one attempt, ms. Default 75,000: longer than the API holds an answer. */
  readonly timeoutMs?: number | undefined;
  /** The pause before the first repetition, ms. It doubles each time, with jitter. Default 250. */
  readonly retryAfterMs?: number | undefined;
  /** Aborts all requests of the client. */
  readonly signal?: AbortSignal | undefined;
  readonly fetch?: ((request: Request) => Promise<Response>) | undefined;
}

type QueryValue = string | number | undefined;

export interface ApiRequest {
  readonly method: "GET" | "POST" | "PATCH" | "DELETE";
  readonly path: string;
  readonly query?: Readonly<Record<string, QueryValue | readonly QueryValue[]>>;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** For how long the API may hold its answer, seconds. Shorter if something on the way ends such requests (API3). */
  readonly wait?: number;
  readonly signal?: AbortSignal | undefined;
  /** Nothing is at the path after the request: a repetition that finds nothing follows one whose answer was lost. */
  readonly isGoneAfter?: true;
  /** A status that is an answer for the caller if Holdfast sends it, not a failure. */
  readonly expected?: number;
  /** The fields that an answer of Holdfast has, and that of another server lacks. Empty: the answer has no body. */
  readonly answer: readonly string[];
}

/** Statuses below 500 after which the same request may succeed later. */
const RETRIED: ReadonlySet<number> = new Set([408, 425, 429]);
const FINAL_CODES: ReadonlySet<string> = new Set(["auth_not_configured"]);
const PAUSE_MS_MAX = 10_000;
/** A wait of this time, seconds, is not made shorter. */
const WAIT_MIN = 5;
/** An attempt that lasted longer before it failed, ms, was held. */
const HELD_MS = 1_000;

interface Attempted {
  /** `undefined`: an earlier attempt was accepted, and its answer was lost. */
  readonly response: Response | undefined;
  readonly attempts: number;
  /** That of the last attempt. */
  readonly wait: number;
}

export class Transport {
  readonly #options: ClientOptions;

  constructor(options: ClientOptions) {
    this.#options = options;
  }

  /** Returns the answer's JSON, the number of attempts, and the wait with which it came. */
  async send(request: ApiRequest): Promise<Omit<Attempted, "response"> & { readonly body: unknown }> {
    const { response, ...attempted } = await this.#repeat(request);
    return { body: response === undefined ? undefined : await readAnswer(response, request), ...attempted };
  }

  /** Opens a streamed answer. Repeats the request only until the answer starts. */
  async open(request: Omit<ApiRequest, "answer">): Promise<Response> {
    const { response } = await this.#repeat({ ...request, answer: [] }, { streamed: true });
    // Only an act can have been done by an earlier attempt.
    return response ?? Response.error();
  }

  urlOf(path: string, query: NonNullable<ApiRequest["query"]>): URL {
    const target = new URL(this.#options.url.replace(/\/+$/, "") + path);
    for (const [name, value] of Object.entries(query)) {
      for (const one of [value].flat()) if (one !== undefined) target.searchParams.append(name, String(one));
    }
    return target;
  }

  /** The pause before the first repetition, ms. */
  get retryAfterMs(): number {
    return this.#options.retryAfterMs ?? 250;
  }

  /** Waits. Throws if the call or the client is aborted. */
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

  async #repeat(request: ApiRequest, { streamed = false }: { readonly streamed?: boolean } = {}): Promise<Attempted> {
    const { attempts = 5 } = this.#options;
    let { wait = 0 } = request;
    // A value that JSON cannot hold ends the call: no repetition changes that.
    const text: string | undefined = JSON.stringify(request.body);
    for (let attempt = 1; ; attempt++) {
      let failure: Error;
      const sentAt = performance.now();
      let pauseMs = Math.min(this.retryAfterMs * 2 ** (attempt - 1), PAUSE_MS_MAX) * (0.5 + Math.random());
      try {
        const response = await this.#try({ ...request, wait }, text, streamed);
        if (response.ok || isExpected(response, request)) return { response, attempts: attempt, wait };
        const refusal = await toError(response, nameOf(request));
        if (!isRetried(response.status) || FINAL_CODES.has(refusal.code)) throw new Final(refusal);
        const seconds = Number(response.headers.get("Retry-After"));
        if (seconds > 0) pauseMs = Math.min(seconds * 1_000, PAUSE_MS_MAX);
        failure = refusal;
      } catch (error) {
        if (error instanceof Final) {
          if (attempt > 1 && request.isGoneAfter && error.cause.code === "not_found")
            return { response: undefined, attempts: attempt, wait };
          throw error.cause;
        }
        this.#signals(request.signal).throwIfAborted();
        failure = unreachable(nameOf(request), this.#options.url, error);
      }
      // A proxy, or `timeoutMs`, has ended the request before the API answered: such an attempt does not count.
      if (wait > WAIT_MIN && performance.now() - sentAt > HELD_MS) {
        wait = Math.max(WAIT_MIN, Math.floor(wait / 2));
        attempt = 0;
      } else if (attempt >= attempts) throw failure;
      await this.pause(pauseMs, request.signal);
    }
  }

  /** Each attempt has a signature of its own: the API accepts one only once. */
  async #sign(headers: Headers, method: string, { pathname, search }: URL, body: string): Promise<void> {
    const { hmacKey } = this.#options;
    if (hmacKey === undefined) return;
    const request = { method, path: pathname + search, body, headers };
    headers.set("Holdfast-Key", hmacKey.id);
    headers.set(SIGNATURE_HEADER, await signRequest(request, hmacKey.secret, Date.now(), crypto.randomUUID()));
  }

  async #try(
    { method, path, query = {}, headers = {}, wait = 0, signal }: ApiRequest,
    text: string | undefined,
    streamed: boolean,
  ): Promise<Response> {
    const { token, timeoutMs = 75_000, fetch = (request: Request) => globalThis.fetch(request) } = this.#options;
    const target = this.urlOf(path, query);
    const given = new Headers({ Accept: "application/json", ...this.#options.headers, ...headers });
    if (token !== undefined)
      given.set("Authorization", `Bearer ${typeof token === "function" ? await token() : token}`);
    if (wait > 0) given.set("Prefer", `wait=${wait}`);
    if (text !== undefined) given.set("Content-Type", "application/json");
    await this.#sign(given, method, target, text ?? "");
    const timeout = new AbortController();
    const timer = setTimeout(() => timeout.abort(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
    try {
      const ended = this.#signals(signal, timeout.signal);
      // `fetch` would follow a redirect with another method, or without the credentials.
      const init = { method, headers: given, redirect: "manual", body: text ?? null, signal: ended } as const;
      const response = await orAborted(() => fetch(new Request(target, init)), ended);
      if (isRedirect(response)) throw new Final(redirected(response, `${method} ${path}`, target));
      if (streamed) return response;
      // Read the body here: a connection that breaks during the body counts as a failed request.
      const bytes = response.status === 204 ? null : await orAborted(() => response.arrayBuffer(), ended);
      return new Response(bytes, { status: response.status, headers: response.headers });
    } finally {
      clearTimeout(timer);
    }
  }

  #signals(...signals: readonly (AbortSignal | undefined)[]): AbortSignal {
    return AbortSignal.any([this.#options.signal, ...signals].filter((signal) => signal !== undefined));
  }
}

/** A refusal that a repetition cannot change. */
class Final extends Error {
  declare readonly cause: ApiError;

  constructor(cause: ApiError) {
    super(cause.message, { cause });
  }
}

/**
 * Rejects when the signal aborts: some `fetch` functions ignore their signal. Nothing starts after that: a rejection that
 * nothing handles ends a process of Node.
 */
async function orAborted<T>(start: () => Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const listener = (): void => reject(signal.reason as Error);
  signal.addEventListener("abort", listener);
  try {
    return await Promise.race([start(), aborted]);
  } finally {
    signal.removeEventListener("abort", listener);
  }
}

/** A header with which the API knows a repetition of this request, and answers it like the first one (API10). */
export function oneAct(method = "POST"): Readonly<Record<string, string>> {
  return method === "GET" ? {} : { "Idempotency-Key": crypto.randomUUID() };
}

function nameOf({ method, path }: ApiRequest): string {
  return `${method} ${path}`;
}

function isExpected({ status, headers }: Response, { expected }: ApiRequest): boolean {
  return status === expected && headers.has("Holdfast-Version");
}

/** The body of a refusal. */
interface Refused {
  readonly error: string;
  readonly message: string;
  readonly details?: unknown;
  readonly docUrl?: string;
}

async function toError(response: Response, request: string): Promise<ApiError> {
  const text = await response.text();
  try {
    const { error, message, details, docUrl } = JSON.parse(text) as Refused;
    if (typeof error === "string" && typeof message === "string")
      return new ApiError(request, response.status, error, message, details, docUrl);
  } catch {
    // Falls through to the error below.
  }
  return new ApiError(request, response.status, "unknown", `the answer is not from Holdfast: ${text.slice(0, 200)}`);
}

function isRetried(status: number): boolean {
  return RETRIED.has(status) || (status >= 500 && status !== 501);
}

/** In a browser a redirect has the status 0, and no target. */
function isRedirect({ status }: Response): boolean {
  return status === 0 || (status >= 300 && status < 400);
}

function redirected({ status, headers }: Response, request: string, from: URL): ApiError {
  const to = URL.parse(headers.get("Location") ?? "", from);
  const where = to === null ? "another URL" : to.origin + to.pathname;
  const message = `the answer is a redirect to ${where}. Check the url, which must be that of the API itself.`;
  return new ApiError(request, status, "unknown", message);
}

/** Reads an answer, and checks that it is one of Holdfast: an act that nothing has done must not look done. */
async function readAnswer(response: Response, request: ApiRequest): Promise<unknown> {
  const { answer } = request;
  const text = await response.text();
  try {
    if (answer.length === 0 && response.status === 204) return undefined;
    const body: unknown = JSON.parse(text);
    if (answer.length > 0 && isObject(body) && answer.every((field) => Object.hasOwn(body, field))) return body;
  } catch {
    // Falls through to the error below.
  }
  const message = `the answer is not from Holdfast. Check the url, and whether a proxy answers instead: ${text.slice(0, 200)}`;
  throw new ApiError(nameOf(request), response.status, "unknown", message);
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}
