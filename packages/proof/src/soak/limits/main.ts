/**
 * `pnpm soak:limits --runs N --max M --kill-every S`: runs of workflows that share a limit, on real workerd that is killed
 * again and again. A recorder that is never killed counts the bodies that execute at the same time.
 *
 * Owns: the load, the kills, and the exit code. The code is 1 if more bodies than places ever executed, if a run has not
 * ended, or if the limit holds or queues anything afterwards (L1, L2).
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { readArguments } from "@holdfast/local-runtime/arguments";
import { bundleWorker } from "@holdfast/cli/bundle";
import { ProgressLine, paint, printTable } from "@holdfast/local-runtime/terminal";
import { killAndAwaitNext, watchWorkerd } from "@holdfast/local-runtime/workerd-process";
import { Miniflare, convertV4MiniflareOptions } from "miniflare";
import { Random } from "../../simulator/random.ts";
import { Caller } from "../caller.ts";
import type { Recorded } from "./recorder-process.ts";

const { values } = readArguments({
  options: {
    runs: { type: "string", default: "1000" },
    max: { type: "string", default: "5" },
    "kill-every": { type: "string", default: "5" },
    "body-ms": { type: "string", default: "60" },
    seed: { type: "string", default: String(Math.floor(Math.random() * 1e9)) },
  },
});
const [count, max, killEvery, bodyMs, seed] = [
  values.runs,
  values.max,
  values["kill-every"],
  values["body-ms"],
  values.seed,
].map(Number) as [number, number, number, number, number];

/** How many triggers are in flight. */
const TRIGGERS_MAX = 10;
/** The time in which something must end while processes are killed. After it, the runs are stuck. */
const STUCK_MS = 240_000;
/** The time after the last end in which the limit is empty again (L2). */
const FREED_MS = 90_000;
const WORKFLOWS = ["whole", "active", "steps"];

interface Processes {
  readonly url: string;
  kill(): Promise<void>;
  recorded(): Promise<Recorded>;
  end(): Promise<void>;
}

interface Progress {
  started: number;
  kills: number;
  readonly open: Set<string>;
  readonly findings: string[];
}

await main();

async function main(): Promise<void> {
  console.log(
    `\n  ${paint("bold", "Holdfast")}: ${count} runs at ${max} places, a kill every ${killEvery} s, seed ${seed}.\n`,
  );
  const processes = await startProcesses();
  const caller = new Caller(processes.url, new Random(seed));
  const state: Progress = { started: 0, kills: 0, open: new Set(), findings: [] };
  const startedAt = performance.now();
  const line = new ProgressLine(
    () => `${seconds(startedAt)} s  ${state.started} runs, ${state.open.size} open, ${state.kills} kills`,
  );
  try {
    const over = new AbortController();
    const kills = killUntil(processes, state, over.signal);
    await load(caller, state);
    await untilAllEnded(caller, state);
    over.abort();
    await kills;
    const left = await untilFreed(caller);
    line.end();
    report(state, await processes.recorded(), left, startedAt);
  } finally {
    await processes.end();
  }
}

async function load(caller: Caller, state: Progress): Promise<void> {
  let next = 0;
  const one = async (): Promise<void> => {
    for (let number = next++; number < count; number = next++) {
      const runId = `run-${number}`;
      await caller.trigger(runId, WORKFLOWS[number % WORKFLOWS.length] ?? "whole", {});
      state.started += 1;
      state.open.add(runId);
    }
  };
  await Promise.all(Array.from({ length: TRIGGERS_MAX }, one));
}

/** Kills workerd at random moments around the period, while runs are open. */
async function killUntil(processes: Processes, state: Progress, over: AbortSignal): Promise<void> {
  const random = new Random(seed + 1);
  for (;;) {
    await delay(killEvery * 1_000 * (0.5 + random.next()), undefined, { signal: over }).catch(() => {});
    if (over.aborted) return;
    await processes.kill();
    state.kills += 1;
  }
}

async function untilAllEnded(caller: Caller, { open, findings }: Progress): Promise<void> {
  let movedAt = performance.now();
  while (open.size > 0 && performance.now() - movedAt < STUCK_MS) {
    for (const runId of [...open].slice(0, 40)) {
      const { status } = await caller.read(runId);
      if (!["completed", "failed", "cancelled"].includes(status)) continue;
      open.delete(runId);
      movedAt = performance.now();
      if (status !== "completed") findings.push(`${runId} is ${status}`);
    }
    await delay(200);
  }
  for (const runId of open) findings.push(`${runId} has not ended: ${(await caller.read(runId)).status}`);
}

/** Waits until nothing holds or waits. Returns what is left. */
async function untilFreed(caller: Caller): Promise<string | undefined> {
  const end = performance.now() + FREED_MS;
  for (;;) {
    const { limits } = await caller.ask<{ limits: { held: number; queued: number }[] }>("/api/limits");
    const left = limits.filter(({ held, queued }) => held + queued > 0);
    if (left.length === 0) return undefined;
    if (performance.now() > end) return JSON.stringify(left).slice(0, 600);
    await delay(1_000);
  }
}

function report({ kills, findings }: Progress, recorded: Recorded, left: string | undefined, startedAt: number): void {
  const { bodies, interrupted, most, over, overMs, first } = recorded;
  printTable(
    ["what", "count"],
    [
      ["runs", count],
      ["kills of workerd", kills],
      ["bodies", bodies],
      ["bodies whose process died", interrupted],
      [`most runs at the same time (of ${max})`, most],
      ["bodies that began over the limit", over],
      ["time over the limit, ms", Math.round(overMs)],
    ],
  );
  const wrong = [
    ...findings,
    ...(over === 0 ? [] : [`${over} bodies began over the limit, first beside ${first.join(", ")}`]),
    ...(left === undefined ? [] : [`the limit still has ${left}`]),
  ];
  for (const finding of wrong.slice(0, 20)) console.log(`  ${finding}`);
  const verdict =
    wrong.length === 0
      ? paint(["green", "bold"], "Never too many, none stuck, nothing left.")
      : paint(["red", "bold"], `${wrong.length} findings.`);
  console.log(`\n  ${verdict} ${seconds(startedAt)} s.\n`);
  process.exitCode = wrong.length === 0 ? 0 : 1;
}

async function startProcesses(): Promise<Processes> {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-soak-limits-"));
  const recorder = fork(fileOf("recorder-process.ts"), [String(max), String(bodyMs)], {
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const [port] = (await once(recorder, "message")) as [number];
  const workerd = watchWorkerd();
  const runtime = new Miniflare(
    convertV4MiniflareOptions({
      cf: false,
      telemetry: { enabled: false },
      resourcePersistencePath: join(folder, "storage"),
      // Processes that are killed on purpose write long logs.
      handleStructuredLogs: () => {},
      workers: [await worker(port)],
    }),
  );
  const url = (await runtime.ready).origin;
  return {
    url,
    kill: () => killAndAwaitNext(workerd, url),
    recorded: () => ask(recorder),
    async end() {
      await runtime.dispose();
      recorder.disconnect();
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

async function ask(recorder: ChildProcess): Promise<Recorded> {
  const answer = once(recorder, "message");
  recorder.send("recorded");
  const [recorded] = (await answer) as [Recorded];
  return recorded;
}

async function worker(port: number) {
  return {
    name: "soak-limits",
    modules: true as const,
    script: await bundleWorker(fileOf("../worker/limits.ts")),
    compatibilityDate: "2026-10-01",
    compatibilityFlags: ["nodejs_compat"],
    bindings: { RECORDER_URL: `http://127.0.0.1:${port}`, MAX: String(max) },
    durableObjects: {
      WORKFLOW_RUN_DO: { className: "WorkflowRunDO", useSQLite: true },
      RUN_INDEX_DO: { className: "RunIndexDO", useSQLite: true },
      COORDINATOR_DO: { className: "CoordinatorDO", useSQLite: true },
    },
  };
}

function fileOf(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}

function seconds(since: number): number {
  return Math.round((performance.now() - since) / 1_000);
}
