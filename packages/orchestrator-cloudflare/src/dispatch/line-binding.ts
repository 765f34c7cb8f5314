/**
 * A sibling Worker that answers plain requests: one request for each execution, with lines of JSON in both directions.
 *
 * Owns: the orchestrator's side. To `RpcExecution` it looks like a binding with RPC.
 */
import type { RpcBinding, RpcPort, WorkflowsAnswer } from "@holdfast/protocol";
import { type LineToExecution, type LineToOrchestrator, readLines } from "@holdfast/protocol/transport";

export interface FetcherLike {
  fetch(request: Request): Promise<Response>;
}

const URL_INSIDE = "https://step-handler.internal";

export function lineBinding(binding: FetcherLike): RpcBinding {
  return {
    execute: (start, port) => converse(binding, start, port),
    async workflows() {
      const response = await binding.fetch(new Request(`${URL_INSIDE}/workflows`));
      if (!response.ok) throw new Error(`it answered ${response.status}`);
      return (await response.json()) as WorkflowsAnswer;
    },
  };
}

async function converse(
  binding: FetcherLike,
  start: Extract<LineToExecution, { type: "start" }>["start"],
  port: RpcPort,
): Promise<void> {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const writer = writable.getWriter();
  const encoder = new TextEncoder();
  const say = (line: LineToExecution): Promise<void> => writer.write(encoder.encode(`${JSON.stringify(line)}\n`));
  await port.connect({
    update: (update) => say({ type: "update", update }),
    abort: (reason) => say({ type: "abort", reason }),
    release: () => say({ type: "release" }),
  });
  const answering = binding.fetch(
    new Request(`${URL_INSIDE}/execute`, { method: "POST", body: readable, duplex: "half" } as RequestInit),
  );
  // A stream without a reader takes nothing: the first line is not awaited.
  const said = say({ type: "start", start });
  const response = await answering;
  if (!response.ok || response.body === null)
    throw new Error(`it answered ${response.status}: ${await response.text()}`);
  await said;
  try {
    for await (const message of readLines<LineToOrchestrator>(response.body.getReader())) {
      if (message.type === "progress") await port.progress(message.steps);
      else if (message.type === "lost") await port.lost(message.error);
      else if (message.type === "report") {
        await say({ type: "answer", answer: await port.report(message.report) });
      } else throw new Error("it said something that is no message");
    }
  } finally {
    await writer.close().catch(() => {});
  }
}
