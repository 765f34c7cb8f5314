/**
 * Compares a whole conversation of turns with packages/protocol/golden/turns.json, string by string. Each side runs
 * against the recorded strings of the other side.
 */
import { readFileSync } from "node:fs";
import { workflow } from "@holdfast/workflows";
import { createStepHandler } from "@holdfast/workflows/handler";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createHttpDispatcher } from "../src/index.ts";
import { FakeDeployment } from "./fake-platform.ts";

interface Turn {
  readonly request: string;
  readonly answer: string;
}

const FILE = new URL("../../protocol/golden/turns.json", import.meta.url);
const golden = JSON.parse(readFileSync(FILE, "utf8")) as Turn[];
/** A conversation with a handler of an earlier version, which does not name its instance. */
const OLD_FILE = new URL("../../protocol/golden/turns-without-instance.json", import.meta.url);
const old = JSON.parse(readFileSync(OLD_FILE, "utf8")) as Turn[];
const KEY = "a-key-that-both-sides-know";

const order = workflow({
  id: "order",
  run: async ({ item }: { item: string }, ctx) => {
    const hold = await ctx.step("reserve", { compensate: () => {} }, () => ({ item, holdId: 7 }));
    const approval = await ctx.waitForSignal("approval", { timeout: "1d" });
    return { hold, approval };
  },
});

beforeEach(() => {
  vi.spyOn(Date, "now").mockReturnValue(1_767_225_600_000);
  let byte = -1;
  vi.spyOn(crypto, "getRandomValues").mockImplementation((array) => (array as Uint8Array).fill(++byte) as never);
});

afterEach(() => {
  vi.restoreAllMocks();
});

/** Runs the workflow over HTTP with the answers of `answer`, and returns the conversation. */
async function play(answer: (request: Request, number: number) => Promise<string>): Promise<Turn[]> {
  const turns: Turn[] = [];
  const fetch = async (request: Request): Promise<Response> => {
    // The list, for the trigger: it is no turn.
    if (request.method === "GET") return Response.json({ protocol: 1, workflows: [] });
    const body = await request.clone().text();
    const text = await answer(request, turns.length);
    turns.push({ request: body, answer: text });
    return new Response(text);
  };
  const api = new FakeDeployment(
    [],
    { publicUrl: "https://flows.example" },
    createHttpDispatcher({ url: "https://steps.example", signingKey: KEY, fetch }),
  );
  const read = async (): Promise<Record<string, unknown>> => (await (await api.fetch("/api/runs/r")).json()) as never;
  await api.fetch("/api/runs", { json: { runId: "r", workflowId: "order", input: { item: "tea" } } });
  await vi.waitFor(async () => expect(await read()).toMatchObject({ status: "waiting" }));
  await api.fetch("/api/runs/r/signals", { json: { name: "approval", payload: { by: "ada" }, deliveryId: "d-1" } });
  await vi.waitFor(async () => expect(await read()).toMatchObject({ status: "completed" }));
  // The last request carries the answer to the final report.
  await vi.waitFor(() => expect(turns.at(-1)?.request).toContain('"aside":true'));
  return turns;
}

test("DUR2 the conversation equals the golden one, string by string", async () => {
  const handler = createStepHandler({ workflows: [order], signingKeys: [KEY], audience: "https://steps.example" });
  const turns = await play(async (request) => (await handler(request)).text());
  await expect(`${JSON.stringify(turns, null, 2)}\n`).toMatchFileSnapshot(FILE.pathname);
});

test("DUR2 a handler sends the golden answers for the golden requests", async () => {
  const handler = createStepHandler({ workflows: [order], signingKeys: "unsigned" });
  // The incarnation, the seed and the session had the first random numbers.
  for (let taken = 0; taken < 3; taken++) crypto.getRandomValues(new Uint8Array(16));
  for (const { request, answer } of golden) {
    const response = await handler(new Request("https://steps.example/turn", { method: "POST", body: request }));
    expect(await response.text()).toBe(answer);
  }
});

test("DUR2 an orchestrator sends the golden requests for the golden answers", async () => {
  const turns = await play(async (_request, number) => golden[number]?.answer ?? "");
  expect(turns.map(({ request }) => request)).toEqual(golden.map(({ request }) => request));
});

test("VER2 an orchestrator sends the earlier requests for the answers of a handler without an instance", async () => {
  const turns = await play(async (_request, number) => old[number]?.answer ?? "");
  // New runs have new replay flags, and an earlier handler ignores `changes`, `runKey` and the URLs of tokens.
  const normal = ({ request }: Turn): string =>
    request
      .replace(/"flags":\[[\d,]*\],/, "")
      .replace(/,"runKey":.*?(?=\})/, "")
      .replace('"changes":true,', "");
  expect(turns.map(normal)).toEqual(old.map(normal));
});

test("VER2 a handler serves the earlier requests of an orchestrator that names no instance", async () => {
  const handler = createStepHandler({ workflows: [order], signingKeys: "unsigned" });
  for (const { request, answer } of old) {
    const response = await handler(new Request("https://steps.example/turn", { method: "POST", body: request }));
    expect(await response.json()).toMatchObject(JSON.parse(answer) as object);
  }
});
