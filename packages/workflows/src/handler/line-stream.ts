/**
 * One execution over one request: lines of JSON in both directions while the run is busy.
 *
 * Owns: the handler's side. It serves runtimes where an execution must not outlive its request, such as Workers.
 */
import type { JournalEntry, ReportAnswer, RpcNews, RpcPort } from "@holdfast/protocol";
import { describeProblem, toExecution } from "@holdfast/protocol/messages";
import { type LineToExecution, type LineToOrchestrator, Mailbox, readLines } from "@holdfast/protocol/transport";
import { invalidMessage } from "./execute-over.ts";

/** Answers at once. The body stays open until the orchestrator releases the execution. */
export function answerInLines(
  request: Request,
  execute: (start: Extract<LineToExecution, { type: "start" }>["start"], port: RpcPort) => Promise<void>,
): Response {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const writer = writable.getWriter();
  const encoder = new TextEncoder();
  const send = (line: LineToOrchestrator): Promise<void> => writer.write(encoder.encode(`${JSON.stringify(line)}\n`));
  const close = (): void => void writer.close().catch(() => {});
  // After the end the orchestrator may still answer what crossed its release: its lines are read until it closes them.
  exchangeLines(request, send, (start, port) => execute(start, port).finally(close)).then(close, close);
  return new Response(readable, { headers: { "Content-Type": "application/x-ndjson", "Cache-Control": "no-store" } });
}

async function exchangeLines(
  request: Request,
  send: (line: LineToOrchestrator) => Promise<void>,
  execute: Parameters<typeof answerInLines>[1],
): Promise<void> {
  const waiting: ((answer: ReportAnswer) => void)[] = [];
  const waitingForPages: ((page: readonly JournalEntry[]) => void)[] = [];
  const news = new Mailbox<RpcNews>();
  let executed: Promise<void> | undefined;
  const ask = async <Answer>(answers: ((answer: Answer) => void)[], line: LineToOrchestrator): Promise<Answer> => {
    const answer = new Promise<Answer>((resolve) => answers.push(resolve));
    await send(line);
    return answer;
  };
  const port: RpcPort = {
    report: (report) => ask(waiting, { type: "report", report }),
    readPage: (after) => ask(waitingForPages, { type: "page", after }),
    lost: (error) => send({ type: "lost", error }),
    bodies: (changes) => send({ type: "bodies", ...changes }),
    next: () => news.take(),
  };
  const problem = await takeLines(request, (message) => {
    // It fails if nobody reads its lines any longer.
    if (message.type === "start") executed ??= execute(message.start, port).catch(() => {});
    else if (message.type === "answer") waiting.shift()?.(message.answer);
    else if (message.type === "page") waitingForPages.shift()?.(message.entries);
    else news.put(message);
  });
  // Not awaited: the orchestrator may not read it, and the execution must end.
  if (problem !== undefined) port.lost(invalidMessage(problem)).catch(() => {});
  // The orchestrator is gone: all further reports are ignored.
  news.put({ type: "abort", reason: { type: "superseded" } });
  news.put({ type: "release" });
  await executed;
}

/** Takes each message. Returns what is wrong with an invalid one, which is not taken (SEC10). */
async function takeLines(request: Request, take: (message: LineToExecution) => void): Promise<string | undefined> {
  const reader = request.body?.getReader();
  if (reader === undefined) return undefined;
  try {
    for await (const message of readLines<LineToExecution>(reader)) {
      const problem = toExecution.lineToExecution(message, false);
      if (problem !== undefined) return describeProblem("line", problem);
      take(message);
    }
  } catch (error) {
    if (error instanceof SyntaxError) return "a line is not JSON";
    // The connection broke.
  }
  return undefined;
}
