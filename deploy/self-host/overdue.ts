/**
 * `pnpm overdue`: thousands of runs fall due while Holdfast is stopped, and all of them continue after the start (DUR13).
 *
 * Owns: the measurement. It triggers runs that start later, stops the process until all of them are due, starts it with a
 * hard limit of open files, and reads each journal: no attempt of a step may have failed. `RUNS` (4,000) and `FILES`
 * (20,000) set the numbers. It needs `prlimit`, and takes some minutes.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { kill, urlOf } from "./test/workerd-process.ts";

const HERE = import.meta.dirname;
const RUNS = Number(process.env["RUNS"] ?? 4_000);
const FILES = Number(process.env["FILES"] ?? 20_000);
const TOKEN = "a-token-for-this-measurement";
/** The time from the first trigger until all runs are due, ms. */
const DUE_AFTER_MS = Number(process.env["DUE_AFTER_MS"] ?? 180_000);
/** The time in which all runs must be done, ms. */
const DONE_WITHIN_MS = 600_000;
const AT_ONCE = 24;

const ids = Array.from({ length: RUNS }, (_, place) => `overdue-${place}`);
const data = mkdtempSync(join(tmpdir(), "holdfast-overdue-"));
/** The runs whose last step has called the server. */
const done = new Set<string>();
const counter = createServer((request, response) => {
  const [, runId = "", step, edge] = (request.url ?? "").split("/");
  if (step === "charge" && edge === "end") done.add(runId);
  response.end();
});
// workerd keeps an idle connection for up to 10 s. A server that closes it earlier makes the next fetch fail now and then.
counter.keepAliveTimeout = 60_000;

/** Starts the deployment under the limit of open files. */
async function start(): Promise<{ readonly workerd: ChildProcess; readonly url: string }> {
  const limit = `--nofile=${FILES}:${FILES}`;
  const workerd = spawn("prlimit", [limit, join(HERE, "dist/start.sh"), "--control-fd", "3"], {
    env: { PATH: process.env["PATH"] ?? "", API_TOKENS: TOKEN, HOLDFAST_DATA: data, HOLDFAST_ADDRESS: "127.0.0.1:0" },
    stdio: ["ignore", "ignore", "pipe", "pipe"],
  });
  workerd.stderr?.on("data", (text: Buffer) => process.stderr.write(text));
  return { workerd, url: await urlOf(workerd) };
}

async function ask(url: string, path: string, body?: object): Promise<unknown> {
  const response = await fetch(url + path, {
    headers: { Authorization: `Bearer ${TOKEN}`, "Content-Type": "application/json" },
    ...(body === undefined ? {} : { method: "POST", body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
  return response.json();
}

/** Does the work for each run, for some runs at a time. */
async function forEachRun(act: (runId: string) => Promise<void>): Promise<void> {
  const left = ids.values();
  const work = async (): Promise<void> => {
    for (const runId of left) await act(runId);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

async function triggerAll(url: string, dueAt: number): Promise<void> {
  const { port } = counter.address() as AddressInfo;
  await forEachRun(async (runId) => {
    const input = { orderId: runId, cents: 100, counterUrl: `http://127.0.0.1:${port}/${runId}`, shippingMs: 0 };
    await ask(url, "/api/runs", { workflowId: "order", runId, input, delay: Math.max(dueAt - Date.now(), 1) });
  });
}

/** Waits until all runs are done. Returns the largest number of open files, and of megabytes in memory. */
async function watch({ pid }: ChildProcess): Promise<{ readonly files: number; readonly megabytes: number }> {
  const peak = { files: 0, megabytes: 0 };
  const until = Date.now() + DONE_WITHIN_MS;
  while (done.size < RUNS) {
    if (peak.files >= FILES) throw new Error(`all ${FILES} files are open, and ${done.size} of ${RUNS} runs are done`);
    if (Date.now() > until) throw new Error(`only ${done.size} of ${RUNS} runs are done after ${DONE_WITHIN_MS} ms`);
    peak.files = Math.max(peak.files, readdirSync(`/proc/${pid}/fd`).length);
    const [, kilobytes] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
    peak.megabytes = Math.max(peak.megabytes, Math.round(Number(kilobytes) / 1_024));
    await delay(500);
  }
  return peak;
}

/** Returns an error of each run with a failed attempt of a step. */
async function findErrors(url: string): Promise<string[]> {
  const errors: string[] = [];
  await forEachRun(async (runId) => {
    const { entries } = (await ask(url, `/api/runs/${runId}/journal`)) as {
      entries: { error?: { message: string } }[];
    };
    const failed = entries.find(({ error }) => error !== undefined);
    if (failed?.error !== undefined) errors.push(failed.error.message);
  });
  return errors;
}

async function measure(): Promise<void> {
  await once(counter.listen(0, "127.0.0.1"), "listening");
  const dueAt = Date.now() + DUE_AFTER_MS;
  const first = await start();
  try {
    await triggerAll(first.url, dueAt);
  } finally {
    await kill(first.workerd);
  }
  if (Date.now() > dueAt) throw new Error("the runs were due before all were triggered: set DUE_AFTER_MS higher");
  console.log(`${RUNS} runs wait. All are due in ${Math.round((dueAt - Date.now()) / 1_000)} s.`);
  await delay(dueAt - Date.now() + 1_000);
  const restartedAt = performance.now();
  const { workerd, url } = await start();
  try {
    const { files, megabytes } = await watch(workerd);
    const seconds = ((performance.now() - restartedAt) / 1_000).toFixed(1);
    const errors = await findErrors(url);
    console.log(
      `${RUNS} overdue runs were done ${seconds} s after the start, with ${files} of ${FILES} open files and ${megabytes} MB. Runs with a failed attempt: ${errors.length}.`,
    );
    if (errors.length > 0) {
      console.error([...new Set(errors)].join("\n"));
      process.exitCode = 1;
    }
  } finally {
    await kill(workerd);
  }
}

const built = spawnSync(process.execPath, [join(HERE, "build.ts")], { stdio: "inherit" });
if (built.status !== 0) throw new Error("the build failed");
try {
  await measure();
} finally {
  counter.closeAllConnections();
  counter.close();
  rmSync(data, { recursive: true, force: true, maxRetries: 5 });
}
