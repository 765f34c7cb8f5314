/** tests: the places of readers, HEAD, and the bounds of cursors */
import { DEFAULT_LIMITS, HOST_LIMITS } from "@holdfast/protocol";
import { workflow } from "@holdfast/workflows";
import { describe, expect, test, vi } from "vitest";
import { durableObjectIndex } from "../src/index.ts";
import { eventStream } from "../src/feed/event-stream.ts";
import { Places } from "../src/feed/places.ts";
import { RunSockets } from "../src/feed/run-sockets.ts";
import type { FeedSource } from "../src/feed/run-feed.ts";
import { FakeDeployment, FakeIndexNamespace, answerOf } from "./fake-platform.ts";

const waits = workflow({ id: "waits", run: (_input, ctx) => ctx.waitForSignal("go") });

async function deploy(readers: number = DEFAULT_LIMITS.streamReaders): Promise<FakeDeployment> {
  const runIndex = durableObjectIndex({ binding: new FakeIndexNamespace() });
  const limits = { ...DEFAULT_LIMITS, streamReaders: readers };
  const api = new FakeDeployment([waits], { runIndex }, undefined, { runIndex, limits });
  await api.fetch("/api/runs", { json: { runId: "r", workflowId: "waits" } });
  return api;
}

const STREAM = "/api/runs/r/stream";

describe("HEAD of a stream", () => {
  test("STR4 it answers as GET does, and takes no reader's place, with Upgrade too", async () => {
    const api = await deploy(1);
    const known = { status: 200, type: "text/event-stream" };
    for (let i = 0; i < 5; i++) {
      const headers: Record<string, string> = i % 2 === 0 ? {} : { Upgrade: "websocket" };
      const { status, headers: answered, body } = await api.fetch(STREAM, { method: "HEAD", headers });
      expect([{ status, type: answered.get("Content-Type") }, body]).toEqual([known, null]);
    }
    const reader = await api.fetch(STREAM);
    expect(reader.status).toBe(200);
    expect((await api.fetch(STREAM, { method: "HEAD" })).status).toBe(200);
    await reader.body?.cancel();
    expect((await api.fetch("/api/runs/absent/stream", { method: "HEAD" })).status).toBe(404);
    expect((await api.fetch(`${STREAM}?lastEventId=x`, { method: "HEAD" })).status).toBe(400);
  });
});

describe("places", () => {
  test("STR4 a new reader gets the place of one that is found to be gone, and all others stay", async () => {
    const probe = vi.fn(() => queueMicrotask(() => places.give()));
    const places = new Places(2, probe);
    expect([await places.take(), await places.take(), probe.mock.calls.length]).toEqual([true, true, 0]);
    expect([await places.take(), probe.mock.calls.length]).toEqual([true, 1]);
  });

  test("LIM1 without a place that becomes free a reader is refused, and one search serves many who wait", async () => {
    const probe = vi.fn();
    const places = new Places(1, probe);
    await places.take();
    const taken = await Promise.all(Array.from({ length: 50 }, () => places.take()));
    expect(taken).not.toContain(true);
    expect(probe.mock.calls.length).toBeLessThanOrEqual(2);
    places.give();
    expect(await places.take()).toBe(true);
  });

  test("LIM1 readers who wait get places in the order of their requests", async () => {
    const places = new Places(1, () => {});
    await places.take();
    const order: number[] = [];
    const waiting = [1, 2].map(async (n) => ((await places.take()) ? order.push(n) : 0));
    places.give();
    places.give();
    await Promise.all(waiting);
    expect(order).toEqual([1, 2]);
  });

  test("STR4 a search sends a comment to each reader that has nothing else to receive", async () => {
    const api = await deploy(1);
    const reader = ((await api.fetch(STREAM)).body as ReadableStream<Uint8Array>).getReader();
    let text = "";
    const reading = (async () => {
      while (!text.includes(": still here")) text += new TextDecoder().decode((await reader.read()).value);
    })();
    await vi.waitUntil(() => text.includes('"waiting"'), { interval: 1 });
    expect(await answerOf(await api.fetch(STREAM))).toMatchObject({ status: 429, body: { error: "too_many_readers" } });
    await reading;
    await reader.cancel();
    const next = await api.fetch(STREAM);
    expect(next.status).toBe(200);
    await next.body?.cancel();
  });

  test("LIM1 a stream whose reader is gone gives its place back once, also if reading fails", async () => {
    const closed = vi.fn();
    const read = (): never => {
      throw new Error("the row is unreadable");
    };
    const response = eventStream({ read, changed: async () => {}, closed }, 1);
    await expect(response.text()).rejects.toThrow("unreadable");
    expect(closed).toHaveBeenCalledTimes(1);
  });
});

const LONG = `1${"~0.1.0.0".repeat(HOST_LIMITS.cursorChars / 8)}`;
const INVALID = [
  "x",
  "-1",
  "1~2",
  "1~2.3.4",
  "9999999999999",
  "1 ",
  "1~0.0.0.0~",
  "é",
  "%00",
  "x".repeat(20_000),
  LONG,
];

describe("cursors", () => {
  test.each(INVALID)(
    "STR4 the cursor %.20j of an event is 400 with the field's name, and opens nothing",
    async (id) => {
      const api = await deploy(1);
      const query = `${STREAM}?lastEventId=${encodeURIComponent(id)}`;
      const requests = [
        api.fetch(query),
        api.fetch(query, { headers: { Upgrade: "websocket" } }),
        ...(/^[\x20-\x7e]*$/.test(id) && id.trim() === id
          ? [
              api.fetch(STREAM, { headers: { "Last-Event-ID": id } }),
              api.fetch(STREAM, { headers: { "Last-Event-ID": id, Upgrade: "websocket" } }),
            ]
          : []),
      ];
      for (const answer of await Promise.all(requests)) {
        const { status, body } = await answerOf(answer);
        expect([status, body]).toMatchObject([400, { error: "invalid_query", message: expect.any(String) }]);
        expect(body["message"]).toMatch(/lastEventId|Last-Event-ID/);
        expect(String(body["message"]).length).toBeLessThan(200);
      }
      const reader = await api.fetch(STREAM);
      expect(reader.status).toBe(200);
      await reader.body?.cancel();
    },
  );

  test("LIM2 the cursor of a list is 400 with the field's name unless the deployment made it", async () => {
    const api = await deploy();
    const base64 = btoa("\u00ff\u00fe").replaceAll("=", "");
    const invalid = [
      "",
      "x",
      "1",
      "1.%",
      "1.a",
      `1.${base64}`,
      "-1.AAAA",
      "9999999999999999.AAAA",
      `1.${"A".repeat(5_000)}`,
    ];
    for (const cursor of invalid) {
      const listed = await answerOf(await api.fetch(`/api/runs?cursor=${encodeURIComponent(cursor)}`));
      expect([cursor, listed]).toMatchObject([cursor, { status: 400, body: { error: "invalid_query" } }]);
      expect(listed.body["message"]).toContain("cursor");
      const json = { action: "retry", filter: {}, cursor };
      const acted = await answerOf(await api.fetch("/api/runs/bulk", { json }));
      expect([cursor, acted]).toMatchObject([cursor, { status: 400, body: { error: "invalid_body" } }]);
      expect(acted.body["message"]).toContain("cursor");
    }
    expect((await api.fetch("/api/runs?cursor=1.cg")).status).toBe(200);
  });

  test("STR4 a position that is too long for a socket is refused before the platform gets the socket", () => {
    const accepted = vi.fn();
    const host = { acceptWebSocket: accepted, getWebSockets: () => [] };
    const source = { header: () => undefined } as unknown as FeedSource;
    const sockets = new RunSockets(host, source, 1);
    const long = `1${Array.from({ length: 200 }, (_none, i) => `~${i}.1.0.0`).join("")}`;
    const view = { tokenIds: false, stacks: false, failures: false };
    const open = (): unknown => sockets.open({} as never, long, false, view);
    expect(open).toThrow(/1500 characters/);
    expect(accepted).not.toHaveBeenCalled();
  });
});
