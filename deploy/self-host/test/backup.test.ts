/**
 * Back-ups of the executable under load, and their restoration, with interruptions of both.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { type Server, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { kill, urlOf } from "./workerd-process.ts";

const FOLDER = join(import.meta.dirname, "..");
const DIST = join(FOLDER, "dist");
const TOKEN = "a-token-for-this-test";
const WITHOUT_SQLITE = spawnSync("sqlite3", ["--version"]).status !== 0;

let folder: string;
let data: string;
let url: string;
let workerd: ChildProcess | undefined;
/** The server to which step bodies report, and what they reported: `run/step/edge`. */
let counter: Server;
let reported: string[];

beforeAll(() => {
  const built = spawnSync(process.execPath, [join(FOLDER, "build.ts")], { encoding: "utf8", timeout: 55_000 });
  expect(built.status, built.stderr).toBe(0);
});

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "holdfast it's a back-up "));
  data = join(folder, "data");
  reported = [];
  counter = createServer((request, response) => {
    reported.push((request.url ?? "").slice(1));
    response.end();
  });
  counter.keepAliveTimeout = 60_000;
  await once(counter.listen(0, "127.0.0.1"), "listening");
});

afterEach(async () => {
  await kill(workerd);
  counter.closeAllConnections();
  counter.close();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});

function run(
  script: "start.sh" | "backup.sh" | "restore.sh",
  args: readonly string[] = [],
  more: object = {},
): ChildProcess {
  const env = { PATH: process.env["PATH"] ?? "", HOLDFAST_DATA: data, HOLDFAST_ADDRESS: "127.0.0.1:0", ...more };
  const isStart = script === "start.sh";
  return spawn(join(DIST, script), isStart ? ["--control-fd", "3"] : args, {
    env: isStart ? { ...env, API_TOKENS: TOKEN } : env,
    stdio: ["ignore", "ignore", "pipe", isStart ? "pipe" : "ignore"],
  });
}

/** Runs a script to its end. Returns its status and its messages. */
async function finish(process: ChildProcess): Promise<{ readonly status: number | null; readonly stderr: string }> {
  const stderr = text(process.stderr as NodeJS.ReadableStream);
  const [status] = (await once(process, "exit")) as [number | null];
  return { status, stderr: await stderr };
}

async function start(more: object = {}): Promise<void> {
  workerd = run("start.sh", [], more);
  url = await urlOf(workerd);
}

async function ask(
  path: string,
  body?: object,
): Promise<{ readonly status: number; readonly body: Record<string, unknown> }> {
  const response = await fetch(url + path, {
    headers: { Authorization: `Bearer ${TOKEN}`, "Content-Type": "application/json" },
    ...(body === undefined ? {} : { method: "POST", body: JSON.stringify(body) }),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

async function trigger(runId: string, more: object = {}): Promise<number> {
  const counterUrl = `http://127.0.0.1:${(counter.address() as AddressInfo).port}/${runId}`;
  const input = { orderId: runId, cents: 100, counterUrl, shippingMs: 20 };
  return (await ask("/api/runs", { workflowId: "order", runId, input, ...more })).status;
}

async function approve(runId: string): Promise<number> {
  return (await ask(`/api/runs/${runId}/signals`, { name: "approval", payload: { ok: true }, deliveryId: "a" })).status;
}

/** Triggers orders and approves them until `stop` is called. Resolves with the statuses of all answers. */
function load(): { readonly statuses: Set<number>; stop(): Promise<void> } {
  const statuses = new Set<number>();
  const ends = new AbortController();
  const work = async (worker: number): Promise<void> => {
    for (let n = 0; !ends.signal.aborted; n++) {
      statuses.add(await trigger(`load-${worker}-${n}`));
      statuses.add(await approve(`load-${worker}-${n}`));
    }
  };
  const workers = Promise.all([0, 1, 2, 3].map(work));
  return {
    statuses,
    stop: async () => {
      ends.abort();
      await workers;
    },
  };
}

/** The outcomes of steps in the journal of each run, as `run/step`. */
async function completedSteps(ids: readonly string[]): Promise<string[]> {
  const steps: string[] = [];
  for (const id of ids) {
    const { entries } = (await ask(`/api/runs/${id}/journal`)).body as {
      entries: { type: string; operation: { name: string } }[];
    };
    for (const { type, operation } of entries) if (type === "step.completed") steps.push(`${id}/${operation.name}`);
  }
  return steps;
}

const statusOf = async (id: string): Promise<unknown> => (await ask(`/api/runs/${id}`)).body["status"];

/** The ids of the runs that were acknowledged before the back-up. */
const WAITING = Array.from({ length: 20 }, (_none, n) => `waiting-${n}`);
const LATER = Array.from({ length: 20 }, (_none, n) => `later-${n}`);
const ENDED = Array.from({ length: 20 }, (_none, n) => `ended-${n}`);
const ALL = [...WAITING, ...LATER, ...ENDED];

async function prepare(): Promise<void> {
  await start();
  await Promise.all(WAITING.map((id) => trigger(id, { idempotencyKey: `key of ${id}` })));
  await Promise.all(LATER.map((id) => trigger(id, { delay: 30_000 })));
  await Promise.all(ENDED.map((id) => trigger(id)));
  await Promise.all(ENDED.map(approve));
}

/** Starts a script, and kills it with its children after a while. */
async function interrupt(
  script: "backup.sh" | "restore.sh",
  args: readonly string[],
  after: () => boolean,
): Promise<void> {
  const process = spawn(join(DIST, script), args, {
    env: { PATH: globalThis.process.env["PATH"] ?? "", HOLDFAST_DATA: data },
    stdio: "ignore",
  });
  const gone = once(process, "exit");
  while (process.exitCode === null && !after()) await delay(1);
  process.kill("SIGKILL");
  await gone;
}

/** Whether the newest restoration has written this file. */
function isWritten(file: string): boolean {
  if (!existsSync(data)) return false;
  const folders = readdirSync(data).filter((name) => name.startsWith(".restoring-work."));
  return folders.some((name) => existsSync(join(data, name, file)));
}

test.skipIf(WITHOUT_SQLITE)(
  "DUR14 each run that was acknowledged before a back-up under load ends or continues after the restoration, although both were killed",
  async () => {
    await prepare();
    const target = join(folder, "back-up 1");
    const traffic = load();
    await interrupt("backup.sh", [target], () => existsSync(`${target}.unfinished/holdfast-runs`));
    expect(existsSync(target)).toBe(false);
    const backup = await finish(run("backup.sh", [target]));
    expect(backup.status, backup.stderr).toBe(0);
    await traffic.stop();
    expect([...traffic.statuses].filter((status) => status >= 300)).toEqual([]);
    expect(readdirSync(folder).toSorted()).toEqual(["back-up 1", "data"]);
    const { runs } = JSON.parse(readFileSync(join(target, "manifest.json"), "utf8")) as { runs: number };
    expect(runs).toBeGreaterThanOrEqual(ALL.length);
    await kill(workerd);

    data = join(folder, "restored");
    const done: (() => boolean)[] = [
      () => existsSync(join(data, "holdfast-runs")),
      () => isWritten("port"),
      () => isWritten("ids.1"),
    ];
    for (const after of done) {
      await interrupt("restore.sh", [target], after);
      expect(await finish(run("start.sh"))).toMatchObject({
        status: 1,
        stderr: expect.stringContaining("is not completely restored. Run restore.sh again."),
      });
    }
    reported = [];
    const restored = await finish(run("restore.sh", [target]));
    expect(restored.status, restored.stderr).toBe(0);
    expect(reported).toEqual([]);
    expect(readdirSync(data).toSorted()).toEqual([".lock", "holdfast-coordinators", "holdfast-index", "holdfast-runs"]);

    await start({ HOLD: "true" });
    const before = await completedSteps(ALL);
    await kill(workerd);
    await start();
    // The runs that nobody asks for continue by their alarms.
    await expect
      .poll(() => LATER.filter((id) => !reported.includes(`${id}/charge/end`)), { timeout: 70_000, interval: 200 })
      .toEqual([]);
    await Promise.all([...WAITING, ...LATER].map(approve));
    await expect
      .poll(async () => new Set(await Promise.all(ALL.map(statusOf))), { timeout: 75_000, interval: 200 })
      .toEqual(new Set(["completed"]));
    const again = reported.map((edge) => edge.replace(/\/(start|end)$/, "")).filter((step) => before.includes(step));
    expect(again).toEqual([]);
    // The index has the runs of the back-up and no others, and the keys of the runs are theirs.
    const listed = (await ask("/api/runs?limit=100&workflowId=order")).body["runs"] as { id: string }[];
    expect(listed.length).toBeGreaterThan(0);
    for (const { id } of listed) expect([id, (await ask(`/api/runs/${id}`)).status]).toEqual([id, 200]);
    expect(await trigger("waiting-0", { idempotencyKey: "key of waiting-0" })).toBe(200);
  },
  240_000,
);
