/** The progress of step bodies, as callers see it, over each pipe (STEP8). */
import { type StepContext, workflow } from "@holdfast/workflows";
import { describe, expect, test, vi } from "vitest";
import { Counter, PIPES } from "./counted-pipes.ts";
import { FakeDeployment } from "./fake-platform.ts";

interface Shown {
  readonly status: string;
  readonly steps: readonly { readonly name: string; readonly status: string; readonly progress?: unknown }[];
}

/** The body that executes. */
interface Executing {
  readonly step: StepContext;
  readonly end: () => void;
}

async function deployed(pipe: string): Promise<{ api: FakeDeployment; counter: Counter; body: Executing }> {
  const body = Promise.withResolvers<Executing>();
  const copies = workflow({
    id: "copies",
    run: (_input, ctx) => ctx.step("copy", (step) => new Promise<void>((end) => body.resolve({ step, end }))),
  });
  const counter = new Counter();
  const api = new FakeDeployment([], {}, PIPES[pipe]?.(counter, [copies]));
  expect((await api.fetch("/api/runs", { json: { runId: "r", workflowId: "copies" } })).status).toBe(201);
  return { api, counter, body: await body.promise };
}

async function read(api: FakeDeployment): Promise<Shown> {
  return (await (await api.fetch("/api/runs/r")).json()) as Shown;
}

/** Collects the events of the run, as text. */
async function follow(
  api: FakeDeployment,
): Promise<{ readonly text: () => string; readonly progress: () => unknown[] }> {
  const reader = ((await api.fetch("/api/runs/r/stream")).body as ReadableStream<Uint8Array>).getReader();
  const decoder = new TextDecoder();
  let text = "";
  void (async () => {
    for (let part = await reader.read(); !part.done; part = await reader.read()) text += decoder.decode(part.value);
  })();
  const progress = (): unknown[] =>
    [...text.matchAll(/event: progress\ndata: (.*)/g)].flatMap(([, data = ""]) =>
      (JSON.parse(data) as { steps: { progress: unknown }[] }).steps.map((step) => step.progress),
    );
  return { text: () => text, progress };
}

describe.each(Object.keys(PIPES))("over the pipe %s", (pipe) => {
  test("STEP8 the record and the stream of events show the progress of a body, and the record keeps the last one", async () => {
    const { api, body } = await deployed(pipe);
    const events = await follow(api);
    for (const percent of [10, 20]) {
      for (let i = 0; i < 10; i++) body.step.progress({ percent: percent - 1 });
      body.step.progress({ percent });
      await vi.waitFor(async () => expect((await read(api)).steps).toMatchObject([{ progress: { percent } }]), {
        timeout: 10_000,
        interval: 20,
      });
      await vi.waitFor(() => expect(events.progress().at(-1)).toEqual({ percent }));
    }
    // At most one event for each second, and no heartbeat instead of an event.
    expect(events.progress().length).toBeLessThanOrEqual(4);
    expect(events.text()).not.toContain("still here");
    body.step.progress({ percent: 100 });
    body.end();
    await vi.waitFor(async () => expect((await read(api)).status).toBe("completed"), { timeout: 10_000 });
    expect((await read(api)).steps).toMatchObject([{ name: "copy", status: "completed", progress: { percent: 100 } }]);
    await vi.waitFor(() => expect(events.text()).toMatch(/event: step\ndata: .*"progress":\{"percent":100\}/));
  });
});

test("STEP8 over HTTP, many calls cost at most one answer a second", async () => {
  const { counter, body, api } = await deployed("http");
  body.step.progress(0);
  await vi.waitFor(async () => expect((await read(api)).steps).toMatchObject([{ progress: 0 }]));
  const before = counter.messages;
  for (let i = 1; i <= 10_000; i++) body.step.progress(i);
  await vi.waitFor(async () => expect((await read(api)).steps).toMatchObject([{ progress: 10_000 }]), {
    timeout: 5_000,
  });
  // One answer, and the next request.
  expect(counter.messages - before).toBeLessThanOrEqual(4);
  body.end();
});
