/** tests: readers of a run who close their connections or come with tickets, on plain workerd and real TCP */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, test } from "vitest";
import { kill, urlOf } from "./workerd-process.ts";

const FOLDER = join(import.meta.dirname, "..");
const TOKEN = "a-token-for-this-test";
const READERS = 3;
const HEADERS = { Authorization: `Bearer ${TOKEN}` };

let workerd: ChildProcess | undefined;
let data: string;
let url: string;

beforeAll(async () => {
  const built = spawnSync(process.execPath, [join(FOLDER, "build.ts")], { encoding: "utf8", timeout: 55_000 });
  expect(built.status, built.stderr).toBe(0);
  data = mkdtempSync(join(tmpdir(), "holdfast-readers-"));
  workerd = spawn(join(FOLDER, "dist/start.sh"), ["--control-fd", "3"], {
    env: {
      PATH: process.env["PATH"] ?? "",
      HOLDFAST_DATA: data,
      HOLDFAST_ADDRESS: "127.0.0.1:0",
      API_TOKENS: TOKEN,
      LIMITS: JSON.stringify({ streamReaders: READERS }),
    },
    stdio: ["ignore", "ignore", "pipe", "pipe"],
  });
  url = await urlOf(workerd);
  const body = JSON.stringify({ workflowId: "order", runId: "r", input: { orderId: "o", cents: 1 }, delay: "1h" });
  const headers = { ...HEADERS, "Content-Type": "application/json" };
  expect((await fetch(`${url}/api/runs`, { method: "POST", headers, body })).status).toBe(201);
});

afterAll(async () => {
  await kill(workerd);
  rmSync(data, { recursive: true, force: true, maxRetries: 5 });
});

/** Opens a stream. Resolves when its first events have arrived. */
async function follow(): Promise<AbortController> {
  const connection = new AbortController();
  const response = await fetch(`${url}/api/runs/r/stream`, { headers: HEADERS, signal: connection.signal });
  if (response.status !== 200) throw new Error(`the stream answered ${response.status}`);
  await response.body?.getReader().read();
  return connection;
}

const openAll = (): Promise<AbortController[]> => Promise.all(Array.from({ length: READERS }, follow));

test("STR4 the place of a reader who closed the connection is free at once", async () => {
  for (let round = 0; round < 3; round++) {
    const readers = await openAll();
    await expect(follow()).rejects.toThrow("429");
    for (const reader of readers) reader.abort();
  }
  for (const reader of await openAll()) reader.abort();
});

test("STR4 HEAD takes no place", async () => {
  for (let i = 0; i < READERS * 3; i++) {
    const { status } = await fetch(`${url}/api/runs/r/stream`, { method: "HEAD", headers: HEADERS });
    expect(status).toBe(200);
  }
  const readers = await openAll();
  for (const reader of readers) reader.abort();
});

/** Opens a WebSocket over TCP, and ends the connection without a closing handshake. Resolves with the head of the answer. */
async function upgrade(leave: "destroy" | "resetAndDestroy" | "end"): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.on("error", () => {});
  socket.write(
    [
      "GET /api/runs/r/stream HTTP/1.1",
      `Host: ${hostname}`,
      `Authorization: Bearer ${TOKEN}`,
      "Connection: Upgrade",
      "Upgrade: websocket",
      "Sec-WebSocket-Version: 13",
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
      "\r\n",
    ].join("\r\n"),
  );
  const head = await new Promise<string>((resolve) => socket.once("data", (bytes) => resolve(String(bytes))));
  socket[leave]();
  return head;
}

test("STR4 the place of a socket is free when its connection has ended, with or without a handshake", async () => {
  for (const leave of ["destroy", "resetAndDestroy", "end"] as const) {
    for (let i = 0; i < READERS * 2; i++)
      await expect.poll(() => upgrade(leave), { interval: 20 }).toMatch(/^HTTP\/1\.1 101 /);
  }
});

test("API5 the answer that opens a socket has the headers of every answer", async () => {
  await expect.poll(() => upgrade("end"), { interval: 20 }).toMatch(/^HTTP\/1\.1 101 /);
  const head = await upgrade("end");
  for (const header of [/cache-control: no-store/i, /x-content-type-options: nosniff/i, /holdfast-version: \d/i])
    expect(head).toMatch(header);
});

/** Sends text over TCP. Resolves with the answer when the connection has ended. */
async function send(lines: readonly string[]): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.end(lines.join("\r\n"));
  return text(socket);
}

test.each(["a b", "x:99999", "@@@", "a\r\nHost: b", "x/api/runs?", "x#", String.raw`x\api`])(
  "LIM2 a request with the Host %j is answered 400, whatever path the two make together",
  async (host) => {
    const answer = await send(["GET /healthz HTTP/1.1", `Host: ${host}`, "Connection: close", "\r\n"]);
    expect(answer).toMatch(/^HTTP\/1\.1 400 .*"error":"invalid_host"/s);
  },
);

test("LIM2 a request whose body breaks off is answered 400", async () => {
  const start = [
    "POST /api/runs HTTP/1.1",
    "Host: x",
    `Authorization: Bearer ${TOKEN}`,
    "Content-Type: application/json",
  ];
  const answer = await send([...start, "Transfer-Encoding: chunked", "", "zz", ""]);
  expect(answer).toMatch(/^HTTP\/1\.1 400 .*"error":"invalid_json"/s);
});

async function makeTicket(): Promise<string> {
  const body = JSON.stringify({ path: "/api/runs/r/stream" });
  const headers = { ...HEADERS, "Content-Type": "application/json" };
  const answer = await fetch(`${url}/api/tickets`, { method: "POST", headers, body });
  return ((await answer.json()) as { ticket: string }).ticket;
}

/** Opens a socket as a browser does, without headers. Resolves with the type of its first message, or `undefined`. */
async function openSocket(ticket: string): Promise<string | undefined> {
  const socket = new WebSocket(`${url.replace("http", "ws")}/api/runs/r/stream?ticket=${ticket}`);
  const message = await new Promise<string | undefined>((resolve) => {
    socket.addEventListener("message", (event) => resolve(String(event.data)));
    socket.addEventListener("error", () => resolve(undefined));
  });
  socket.close();
  return (JSON.parse(message ?? "{}") as { events?: { type: string }[] }).events?.[0]?.type;
}

test("SEC11 a ticket opens a stream or a socket without credentials, once, with the key that the index made", async () => {
  const [first, second] = [await makeTicket(), await makeTicket()];
  const stream = `${url}/api/runs/r/stream?ticket=${first}`;
  const connection = new AbortController();
  expect((await fetch(stream, { signal: connection.signal })).status).toBe(200);
  connection.abort();
  expect((await fetch(stream)).status).toBe(401);
  expect(await openSocket(first)).toBeUndefined();
  expect(await openSocket(second)).toBe("run");
  expect(await openSocket(second)).toBeUndefined();
  expect((await fetch(`${url}/api/runs/r/stream`)).status).toBe(401);
});
