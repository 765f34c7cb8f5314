/** tests: the client in workerd with the real Worker and real streams */
import { exports } from "cloudflare:workers";
import { type RunEvent, createClient } from "@holdfast/workflows/client";
import { expect, test } from "vitest";
import { evict, inObject } from "./api-client.ts";
import { abortAll, resetAfterEach } from "./declared-output.ts";

resetAfterEach();

const worker = (exports as unknown as { default: Fetcher }).default;
const client = createClient({
  url: "https://holdfast.test",
  retryAfterMs: 5,
  fetch: (request) => worker.fetch(request),
});

test("API1 the client works in a Worker: trigger, signal, result", async () => {
  const run = await client.trigger("order", null, { runId: "c1" });
  expect(await run.signal("approval", "yes")).toMatch(/resolved|buffered/);
  expect(await run.result()).toEqual({ reserve: "reserve", approval: "yes", ship: "ship" });
});

test("SEC1 the set-up of a real deployment: storage, and the flags of its compatibility date", async () => {
  expect(await client.deployment()).toMatchObject({
    storage: "sqlite",
    compatibility: { nodejs_compat: true, rpc: true, delete_all_deletes_alarm: true },
  });
});

test("STR2 a reader follows a run in a real object across an abort of the object", async () => {
  const run = await client.trigger("order", null, { runId: "c2" });
  const seen: string[] = [];
  for await (const event of run.stream()) {
    if (event.type === "run") seen.push(`run ${event.data.status}`);
    else if (event.type === "step") seen.push(`step ${event.data.name} ${event.data.status}`);
    if (event.type !== "run" || event.data.status !== "waiting" || seen.includes("aborted")) continue;
    seen.push("aborted");
    await abortAll();
    await run.signal("approval", "yes");
  }
  expect(seen.filter((what) => what.startsWith("step"))).toEqual(["step reserve completed", "step ship completed"]);
  expect(seen).toContain("aborted");
  expect(seen.at(-1)).toBe("run completed");
});

/** Opens a socket that collects events and acknowledges each message. */
async function openSocket(
  runId: string,
  query = "",
): Promise<{ socket: WebSocket; events: RunEvent[]; closed: () => number }> {
  const headers = { Upgrade: "websocket" };
  const { webSocket: socket, status } = await worker.fetch(`https://holdfast.test/api/runs/${runId}/stream${query}`, {
    headers,
  });
  if (socket === null) throw new Error(`the Worker answered ${status}`);
  const events: RunEvent[] = [];
  let code = 0;
  socket.accept();
  socket.addEventListener("message", ({ data }) => {
    events.push(...(JSON.parse(String(data)) as { events: RunEvent[] }).events);
    socket.send("ack");
  });
  socket.addEventListener("close", (event) => {
    code = event.code;
  });
  return { socket, events, closed: () => code };
}

const runStatus = (events: readonly RunEvent[]): string | undefined =>
  events.findLast((event) => event.type === "run")?.data.status;

test("STR2 a socket follows a run while its object is out of memory, and is closed after the run has ended", async () => {
  const run = await client.trigger("order", null, { runId: "s1" });
  const { events, closed } = await openSocket("s1");
  await expect.poll(() => runStatus(events)).toBe("waiting");
  // Hibernation: the object is removed from memory, and the socket stays open.
  await evict("s1");
  await run.signal("approval", "yes");
  await expect.poll(() => runStatus(events)).toBe("completed");
  await expect.poll(closed).toBe(1000);
  const steps = events.flatMap((event) => (event.type === "step" ? [`${event.data.name} ${event.data.status}`] : []));
  expect(steps).toEqual(["reserve completed", "ship completed"]);
});

test("STR2 a socket that reconnects continues after the last event", async () => {
  const run = await client.trigger("order", null, { runId: "s2" });
  const first = await openSocket("s2");
  await expect.poll(() => runStatus(first.events)).toBe("waiting");
  const last = first.events.at(-1)?.id ?? "";
  first.socket.close();
  await run.signal("approval", "yes");
  await run.result();
  const second = await openSocket("s2", `?lastEventId=${encodeURIComponent(last)}`);
  await expect.poll(second.closed).toBe(1000);
  const names = second.events.flatMap((event) => (event.type === "step" ? [event.data.name] : []));
  expect(names).toEqual(["ship"]);
});

test("STR2 a reader gets the next batch only after its acknowledgement", async () => {
  await (await client.trigger("sequence", 200, { runId: "s4" })).result();
  const headers = { Upgrade: "websocket" };
  const { webSocket } = await worker.fetch("https://holdfast.test/api/runs/s4/stream", { headers });
  const socket = webSocket as WebSocket;
  const sizes: number[] = [];
  socket.accept();
  socket.addEventListener("message", ({ data }) => {
    sizes.push((JSON.parse(String(data)) as { events: unknown[] }).events.length);
  });
  await expect.poll(() => sizes.length).toBe(1);
  // The object would send a further batch before it answers this request.
  await client.run("s4").get();
  expect(sizes).toHaveLength(1);
  socket.send("ack");
  await expect.poll(() => sizes.length).toBe(2);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(100);
  socket.close();
});

test("STR4 a reader that closes its socket gets the close of the other side, also while the object is out of memory", async () => {
  await client.trigger("order", null, { runId: "s6" });
  for (const isInMemory of [true, false]) {
    const { socket, events, closed } = await openSocket("s6");
    await expect.poll(() => runStatus(events)).toBe("waiting");
    if (!isInMemory) await evict("s6");
    socket.close(1000);
    await expect.poll(closed).toBe(1000);
    expect(await inObject("s6", (state) => state.getWebSockets())).toEqual([]);
  }
});

test("SEC6 a page of another site cannot open a socket", async () => {
  await client.trigger("order", null, { runId: "s3" });
  const headers = { Upgrade: "websocket", Origin: "https://evil.example" };
  const answer = await worker.fetch("https://holdfast.test/api/runs/s3/stream", { headers });
  expect([answer.status, answer.webSocket]).toEqual([403, null]);
});

test("STR4 a cursor that is too long or invalid for a socket is 400, and leaves no socket open", async () => {
  await client.trigger("order", null, { runId: "s5" });
  const headers = { Upgrade: "websocket" };
  const open = (query: string): Promise<Response> =>
    worker.fetch(`https://holdfast.test/api/runs/s5/stream?lastEventId=${query}`, { headers });
  const long = `1${Array.from({ length: 2_000 }, (_none, i) => `~${i}.1.0.0`).join("")}`;
  for (const cursor of [long, long.slice(0, 1_601), "x", "1~2"]) {
    const answer = await open(cursor);
    expect([answer.status, answer.webSocket]).toEqual([400, null]);
    expect(await answer.json()).toMatchObject({ message: expect.stringContaining("lastEventId") });
  }
  const sockets = (): Promise<number> => inObject("s5", (state) => state.getWebSockets().length);
  expect(await sockets()).toBe(0);
  const { webSocket } = await open(`1${"~999999.9999999999.9999999999.9999999999".repeat(37)}`);
  webSocket?.accept();
  expect(await sockets()).toBe(1);
  webSocket?.close();
  await expect.poll(sockets).toBe(0);
});
