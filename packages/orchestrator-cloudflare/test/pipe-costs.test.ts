/** What a step costs on each pipe: counts, which do not depend on the machine (REP6). */
import { workflow } from "@holdfast/workflows";
import { createStepHandler, workflowsEntrypoint } from "@holdfast/workflows/handler";
import { expect, test } from "vitest";
import {
  type RpcBindingLike,
  type StepDispatcher,
  createHttpDispatcher,
  createInlineDispatcher,
  createServiceBindingDispatcher,
} from "../src/index.ts";
import { FakeDeployment } from "./fake-platform.ts";

const KEY = "a-key-that-both-sides-know";

const steps = workflow({
  id: "steps",
  run: async (n: number, ctx) => {
    for (let i = 0; i < n; i++) await ctx.step("step", () => "result");
    return "done";
  },
});

interface Costs {
  messages: number;
  bytes: number;
  rows: number;
}

/** Counts what crosses a pipe in both directions. */
class Counter {
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

const PIPES: Record<string, (counter: Counter) => StepDispatcher> = {
  inline: () => createInlineDispatcher({ workflows: [steps] }),
  http(counter) {
    const handler = createStepHandler({ workflows: [steps], signingKeys: [KEY] });
    return createHttpDispatcher({
      url: "https://steps.example",
      signingKey: KEY,
      fetch: async (request) => {
        counter.count(await request.clone().text());
        const response = await handler(request);
        counter.count(await response.clone().text());
        return response;
      },
    });
  },
  fetch(counter) {
    const handler = createStepHandler({ workflows: [steps], signingKeys: "unsigned" });
    const binding = {
      async fetch(request: Request): Promise<Response> {
        const init = { method: request.method, body: counter.stream(request.body), duplex: "half" } as RequestInit;
        const response = await handler(new Request(request.url, init));
        return new Response(counter.stream(response.body), response);
      },
    };
    return createServiceBindingDispatcher({ binding, pipe: "fetch" });
  },
  rpc(counter) {
    const Service = workflowsEntrypoint(Object as unknown as abstract new () => object, { workflows: [steps] });
    const service = new (class extends Service {})();
    const counted = <Given, Result>(act: (given: Given) => Result) => {
      return async (given: Given): Promise<Awaited<Result>> => {
        counter.count(JSON.stringify(given) ?? "");
        const result = await act(given);
        counter.count(JSON.stringify(result) ?? "");
        return result;
      };
    };
    const binding: RpcBindingLike = {
      workflows: () => service.workflows(),
      execute: (start, port) =>
        service.execute(start, {
          connect: async (live) => port.connect(live),
          report: counted((report) => port.report(report)),
          progress: async (list) => port.progress(list),
          lost: async (error) => port.lost(error),
        }),
    };
    return createServiceBindingDispatcher({ binding });
  },
};

async function costsOf(pipe: string, n: number): Promise<Costs> {
  const counter = new Counter();
  const api = new FakeDeployment([], {}, PIPES[pipe]?.(counter));
  await api.fetch("/api/runs", { json: { runId: "r", workflowId: "steps", input: n } });
  await expect
    .poll(async () => ((await (await api.fetch("/api/runs/r")).json()) as { status: string }).status, {
      timeout: 20_000,
    })
    .toBe("completed");
  return { messages: counter.messages, bytes: counter.bytes, rows: api.storageOf("r").writes };
}

test.each(Object.keys(PIPES))(
  "REP6 a step costs the same among 1,000 as among 100: %s",
  { timeout: 60_000 },
  async (pipe) => {
    const [few, many] = [await costsOf(pipe, 100), await costsOf(pipe, 1_000)];
    const perStep = (costs: Costs, n: number): Costs => ({
      messages: costs.messages / n,
      bytes: costs.bytes / n,
      rows: costs.rows / n,
    });
    const [before, after] = [perStep(few, 100), perStep(many, 1_000)];
    console.log(`${pipe}: ${JSON.stringify(after)} a step`);
    expect(after.messages).toBeLessThanOrEqual(before.messages);
    // Numbers grow by a digit.
    expect(after.bytes).toBeLessThanOrEqual(before.bytes * 1.05);
    expect(many.rows).toBeLessThanOrEqual(1_000 + 10);
    expect(after.messages).toBeLessThanOrEqual(2.1);
  },
);
