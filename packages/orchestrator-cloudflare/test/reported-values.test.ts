/** tests: a large value crosses a pipe once (E5) */
import { workflow } from "@holdfast/workflows";
import { createStepHandler } from "@holdfast/workflows/handler";
import { expect, test } from "vitest";
import { createHttpDispatcher } from "../src/index.ts";
import { ConnectedNetwork } from "./connected-network.ts";
import { Counter, PIPES } from "./counted-pipes.ts";
import { FakeDeployment } from "./fake-platform.ts";

const CHARS = 20_000;
const KEY = "a-key-that-both-sides-know";
const bodies: string[] = [];

/** Each turn needs the result of the one before, as an agent's does. Some results end in one report, and one is a reason. */
const agent = workflow({
  id: "agent",
  run: async (turns: number, ctx) => {
    let context = "";
    for (let turn = 0; turn < turns; turn++) {
      context = await ctx.step("turn", () => {
        bodies.push(`turn ${turn}`);
        return `${turn}${"x".repeat(CHARS)}`;
      });
    }
    const both = await ctx.parallel(["a", "b"], (name) => ctx.step(name, () => name.repeat(CHARS)));
    const abort = new AbortController();
    const wait = ctx.waitForSignal("never", { signal: abort.signal }).catch((reason: unknown) => reason);
    abort.abort("why".repeat(CHARS));
    return [context[0], context.length, both.map((text) => [text[0], text.length]), String(await wait).length];
  },
});
const OUTPUT = [
  "2",
  CHARS + 1,
  [
    ["a", CHARS],
    ["b", CHARS],
  ],
  3 * CHARS,
];

async function outputOf(api: FakeDeployment): Promise<unknown> {
  bodies.length = 0;
  await api.fetch("/api/runs", { json: { runId: "r", workflowId: "agent", input: 3 } });
  const read = async (): Promise<{ status: string; output?: unknown }> =>
    (await (await api.fetch("/api/runs/r?view=result")).json()) as { status: string };
  await expect.poll(async () => (await read()).status, { timeout: 30_000, interval: 5 }).toBe("completed");
  return (await read()).output;
}

/** The characters of all values, as they are stored. */
function storedChars(api: FakeDeployment): number {
  const rows = [...api.storageOf("r").rows].filter(([key]) => key.startsWith("journal/"));
  return rows.reduce((sum, [, row]) => sum + ((row as { value?: string }).value?.length ?? 0), 0);
}

test.each(["http", "fetch", "rpc"])(
  "E5 a large value crosses the pipe once, and the function gets it: %s",
  async (pipe) => {
    const counter = new Counter();
    const api = new FakeDeployment([], {}, PIPES[pipe]?.(counter, [agent]));
    expect(await outputOf(api)).toEqual(OUTPUT);
    const stored = storedChars(api);
    expect(stored).toBeGreaterThan(8 * CHARS);
    expect(counter.bytes).toBeGreaterThan(stored);
    expect(counter.bytes).toBeLessThan(stored + 8 * 1_500);
  },
);

test("E5 PIPE1 a large value crosses a connection once", async () => {
  const network = new ConnectedNetwork({ workflows: [agent] });
  const api = network.deploy();
  expect(await outputOf(api)).toEqual(OUTPUT);
  const chars = network.frames.reduce((sum, { text }) => sum + text.length, 0);
  expect(network.requests).toEqual([]);
  expect(chars).toBeGreaterThan(storedChars(api));
  expect(chars).toBeLessThan(storedChars(api) + 8 * 1_500);
});

/** A pipe of turns in which `change` may lose or change messages. */
function changed(change: (text: string, number: number, isAnswer: boolean) => string): FakeDeployment {
  const handler = createStepHandler({ workflows: [agent], signingKeys: "unsigned" });
  let sent = 0;
  const dispatcher = createHttpDispatcher({
    url: "https://steps.example",
    signingKey: KEY,
    fetch: async (request) => {
      const number = (sent += 1);
      const body = change(await request.text(), number, false);
      const response = await handler(
        new Request(request.url, request.method === "GET" ? {} : { method: "POST", body }),
      );
      return new Response(change(await response.text(), number, true), response);
    },
  });
  return new FakeDeployment([], {}, dispatcher);
}

test("E5 U2 an answer whose request or whose successor is lost has the value when it is repeated", async () => {
  const api = changed((text, number, isAnswer) => {
    if ((number % 3 === 0 && isAnswer) || (number % 4 === 0 && !isAnswer)) throw new TypeError("the connection broke");
    return text;
  });
  expect(await outputOf(api)).toEqual(OUTPUT);
  expect(bodies).toEqual(["turn 0", "turn 1", "turn 2"]);
});

test("E5 VER2 an orchestrator that does not know the mark repeats the values, and a handler without it gets them", async () => {
  const requests: string[] = [];
  const api = changed((text, _number, isAnswer) => {
    if (!isAnswer) requests.push(text);
    return isAnswer ? text.replace(',"keeps":true', "") : text;
  });
  expect(await outputOf(api)).toEqual(OUTPUT);
  expect(requests.join("").length).toBeGreaterThan(storedChars(api));
});

test("E5 what is stored, and what a replay gets, is the value", async () => {
  const counter = new Counter();
  const api = new FakeDeployment([], {}, PIPES["http"]?.(counter, [agent]));
  await outputOf(api);
  const { entries } = (await (await api.fetch("/api/runs/r/journal")).json()) as { entries: { value?: unknown }[] };
  expect(entries.filter((entry) => String(entry.value).length >= CHARS)).toHaveLength(6);
});
