/**
 * One execution over one request: messages as lines of JSON in both directions, for as long as the run is busy.
 *
 * Owns: the handler's side. Where an execution may not outlive its request (a Worker), this is how it lives on.
 */
import type { ReportAnswer, RpcLive, RpcPort } from "@holdfast/protocol";
import { type LineToExecution, type LineToOrchestrator, readLines } from "@holdfast/protocol/transport";

/** Answers at once; the body goes on until the orchestrator lets go. */
export function answerInLines(
  request: Request,
  execute: (start: Extract<LineToExecution, { type: "start" }>["start"], port: RpcPort) => Promise<void>,
): Response {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const writer = writable.getWriter();
  const encoder = new TextEncoder();
  const say = (line: LineToOrchestrator): Promise<void> => writer.write(encoder.encode(`${JSON.stringify(line)}\n`));
  const over = (): void => void writer.close().catch(() => {});
  converse(request, say, execute).then(over, over);
  return new Response(readable, { headers: { "Content-Type": "application/x-ndjson", "Cache-Control": "no-store" } });
}

async function converse(
  request: Request,
  say: (line: LineToOrchestrator) => Promise<void>,
  execute: Parameters<typeof answerInLines>[1],
): Promise<void> {
  const waiting: ((answer: ReportAnswer) => void)[] = [];
  let live: RpcLive | undefined;
  let executed: Promise<void> | undefined;
  const port: RpcPort = {
    report: async (report) => {
      const answer = new Promise<ReportAnswer>((resolve) => waiting.push(resolve));
      await say({ type: "report", report });
      return answer;
    },
    lost: (error) => say({ type: "lost", error }),
    progress: (steps) => say({ type: "progress", steps }),
    connect: async (connected) => {
      live = connected;
    },
  };
  const reader = request.body?.getReader();
  if (reader === undefined) return;
  for await (const message of readLines<LineToExecution>(reader)) {
    if (message.type === "start") executed ??= execute(message.start, port);
    else if (message.type === "answer") waiting.shift()?.(message.answer);
    else if (message.type === "update") await live?.update(message.update);
    else if (message.type === "abort") await live?.abort(message.reason);
    else await live?.release();
    if (message.type === "release") break;
  }
  // Whoever held the other end is gone: nothing that the execution does is heard.
  await live?.abort({ type: "superseded" });
  await live?.release();
  await executed;
}
