/** tests: every key that is accepted can be read back (LIM2) */
import { event, limit, workflow } from "@holdfast/workflows";
import { type ApiError, createClient } from "@holdfast/workflows/client";
import { fromSegment, toSegment } from "@holdfast/protocol";
import { describe, expect, test } from "vitest";
import { readIds } from "../src/api/call/url-parts.ts";
import { FakeCoordinators } from "./fake-coordinators.ts";
import { FakeDeployment } from "./fake-platform.ts";

const held = workflow({
  id: "held",
  limits: [limit("l", { key: (input: string) => input, max: 1 }).hold("run")],
  run: (_input: string, ctx) => ctx.waitForSignal("go"),
});
const mail = workflow({ id: "mail", debounce: { key: "input", wait: "1h" }, run: (input: string) => input });
const dots = workflow({ id: "..", debounce: { wait: "1h" }, run: (input: string) => input });
const paid = event<{ key: string }>("..", { key: "key" });
const sends = workflow({ id: "sends", events: [paid], run: (key: string, ctx) => ctx.sendEvent(paid, { key }) });

function deployment() {
  const coordinators: FakeCoordinators = new FakeCoordinators(() => ({ runDO: api.runDO }));
  const coordinatorDO = coordinators.binding;
  const workflows = [held, mail, dots, sends];
  const api: FakeDeployment = new FakeDeployment(workflows, { coordinatorDO }, undefined, { coordinatorDO, rev: 1 });
  return createClient({ url: "https://flows.example", token: "t", fetch: (request: Request) => api.handle(request) });
}

const PARTS = [
  "",
  ".",
  "..",
  "~",
  "~~",
  "/",
  "%",
  "%2e",
  "%2E%2e",
  "\\",
  " ",
  "?",
  "#",
  "a",
  "é",
  "\u{1f600}",
  "\0",
  "\u0002",
];
const MORE = [
  "\n",
  "\u007f",
  "\u009f",
  "\ud800",
  "\udc00",
  "+",
  "&",
  ":",
  ";",
  "pause",
  "kick",
  "sync",
  "x".repeat(300),
];

/** Each part, and random texts of them: the seed is fixed. */
function keys(): string[] {
  const parts = [...PARTS, ...MORE];
  let state = 7;
  const next = (bound: number): number => (state = (state * 48_271) % 2_147_483_647) % bound;
  const random = Array.from({ length: 60 }, () =>
    Array.from({ length: 1 + next(4) }, () => parts[next(parts.length)]).join(""),
  );
  return [...new Set([...parts, ...random])];
}

const code = (error: unknown): string => (error as ApiError).code;

describe("names and keys in paths", () => {
  test("LIM2 a segment is a part of a path of its own, and gives its text back", () => {
    for (const key of keys().map((one) => one.toWellFormed())) {
      const segment = toSegment(key);
      const { pathname } = new URL(`https://flows.example/a/${segment}/b`);
      expect(pathname.split("/"), key).toHaveLength(4);
      expect(fromSegment(decodeURIComponent(pathname.split("/")[2] ?? ""))).toBe(key);
    }
    expect(new Set(keys().map((one) => toSegment(one.toWellFormed()))).size).toBeGreaterThan(60);
  });

  test("LIM2 a limit whose key is accepted can be read by that key, and by the one that it lists", async () => {
    const client = deployment();
    for (const key of keys()) {
      const run = await client.trigger(held, key).catch(code);
      expect(run === "limit_key_invalid", JSON.stringify(key)).toBe(!key.isWellFormed());
      if (typeof run === "string") continue;
      const read = await client.limit("l", key).get();
      expect(read).toMatchObject({ name: "l", holders: [{ runId: run.id }] });
      expect(await client.limit("l", read.key).pause()).toMatchObject({ paused: expect.anything() });
      expect((await run.get()).limits).toMatchObject([{ key: read.key }]);
    }
  }, 180_000);

  test("LIM2 so can a window, also of a workflow with an odd name", async () => {
    const client = deployment();
    for (const key of keys().filter((one) => one.isWellFormed())) {
      const { id } = await client.trigger(mail, key);
      expect(await client.window("mail", key).get(), JSON.stringify(key)).toMatchObject({ runId: id });
    }
    const { id } = await client.trigger(dots, "x");
    expect(await client.window("..").get()).toMatchObject({ workflowId: "..", runId: id });
  }, 180_000);

  test("LIM2 so can a topic, also if a run sends its event", async () => {
    const client = deployment();
    for (const [nth, key] of keys().entries()) {
      const sent = await client.sendEvent("..", { key }, { id: `e-${nth}` }).catch(code);
      if (typeof sent !== "string" && sent.targets.some(({ topic }) => topic === key))
        expect(await client.topic("..", key), JSON.stringify(key)).toMatchObject({ name: "..", key });
    }
    const run = await client.trigger(sends, ".");
    await run.result();
    await expect.poll(() => client.topic("..", ".").catch(code)).toMatchObject({ key: "." });
  }, 180_000);

  test("LIM2 a path with raw dots names what the router found there: no other id takes its place", async () => {
    const path = "/api/limits/:name/:key/pause";
    const idsAt = (segment: string) => readIds(`https://flows.example/api/limits/l/${segment}/pause?a=/b#/c`, path);
    expect(idsAt(".")).toEqual({ name: "l", key: "." });
    expect(idsAt("..")).toEqual({ name: "l", key: ".." });
    for (const key of keys().filter((one) => one.isWellFormed())) expect(idsAt(toSegment(key))["key"]).toBe(key);
    expect(() => readIds("https://flows.example/api/runs/./cancel", "/api/runs/:id/cancel")).toThrow("run id");
  });
});
