/**
 * tests: connections to real step handlers in Node, and in Bun and Deno where `.ci/packed-tools` has installed them, plain
 * and with Hono: turns as frames, and a gentle end (PIPE1, PIPE7)
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { globSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { createHttpDispatcher } from "../src/index.ts";
import { FakeDeployment } from "./fake-platform.ts";
import { KEY, read, trigger, until } from "./handler-network.ts";

const HERE = join(import.meta.dirname, "hosts");
const TOOLS = join(import.meta.dirname, "../../../.ci/packed-tools/node_modules/.pnpm");
const DENO = ["run", "-A", "--no-prompt", "--node-modules-dir=manual", "--unstable-sloppy-imports"];
const RUNTIMES: Readonly<Record<string, readonly string[] | undefined>> = {
  node: [process.execPath],
  bun: commandOf("@oven+bun-*/node_modules/@oven/*/bin/bun"),
  deno: commandOf("@deno+*/node_modules/@deno/*/deno", DENO),
};
const HOSTS = Object.entries(RUNTIMES).flatMap(([runtime, command]) =>
  command === undefined ? [] : [runtime, `${runtime}-hono`].map((host) => ({ host, command })),
);

function commandOf(pattern: string, more: readonly string[] = []): readonly string[] | undefined {
  const [found] = globSync(join(TOOLS, pattern));
  return found === undefined ? undefined : [found, ...more];
}

/** A process that serves steps, and the lines that it wrote. */
class StepHost {
  lines: string[] = [];
  readonly #process: ChildProcess;

  constructor(host: string, command: readonly string[], port: number) {
    const [file = "", ...options] = command;
    const args = [...options, "step-host.ts", host, String(port), KEY];
    this.#process = spawn(file, args, { cwd: HERE, stdio: ["ignore", "pipe", "inherit"] });
    this.#process.stdout?.on("data", (text: Buffer) => this.lines.push(...text.toString().trimEnd().split("\n")));
  }

  async says(line: string): Promise<void> {
    await expect.poll(() => this.lines, { timeout: 30_000, interval: 5 }).toContain(line);
  }

  count(line: string): number {
    return this.lines.filter((one) => one === line).length;
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** Ends it gently. Returns its exit code. */
  async terminate(): Promise<unknown> {
    const ended = once(this.#process, "exit");
    this.#process.kill("SIGTERM");
    return (await ended)[0];
  }

  kill(): void {
    this.#process.kill("SIGKILL");
  }
}

const processes: StepHost[] = [];
afterEach(() => processes.splice(0).forEach((one) => one.kill()));

async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

async function start(host: string, command: readonly string[], port: number): Promise<StepHost> {
  const started = new StepHost(host, command, port);
  processes.push(started);
  await started.says("ready");
  return started;
}

/** Sends requests, and upgrades as workerd does: the socket is in the response. */
async function send(request: Request): Promise<Response> {
  if (request.headers.get("Upgrade") !== "websocket") return fetch(request);
  const url = request.url.replace(/^http/, "ws");
  const headers = Object.fromEntries([...request.headers].filter(([name]) => name.startsWith("holdfast-")));
  // A cast: the standard type has no headers, which Node accepts.
  const socket = new WebSocket(url, { headers } as unknown as string[]);
  const opened = await new Promise<boolean>((resolve) => {
    socket.addEventListener("open", () => resolve(true));
    socket.addEventListener("error", () => resolve(false));
  });
  if (!opened) return new Response(null, { status: 503 });
  return { status: 101, webSocket: Object.assign(socket, { accept: () => {} }) } as unknown as Response;
}

function deploy(port: number): FakeDeployment {
  const url = `http://127.0.0.1:${port}/holdfast`;
  return new FakeDeployment([], {}, createHttpDispatcher({ url, signingKey: KEY, fetch: send, connectAfter: 0 }));
}

const SLOW = 60_000;

test.each(HOSTS)(
  "PIPE1 PIPE6 a run on $host gets its turns as frames, of any size",
  { timeout: SLOW },
  async (given) => {
    const port = await findFreePort();
    const host = await start(given.host, given.command, port);
    const api = deploy(port);
    await trigger(api, "steps", { n: 20, chars: 20_000 });
    expect(await until(api, "completed")).toMatchObject({ output: "done", invocationCount: 1 });
    expect(["body", "connection", "request POST"].map((line) => host.count(line))).toEqual([20, 1, 0]);
    // Almost as large as a frame may be; the last one is larger, and its outcome comes as the answer to a request.
    await trigger(api, "steps", { n: 1, chars: 8_000_000 }, "large");
    await until(api, "completed", { runId: "large" });
    expect(["connection", "request POST"].map((line) => host.count(line))).toEqual([2, 0]);
    await trigger(api, "steps", { n: 1, chars: 9_000_000 }, "larger");
    expect(await until(api, "completed", { runId: "larger" })).toMatchObject({ invocationCount: 1 });
    expect(host.count("request POST")).toBeGreaterThan(0);
  },
);

test.each(HOSTS)(
  "PIPE7 $host ends gently on SIGTERM: a body ends, and the run continues elsewhere",
  { timeout: SLOW },
  async (given) => {
    const port = await findFreePort();
    const first = await start(given.host, given.command, port);
    const api = deploy(port);
    await trigger(api, "holds");
    await first.says("holds");
    expect(await first.terminate()).toBe(0);
    expect(first.lines).toContain("drained");
    expect((await read(api))["steps"]).toMatchObject([{ name: "holds", status: "completed", output: "held" }]);
    const second = await start(given.host, given.command, port);
    await until(api, "completed");
    expect([first.count("holds"), second.count("holds"), second.count(`last in ${second.pid}`)]).toEqual([1, 0, 1]);
  },
);

test.each(HOSTS)("REP7 $host outlives rejections of a run that nothing handles", { timeout: SLOW }, async (given) => {
  const port = await findFreePort();
  const host = await start(given.host, given.command, port);
  const api = deploy(port);
  await trigger(api, "strays");
  expect(await until(api, "completed")).toMatchObject({ output: "done", invocationCount: 1 });
  const logged = host.lines.filter((line) => line.includes("no code handled it"));
  expect(logged.map((line) => /of (?:the function|a body)/.exec(line)?.[0])).toEqual(["of the function", "of a body"]);
  expect(await host.terminate()).toBe(0);
});
