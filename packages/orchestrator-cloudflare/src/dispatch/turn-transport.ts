/**
 * Turns as HTTP requests, over the network or a service binding.
 *
 * Owns: addresses, signatures (SEC3), time-outs, and the distinction of temporary failures from final ones (DUR8).
 */
import type { TurnRequest, WorkflowsAnswer } from "@holdfast/protocol";
import { AUDIENCE_HEADER, SIGNATURE_HEADER, signRequest } from "@holdfast/protocol/transport";
import { checkAnswer, checkWorkflows } from "./checked-answers.ts";
import { NotAdmitted, PipeError, isFinal } from "./pipe-error.ts";
import type { PostTurn } from "./turn-carrier.ts";

export interface TurnPipe {
  readonly fetch: (request: Request) => Promise<Response>;
  /** The URL where the step handler is mounted. */
  readonly url: string;
  /** The key that signs requests. `undefined`: requests are not signed. */
  readonly key?: string | undefined;
  /** For whom the requests are: the signature covers it. */
  readonly audience?: string | undefined;
  /** How long the other side may send nothing in answer to a request, ms. */
  readonly timeoutMs: number;
  /** The name of the other side in messages. */
  readonly name: string;
}

/** Names the session of a turn, so that a proxy can route all its requests to one instance of the handler. Not signed. */
export const SESSION_HEADER = "Holdfast-Session";

/** The limit of one answer. Every valid report is smaller. */
const ANSWER_BYTES_MAX = 128 * 2 ** 20;

export function postOver(pipe: TurnPipe): PostTurn {
  return async (request: TurnRequest, alive) => {
    const answer = await send(pipe, "turn", JSON.stringify(request), { [SESSION_HEADER]: request.session }, alive);
    return checkAnswer(answer, request.session, pipe.name);
  };
}

export async function listOver(pipe: TurnPipe): Promise<WorkflowsAnswer> {
  return checkWorkflows(await send(pipe, "workflows", undefined, {}, () => {}));
}

/** Sends a request and returns the JSON of the answer. `alive` is called for blanks before the JSON. */
async function send(
  pipe: TurnPipe,
  route: string,
  body: string | undefined,
  more: Readonly<Record<string, string>>,
  alive: () => void,
): Promise<unknown> {
  const { name } = pipe;
  const request = await signed(pipe, route, body, more);
  const timeout = new Timeout(pipe.timeoutMs);
  const exchange = async (): Promise<[Response, string]> => {
    const response = await pipe.fetch(new Request(request, { signal: timeout.signal }));
    const blank = (): void => {
      timeout.restart();
      if (response.ok) alive();
    };
    return [response, await readText(response, blank)];
  };
  const [response, text] = await timeout.bound(exchange()).catch((error: unknown) => {
    throw new PipeError(`${name} could not be reached: ${error instanceof Error ? error.message : String(error)}`);
  });
  if (!response.ok) throw refusalOf(name, response, text);
  try {
    return JSON.parse(text);
  } catch {
    throw new PipeError(`${name} sent an answer that is not JSON, or is incomplete`);
  }
}

export async function signed(
  { url, key, audience }: TurnPipe,
  route: string,
  body: string | undefined,
  more: Readonly<Record<string, string>>,
): Promise<Request> {
  const address = new URL(`${url.replace(/\/+$/, "")}/${route}`);
  const method = body === undefined ? "GET" : "POST";
  const headers: Record<string, string> = { ...more };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (key !== undefined) {
    const about = { method, path: address.pathname + address.search, body: body ?? "", audience };
    if (audience !== undefined) headers[AUDIENCE_HEADER] = audience;
    headers[SIGNATURE_HEADER] = await signRequest(about, key, Date.now(), crypto.randomUUID());
  }
  return new Request(address, { method, headers, redirect: "manual", ...(body === undefined ? {} : { body }) });
}

/**
 * Reads the answer, and calls `blank` for each part before it that contains only blanks.
 * @throws Error if the answer is too long.
 */
async function readText({ body }: Response, blank: () => void): Promise<string> {
  if (body === null) return "";
  const reader = body.getReader();
  const decoder = new TextDecoder();
  const parts: string[] = [];
  let bytes = 0;
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    bytes += part.value.byteLength;
    if (bytes > ANSWER_BYTES_MAX) {
      void reader.cancel().catch(() => {});
      throw new Error(`the answer has more than ${ANSWER_BYTES_MAX} bytes, which is the limit`);
    }
    const text = decoder.decode(part.value, { stream: true });
    // Later blanks may be those of a value.
    if (parts.length === 0 && text.trim() === "") blank();
    else parts.push(text);
  }
  return parts.join("") + decoder.decode();
}

/** Unlike `AbortSignal.timeout` it can be cleared: a timer that runs on keeps the object in memory. */
class Timeout {
  readonly #controller = new AbortController();
  readonly #expired = Promise.withResolvers<never>();
  readonly #ms: number;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(ms: number) {
    this.#ms = ms;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  restart(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      const error = new DOMException(`Nothing was sent within ${this.#ms} ms.`, "TimeoutError");
      this.#controller.abort(error);
      this.#expired.reject(error);
    }, this.#ms);
  }

  /** Rejects when the time has passed, even if the work ignores the signal. */
  async bound<T>(work: Promise<T>): Promise<T> {
    this.restart();
    try {
      return await Promise.race([work, this.#expired.promise]);
    } finally {
      clearTimeout(this.#timer);
    }
  }
}

/** The handler, or a proxy before it, does not accept a body of this size. */
const TOO_LARGE = 413;

const NEEDS_SESSIONS =
  "A step handler without sessions (stateless) gets the whole journal of a run in one request. Serve the workflow with sessions, which read the journal in pages, or accept larger bodies; then retry the run.";

/** The text of a proxy, or of a redirect, that a message quotes. */
const QUOTED_CHARS = 200;

function refusalOf(name: string, { status, headers }: Response, text: string): PipeError {
  const { error, message } = refusalIn(text);
  const location = status < 400 ? headers.get("Location") : null;
  const more = status === TOO_LARGE ? ` ${NEEDS_SESSIONS}` : redirectTo(location);
  const what = `${name} answered ${status}: ${message}${more}`;
  if (error === "too_many_sessions") return new NotAdmitted(what);
  return new PipeError(what, isFinal(status, typeof error === "string") ? "DISPATCH_REFUSED" : undefined);
}

/** A redirected request would not fit its signature, and could reach anybody. */
function redirectTo(location: string | null): string {
  if (location === null) return "";
  return `it redirects to ${location.slice(0, QUOTED_CHARS)}, and redirects are not followed. Set the url of the dispatcher to that of the step handler.`;
}

function refusalIn(text: string): { readonly error?: unknown; readonly message: string } {
  try {
    const { error, message } = JSON.parse(text) as { readonly error?: unknown; readonly message?: unknown };
    if (typeof message === "string") return { error, message: message.slice(0, 1_000) };
  } catch {
    // The text is not an answer of the handler; for example, it is the page of a proxy.
  }
  return { message: text.slice(0, QUOTED_CHARS) };
}
