/**
 * Turns as HTTP requests, over the network or a service binding.
 *
 * Owns: addresses, signatures (SEC3), time-outs, and the distinction of temporary failures from final ones (DUR8).
 */
import type { TurnAnswer, TurnRequest, WorkflowsAnswer } from "@holdfast/protocol";
import { SIGNATURE_HEADER, signRequest } from "@holdfast/protocol/transport";
import { PipeError, type PostTurn } from "./turn-execution.ts";

export interface TurnPipe {
  readonly fetch: (request: Request) => Promise<Response>;
  /** The URL where the step handler is mounted. */
  readonly url: string;
  /** The key that signs requests. `undefined`: requests are not signed. */
  readonly key?: string | undefined;
  /** Time-out of one request, ms. */
  readonly timeoutMs: number;
  /** The name of the other side in messages. */
  readonly name: string;
}

/** The limit of one answer, in characters. Every valid report is smaller. */
const ANSWER_CHARS_MAX = 64 * 2 ** 20;

const TYPES: ReadonlySet<unknown> = new Set(["report", "busy", "idle", "lost", "unknown_session"]);

export function postOver(pipe: TurnPipe): PostTurn {
  return async (request: TurnRequest) => {
    const answer = await send(pipe, "turn", JSON.stringify(request));
    const { type, session } = answer as { readonly type?: unknown; readonly session?: unknown };
    if (!TYPES.has(type)) throw new PipeError(`${pipe.name} sent an invalid answer to a turn`, false);
    if (session !== request.session) throw new PipeError(`${pipe.name} answered for another session`, false);
    if (type === "report" && !isReport(answer)) throw new PipeError(`${pipe.name} sent an invalid report`, false);
    return answer as TurnAnswer;
  };
}

export async function listOver(pipe: TurnPipe): Promise<WorkflowsAnswer> {
  return (await send(pipe, "workflows", undefined)) as WorkflowsAnswer;
}

async function send(pipe: TurnPipe, route: string, body: string | undefined): Promise<unknown> {
  const { url, key, timeoutMs, name } = pipe;
  const address = new URL(`${url.replace(/\/+$/, "")}/${route}`);
  const method = body === undefined ? "GET" : "POST";
  const headers: Record<string, string> = body === undefined ? {} : { "Content-Type": "application/json" };
  if (key !== undefined) {
    const signed = { method, path: address.pathname + address.search, body: body ?? "" };
    headers[SIGNATURE_HEADER] = await signRequest(signed, key, Date.now(), crypto.randomUUID());
  }
  let response: Response;
  let text: string;
  const { signal, cancel } = timeoutSignal(timeoutMs);
  try {
    response = await pipe.fetch(
      new Request(address, { method, headers, signal, redirect: "manual", ...(body === undefined ? {} : { body }) }),
    );
    text = await response.text();
  } catch (error) {
    throw new PipeError(
      `${name} could not be reached: ${error instanceof Error ? error.message : String(error)}`,
      false,
    );
  } finally {
    cancel();
  }
  if (!response.ok) throw refusalOf(name, response.status, text);
  if (text.length > ANSWER_CHARS_MAX)
    throw new PipeError(`${name} answered with ${text.length} characters; the limit is ${ANSWER_CHARS_MAX}`, false);
  try {
    return JSON.parse(text);
  } catch {
    throw new PipeError(`${name} sent an answer that is not JSON, or is incomplete`, false);
  }
}

/** Unlike `AbortSignal.timeout`, its timer can be cleared: a timer that runs on keeps the object in memory. */
function timeoutSignal(ms: number): { readonly signal: AbortSignal; readonly cancel: () => void } {
  const controller = new AbortController();
  const timer = setTimeout(() => {
    controller.abort(new DOMException(`There was no answer within ${ms} ms.`, "TimeoutError"));
  }, ms);
  return { signal: controller.signal, cancel: () => clearTimeout(timer) };
}

/** A 4xx is final, except 408 and 429. All other failures may be temporary. */
function refusalOf(name: string, status: number, text: string): PipeError {
  const refused = status >= 400 && status < 500 && status !== 408 && status !== 429;
  return new PipeError(`${name} answered ${status}: ${messageIn(text)}`, refused);
}

function messageIn(text: string): string {
  try {
    const { message } = JSON.parse(text) as { readonly message?: unknown };
    if (typeof message === "string") return message.slice(0, 1_000);
  } catch {
    // The text is not an answer of the handler; for example, it is the page of a proxy.
  }
  return text.slice(0, 200);
}

function isReport(answer: unknown): boolean {
  const { number, report } = answer as { readonly number?: unknown; readonly report?: unknown };
  const { epoch, asked, events } = (report ?? {}) as Record<string, unknown>;
  return (
    typeof number === "number" &&
    Number.isSafeInteger(epoch) &&
    Number.isSafeInteger(asked) &&
    Array.isArray(events) &&
    events.every((event) => typeof (event as { type?: unknown } | null)?.type === "string")
  );
}
