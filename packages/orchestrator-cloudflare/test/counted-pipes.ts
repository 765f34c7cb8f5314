/**
 * The real pipes with a counter of messages and bytes, which do not depend on the machine.
 */
import type { ExecutionReport, ReportAnswer } from "@holdfast/protocol";
import type { Workflow } from "@holdfast/workflows";
import { type StepHandler, createStepHandler, workflowsEntrypoint } from "@holdfast/workflows/handler";
import {
  type RpcBinding,
  type RpcCall,
  type StepDispatcher,
  createHttpDispatcher,
  createInlineDispatcher,
  createServiceBindingDispatcher,
} from "../src/index.ts";
import { Wire } from "./connected-network.ts";

const KEY = "a-key-that-both-sides-know";

/** Counts messages and bytes in both directions of a pipe. */
export class Counter {
  messages = 0;
  bytes = 0;

  count(text: string): void {
    this.messages += 1;
    this.bytes += text.length;
  }

  readonly stream = (stream: ReadableStream<Uint8Array> | null): ReadableStream<Uint8Array> | null =>
    stream?.pipeThrough(
      new TransformStream({
        transform: (chunk, controller) => {
          this.count(new TextDecoder().decode(chunk));
          controller.enqueue(chunk);
        },
      }),
    ) ?? null;
}

/** `connected`: turns are frames of a connection. Each frame is a message, and the upgrade is two. */
function overHttp(counter: Counter, workflows: readonly Workflow[], connected: boolean): StepDispatcher {
  const handler = createStepHandler({ workflows, signingKeys: [KEY], audience: "https://steps.example" });
  return createHttpDispatcher({
    url: "https://steps.example",
    signingKey: KEY,
    connections: connected,
    fetch: async (request) => {
      counter.count(await request.clone().text());
      if (request.headers.get("Upgrade") !== null) return upgraded(counter, handler, request);
      const response = await handler(request);
      counter.count(await response.clone().text());
      return response;
    },
  });
}

async function upgraded(counter: Counter, handler: StepHandler, request: Request): Promise<Response> {
  const reply = await handler.connect(request);
  if (reply instanceof Response) throw new Error(`the upgrade was answered with ${reply.status}`);
  counter.count("");
  const wire = new Wire(
    ({ text }) => {
      counter.count(text);
      return undefined;
    },
    () => {},
  );
  wire.connect(reply);
  // No `Response` of Node has this status.
  return { status: 101, webSocket: wire.webSocket } as unknown as Response;
}

/** Each dispatcher in one process, with a counter. */
export const PIPES: Readonly<Record<string, (counter: Counter, workflows: readonly Workflow[]) => StepDispatcher>> = {
  inline: (_counter, workflows) => createInlineDispatcher({ workflows }),
  http: (counter, workflows) => overHttp(counter, workflows, false),
  socket: (counter, workflows) => overHttp(counter, workflows, true),
  fetch(counter, workflows) {
    const handler = createStepHandler({ workflows, signingKeys: "unsigned" });
    const binding = {
      async fetch(request: Request): Promise<Response> {
        const init = { method: request.method, body: counter.stream(request.body), duplex: "half" } as RequestInit;
        const response = await handler(new Request(request.url, init));
        return new Response(counter.stream(response.body), response);
      },
    };
    return createServiceBindingDispatcher({ binding, pipe: "fetch" });
  },
  rpc(counter, workflows) {
    const Service = workflowsEntrypoint(Object as unknown as abstract new () => object, { workflows });
    const service = new (class extends Service {})();
    const binding: RpcBinding = {
      workflows: () => service.workflows(),
      execute: (start, call) => {
        // A cast: the type of the result follows from the name.
        const counted = async (name: "report", given: ExecutionReport): Promise<ReportAnswer> => {
          counter.count(JSON.stringify(given) ?? "");
          const result = await call(name, given);
          counter.count(JSON.stringify(result) ?? "");
          return result;
        };
        return service.execute(start, counted as RpcCall);
      },
    };
    return createServiceBindingDispatcher({ binding });
  },
};
