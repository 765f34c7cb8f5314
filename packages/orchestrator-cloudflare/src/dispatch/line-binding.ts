/**
 * A sibling Worker that answers plain requests: one request per execution, with lines of JSON in both directions.
 *
 * Owns: the orchestrator's side of the connection. It implements `RpcBinding`, so `RpcExecution` uses it like an RPC binding.
 */
import { type RpcBinding, type RpcPort, errorValue, portOf } from "@holdfast/protocol";
import { describeProblem, toOrchestrator } from "@holdfast/protocol/messages";
import { type LineToExecution, type LineToOrchestrator, readLines } from "@holdfast/protocol/transport";
import { checkWorkflows, invalidMessage } from "./checked-answers.ts";
import { PipeError, isFinal } from "./pipe-error.ts";

export interface FetcherLike {
  fetch(request: Request): Promise<Response>;
}

const LINES = "application/x-ndjson";

function noLines(type: string): string {
  return `The sibling Worker answered with ${JSON.stringify(type.slice(0, 100))} instead of lines: it is no step handler. Let it answer with createStepHandler({ workflows, signingKeys: "unsigned" }), or bind another Worker; then retry the run.`;
}

const URL_INSIDE = "https://step-handler.internal";

export function lineBinding(binding: FetcherLike): RpcBinding {
  return {
    execute: (start, call) => exchangeLines(binding, start, portOf(call)),
    async workflows() {
      const response = await binding.fetch(new Request(`${URL_INSIDE}/workflows`));
      if (!response.ok) throw await failureOf(response);
      return checkWorkflows(await response.json());
    },
  };
}

async function exchangeLines(
  binding: FetcherLike,
  start: Extract<LineToExecution, { type: "start" }>["start"],
  port: RpcPort,
): Promise<void> {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const writer = writable.getWriter();
  const encoder = new TextEncoder();
  const send = (line: LineToExecution): Promise<void> => writer.write(encoder.encode(`${JSON.stringify(line)}\n`));
  const responding = binding.fetch(
    new Request(`${URL_INSIDE}/execute`, { method: "POST", body: readable, duplex: "half" } as RequestInit),
  );
  // Not awaited: the write is complete when the other side reads it, and what is no step handler never does.
  send({ type: "start", start }).catch(() => {});
  const response = await responding;
  const body = await bodyOf(response);
  let handled: Promise<void> | undefined;
  // The line that releases the execution ends the exchange, so it comes after the answer to the last report. Where a line
  // cannot be written, none can be read either.
  sendNews(port, async (line) => {
    await handled;
    await send(line);
  }).catch(() => {});
  try {
    for await (const message of readLines<LineToOrchestrator>(body.getReader())) {
      const problem = toOrchestrator.lineToOrchestrator(message, true);
      if (problem !== undefined) throw invalidMessage(describeProblem("line", problem));
      handled = handle(message, port, send);
      await handled;
    }
  } catch (error) {
    const failure = error instanceof SyntaxError ? invalidMessage("a line is not JSON") : error;
    if (!(failure instanceof PipeError)) throw failure;
    await port.lost(errorValue(failure.code, failure.message));
  } finally {
    void writer.close().catch(() => {});
  }
}

async function sendNews(port: RpcPort, send: (line: LineToExecution) => Promise<void>): Promise<void> {
  for (;;) {
    const news = await port.next();
    await send(news);
    if (news.type === "release") return;
  }
}

async function failureOf(response: Response): Promise<PipeError> {
  const { status } = response;
  const what = `The sibling Worker answered ${status}: ${await response.text()}`;
  return new PipeError(what, isFinal(status, true) ? "DISPATCH_REFUSED" : undefined);
}

/** Returns the lines of the answer. @throws PipeError if it has none. */
async function bodyOf(response: Response): Promise<ReadableStream<Uint8Array>> {
  if (!response.ok || response.body === null) throw await failureOf(response);
  const type = response.headers.get("Content-Type") ?? LINES;
  if (!type.startsWith(LINES)) throw new PipeError(noLines(type), "DISPATCH_REFUSED");
  return response.body;
}

async function handle(
  message: LineToOrchestrator,
  port: RpcPort,
  send: (line: LineToExecution) => Promise<void>,
): Promise<void> {
  if (message.type === "bodies") await port.bodies(message);
  else if (message.type === "lost") await port.lost(message.error);
  else if (message.type === "page") await send({ type: "page", entries: await port.readPage(message.after) });
  else await send({ type: "answer", answer: await port.report(message.report) });
}
