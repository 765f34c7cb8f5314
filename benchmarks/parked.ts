/**
 * `pnpm load:parked [--runs N] [--due N]`: many stored runs on one self-hosted server.
 *
 * Owns: the measurement. It makes copies of a run that waits for a signal, and of one whose start is due, starts the
 * server with them, and measures the start, memory and open files, the wake of single runs, and the order in which the runs
 * that were due begin. It writes no file of the repository, and removes what it made.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync, statfsSync } from "node:fs";
import { createInterface } from "node:readline";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readArguments } from "@holdfast/local-runtime/arguments";
import { findFreePort } from "@holdfast/cli/free-port";
import { until } from "@holdfast/local-runtime/until";
import { inFlight } from "./measures/contest.ts";
import { residentBytes } from "./platform.ts";
import { timed } from "./rounds.ts";
import { copyRun } from "./run-copies.ts";
import { summarize } from "./statistics.ts";

const { values } = readArguments({
  options: { runs: { type: "string", default: "100000" }, due: { type: "string", default: "0" } },
});
const [RUNS, DUE] = [Number(values.runs), Number(values.due)];
const DEPLOYMENT = join(import.meta.dirname, "../deploy/self-host");
const TOKEN = "a-token-for-this-measurement";
const DAY_MS = 86_400_000;
/** A file of a run, and its log while it is in memory. */
const BYTES_A_RUN = 20_000;
const START_MS_MAX = 300_000;
/** Runs that were due begin at 50 a second. */
const DUE_MS_MAX = 600_000;
const WOKEN = 200;
const AT_ONCE = 50;

const data = mkdtempSync(join(tmpdir(), "holdfast-parked-"));

interface Server {
  readonly url: string;
  readonly process: ChildProcess;
  /** The runs that began, in order. */
  readonly began: readonly string[];
}

async function start(): Promise<Server> {
  const address = `127.0.0.1:${await findFreePort()}`;
  const child = spawn(join(DEPLOYMENT, "dist/start.sh"), {
    env: {
      PATH: process.env["PATH"] ?? "",
      API_TOKENS: TOKEN,
      HOLDFAST_DATA: data,
      HOLDFAST_ADDRESS: address,
      LOG_EVENTS: "all",
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  process.once("exit", () => child.kill("SIGKILL"));
  const began: string[] = [];
  createInterface({ input: child.stdout }).on("line", (line) => {
    const event = JSON.parse(line) as Readonly<Record<string, unknown>>;
    if (event["operation"] === "step/0/reserve") began.push(String(event["runId"]));
  });
  const url = `http://${address}`;
  await until("the server answers", START_MS_MAX, async () => {
    if (child.exitCode !== null) throw new Error(`start.sh ended with ${child.exitCode}`);
    const response = await fetch(`${url}/healthz`).catch(() => undefined);
    await response?.body?.cancel();
    return response?.ok ?? false;
  });
  return { url, process: child, began };
}

async function stop({ process: child }: Server): Promise<void> {
  const gone = once(child, "exit");
  child.kill("SIGKILL");
  await gone;
}

async function ask<T>(url: string, path: string, body?: object, wait = 0): Promise<T> {
  const response = await fetch(url + path, {
    headers: {
      Authorization: `Bearer ${TOKEN}`,
      "Content-Type": "application/json",
      ...(wait === 0 ? {} : { Prefer: `wait=${wait}` }),
    },
    ...(body === undefined ? {} : { method: "POST", body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${path} answered ${response.status}: ${text.slice(0, 300)}`);
  return JSON.parse(text) as T;
}

const idsOf = (kind: string, count: number): readonly string[] =>
  Array.from({ length: count }, (_none, place) => `${kind}-${String(place + 1).padStart(7, "0")}`);
const parkedIds = idsOf("park", RUNS);
const dueIds = idsOf("late", DUE);

/** Stores one run of each kind, and copies it. */
async function prepare(): Promise<void> {
  const { bavail, bsize } = statfsSync(data);
  if (bavail * bsize < 2 * BYTES_A_RUN * (RUNS + DUE)) throw new Error("there is too little free space on the disk");
  const server = await start();
  const order = { workflowId: "order", input: { orderId: "o-1", cents: 4_200 } };
  await ask(server.url, "/api/runs", { ...order, runId: "park-0000000" }, 30);
  await ask(server.url, "/api/runs", { ...order, runId: "late-0000000", delay: DAY_MS });
  await stop(server);
  const now = Date.now();
  copyRun({ data, runId: "park-0000000", ids: parkedIds, alarmAt: (place) => now + DAY_MS + place });
  // Each was due a millisecond after the one before it.
  copyRun({ data, runId: "late-0000000", ids: dueIds, alarmAt: (place) => now - DUE + place });
}

function openFiles(pid: number | undefined): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

function report(what: string, value: string): void {
  console.log(`  ${what.padEnd(48)} ${value}`);
}

const mebibytes = (server: Server): string => `${Math.round(residentBytes(server.process.pid) / 2 ** 20)} MiB`;

async function measureWakes({ url }: Server): Promise<void> {
  const approval = { name: "approval", payload: { ok: true, by: "load" } };
  const wake = async (id: string): Promise<number> =>
    timed(async () => {
      await ask(url, `/api/runs/${id}/signals`, approval);
      await ask(url, `/api/runs/${id}?view=result`, undefined, 60);
    });
  const total = Math.min(RUNS, 6 * WOKEN);
  const stride = Math.floor(RUNS / total);
  const woken = Array.from({ length: total }, (_none, place) => parkedIds[place * stride] ?? "");
  const many = woken.splice(Math.floor(total / 6));
  const samples: number[] = [];
  for (const id of woken) samples.push(await wake(id));
  const { median, p99 } = summarize(samples);
  report("a signal, until a run that left memory has ended", `p50 ${median.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`);
  const ms = await timed(() => inFlight(many.length, AT_ONCE, (place) => wake(many[place] ?? "")));
  report(`the same, ${AT_ONCE} at a time`, `${((many.length / ms) * 1_000).toFixed(0)} a second`);
}

/** Waits until all runs that were due have begun. */
async function watchDue(server: Server, startedAt: number): Promise<void> {
  const peak = { files: 0, bytes: 0 };
  await until(
    "the runs that were due begin",
    DUE_MS_MAX,
    () => {
      peak.files = Math.max(peak.files, openFiles(server.process.pid));
      peak.bytes = Math.max(peak.bytes, residentBytes(server.process.pid));
      return new Set(server.began).size >= DUE;
    },
    100,
  );
  report("all runs that were due have begun after", `${((performance.now() - startedAt) / 1_000).toFixed(1)} s`);
  report("most memory and open files", `${Math.round(peak.bytes / 2 ** 20)} MiB, ${peak.files} files`);
  const order = [...new Set(server.began)].map((id, place) => Math.abs(dueIds.indexOf(id) - place));
  const { median, p99 } = summarize(order);
  report("places between the due and the actual order", `p50 ${median}, p99 ${Math.round(p99)}`);
}

async function main(): Promise<void> {
  const built = spawnSync(process.execPath, [join(DEPLOYMENT, "build.ts")], { stdio: "ignore" });
  if (built.status !== 0) throw new Error("the build of the server failed");
  const preparedMs = await timed(prepare);
  console.log(`${RUNS} runs wait for a signal and ${DUE} are due. Preparing them took ${Math.round(preparedMs)} ms.`);
  const startedAt = performance.now();
  const server = await start();
  report("the server answers after", `${Math.round(performance.now() - startedAt)} ms`);
  report("memory then", mebibytes(server));
  report("open files then", String(openFiles(server.process.pid)));
  try {
    if (DUE > 0) await watchDue(server, startedAt);
    if (RUNS > 0) await measureWakes(server);
    report("memory at the end", mebibytes(server));
    report("disk", `${(folderBytes() / (RUNS + DUE) / 1_024).toFixed(1)} KiB a run`);
  } finally {
    await stop(server);
  }
}

function folderBytes(): number {
  const { stdout } = spawnSync("du", ["--summarize", "--block-size=1", data], { encoding: "utf8" });
  return Number(/^\d+/.exec(stdout)?.[0]);
}

process.once("exit", () => rmSync(data, { recursive: true, force: true, maxRetries: 5 }));
await main();
