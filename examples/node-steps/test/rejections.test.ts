/** Runs whose promises reject unhandled, in real Node processes with each server of this example. */
import { type ChildProcess, spawn } from "node:child_process";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";
import { createHttpDispatcher } from "@holdfast/orchestrator-cloudflare";
import { type OpenedHost, openClockHost } from "@holdfast/proof/catalogue";
import { afterEach, expect, test, vi } from "vitest";
import { servers } from "../src/servers.ts";

const KEY = "a-key-that-both-sides-know";
const PROGRAMS = ["helper", "parallel", "job", "group", "listener", "background"];

/** A process that serves the programs. */
interface Served {
  readonly child: ChildProcess;
  readonly host: OpenedHost;
  /** What the process wrote so far. */
  readonly output: () => string;
}

let served: Served | undefined;

afterEach(async () => {
  await served?.host.close();
  served?.child.kill("SIGKILL");
  served = undefined;
});

async function serve(server: string): Promise<Served> {
  const port = await freePort();
  const file = fileURLToPath(new URL("rejecting-process.ts", import.meta.url));
  const child = spawn(process.execPath, [file, String(port), KEY, server]);
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (text: Buffer) => (output += text.toString()));
  await vi.waitFor(() => expect(output).toContain("ready"), { timeout: 20_000 });
  const host = openClockHost(createHttpDispatcher({ url: `http://127.0.0.1:${port}/holdfast`, signingKey: KEY }));
  served = { child, host, output: () => output };
  return served;
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

async function until(host: OpenedHost, runId: string, status: string): Promise<void> {
  await vi.waitFor(async () => expect((await host.read(runId)).status).toBe(status), { timeout: 20_000, interval: 10 });
}

/** Waits until a program has done all that it does before a cancel. */
async function untilIdle(host: OpenedHost, program: string): Promise<void> {
  if (program === "background") {
    await vi.waitFor(async () => expect((await host.read(program)).steps).toHaveLength(2), { timeout: 20_000 });
    return;
  }
  await until(host, program, "waiting");
  // These continue after their steps have failed.
  if (program === "parallel" || program === "job") await host.deliver(program, "signal", "failed", null, "d");
  const opened = async (): Promise<void> => expect(await host.journal(program)).toContain("wait.opened signal/0/go");
  await vi.waitFor(opened, { timeout: 20_000 });
  await until(host, program, "waiting");
}

/** The lines about rejections that nothing handled: run, step and message. */
function rejections(output: string): string[] {
  const lines = output.split("\n").filter((line) => line.includes("no code handled it"));
  return lines.map((line) => {
    const { runId, data } = JSON.parse(line) as { runId: string; data: { step?: string; error: Error } };
    return `${[runId, data.step].join(" ").trim()}: ${data.error.message}`;
  });
}

test.each(Object.keys(servers))(
  "REP7 DUR7 with %s, no rejection of a run ends the process, and bodies of other runs start once",
  async (server) => {
    const { child, host, output } = await serve(server);
    await host.trigger("n", "neighbour", null, undefined);
    await vi.waitFor(() => expect(output()).toContain("body of the neighbour"), { timeout: 20_000 });
    for (const program of PROGRAMS) await host.trigger(program, program, null, undefined);
    for (const program of PROGRAMS) await untilIdle(host, program);
    for (const program of PROGRAMS) {
      await host.cancel(program, undefined);
      await until(host, program, "cancelled");
    }
    await host.trigger("o", "open", null, undefined);
    await until(host, "o", "completed");
    await until(host, "n", "completed");
    expect([child.exitCode, child.signalCode]).toEqual([null, null]);
    expect(output().match(/body of the neighbour/g)).toHaveLength(1);
    await vi.waitFor(() => expect(rejections(output())).toHaveLength(5), { timeout: 20_000 });
    // One line for each rejection that the author's code made, with the run and the step.
    expect(rejections(output()).toSorted()).toEqual([
      "background step/0/leaves: not awaited",
      "background step/0/waits: The operation was aborted",
      "helper: The run was cancelled.",
      "job: the body failed",
      "listener: The run was cancelled.",
    ]);
  },
);
