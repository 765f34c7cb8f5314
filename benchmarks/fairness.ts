/**
 * `pnpm bench:fairness [--share 0.02] [--only TEXT]`: measures how long other requests wait while a workerd with storage on disk does much at once.
 *
 * Writes FAIRNESS.md. `--share 0.02` does a part of the work, and `--only TEXT` the cases that contain the text. Both write nothing.
 */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { readArguments } from "@holdfast/local-runtime/arguments";
import { HOST_LIMITS } from "@holdfast/protocol";
import { type BenchPlatform, startPlatform } from "./platform.ts";
import { describeMachine } from "./report.ts";

const { values } = readArguments({ options: { share: { type: "string", default: "1" }, only: { type: "string" } } });
const share = Number(values.share);

const WORK_MS_MAX = 600_000;
/** Requests in flight while runs are started for a case. */
const WIDTH = 16;

interface Case {
  readonly what: string;
  readonly n: number;
  /** What happens before the others are measured. */
  readonly before?: (on: BenchPlatform, n: number) => Promise<unknown>;
  readonly work: (on: BenchPlatform, n: number) => Promise<unknown>;
}

const hour = 3_600_000;
/** When all schedules of a case are due, ms since 1970. */
let dueAt = 0;
/** The ticks of a backfill end at this time, which is past. */
const UNTIL = Math.floor(Date.now() / hour) * hour;

const CASES: readonly Case[] = [
  { what: "nothing for a second", n: 1, work: () => delay(1_000) },
  { what: "children at once, inline", n: 900, work: (on, n) => runOf(on, "inline", "children", n) },
  { what: "children at once, RPC", n: 900, work: (on, n) => runOf(on, "rpc", "children", n) },
  { what: "runs that wait for one event", n: 2_000, before: (on, n) => subscribe(on, n, "k"), work: sendEvent },
  {
    what: "runs that one request cancels",
    n: HOST_LIMITS.bulkRuns,
    before: (on, n) => subscribe(on, n, "never"),
    work: (on, n) => on.ask("/api/runs/bulk", { json: { action: "cancel", ids: subscribers(n, "never") } }),
  },
  { what: "chunks of a stream at once, RPC", n: 10_000, work: (on, n) => runOf(on, "rpc", "stream", n) },
  {
    what: "parallel steps that end at once, inline",
    n: 2_000,
    work: (on, n) => runOf(on, "inline", "parallel", { n, ms: 0 }),
  },
  {
    what: "parallel steps that end at once, RPC",
    n: 2_000,
    work: (on, n) => runOf(on, "rpc", "parallel", { n, ms: 0 }),
  },
  { what: "steps one after the other, inline", n: 10_000, work: (on, n) => runOf(on, "inline", "steps", n) },
  { what: "steps one after the other, RPC", n: 2_000, work: (on, n) => runOf(on, "rpc", "steps", n) },
  { what: "ticks of a backfill that begins", n: 9_900, before: createSchedule, work: backfill },
  { what: "runs that are due at the same moment", n: 900, before: delayRuns, work: untilCompleted },
  { what: "schedules that are due at the same moment", n: 300, before: createSchedules, work: untilCompleted },
];

interface Line {
  readonly what: string;
  readonly n: number;
  readonly longestMs: number;
  readonly answers: number;
  readonly seconds: number;
}

const startedAt = performance.now();
const lines: Line[] = [];
for (const one of CASES.filter(({ what }) => what.includes(values.only ?? ""))) {
  lines.push(await measure(one));
  console.log(rowOf(lines.at(-1) as Line));
}
const text = report(lines, (performance.now() - startedAt) / 1_000);
if (share === 1 && values.only === undefined) {
  writeFileSync(new URL("FAIRNESS.md", import.meta.url), text);
  execFileSync(join(import.meta.dirname, "../node_modules/.bin/oxfmt"), ["FAIRNESS.md"], { cwd: import.meta.dirname });
}

/** Measures the requests of another caller, one after the other, until the work is done. */
async function measure({ what, n: all, before, work }: Case): Promise<Line> {
  const n = Math.max(1, Math.ceil(all * share));
  const platform = await startPlatform();
  try {
    await before?.(platform, n);
    await platform.ask("/healthz");
    const state = { isOver: false };
    const start = performance.now();
    const done = work(platform, n).finally(() => (state.isOver = true));
    let [longestMs, answers] = [0, 0];
    for (; !state.isOver; answers++) {
      const sentAt = performance.now();
      await platform.ask("/healthz");
      longestMs = Math.max(longestMs, performance.now() - sentAt);
    }
    await done;
    return { what, n, longestMs, answers, seconds: (performance.now() - start) / 1_000 };
  } finally {
    await platform.dispose();
  }
}

/** Starts a run, and waits for its end. */
async function runOf(on: BenchPlatform, pipe: "inline" | "rpc", workflowId: string, input: unknown): Promise<void> {
  const runId = `${pipe}-${workflowId}`;
  await on.ask("/api/runs?view=summary", { json: { runId, workflowId, input } });
  await until(async () => {
    const { status } = await on.ask<{ status: string }>(`/api/runs/${runId}?view=summary`, { wait: 30 });
    if (!["pending", "running", "waiting", "completed"].includes(status)) throw new Error(`${runId} is ${status}`);
    return status === "completed";
  });
}

function subscribers(n: number, key: string): string[] {
  return Array.from({ length: n }, (_, i) => `inline-${key}-${i}`);
}

/** Starts runs that wait for an event with a key. */
async function subscribe(on: BenchPlatform, n: number, key: string): Promise<void> {
  const left = subscribers(n, key);
  const startSome = async (): Promise<void> => {
    for (let runId = left.pop(); runId !== undefined; runId = left.pop())
      await on.ask("/api/runs?view=summary", { json: { runId, workflowId: "subscriber", input: key }, wait: 60 });
  };
  await Promise.all(Array.from({ length: WIDTH }, startSome));
}

async function sendEvent(on: BenchPlatform): Promise<void> {
  await on.ask("/api/events", { json: { name: "news", key: "k", data: { key: "k" } } });
  await until(async () => (await on.ask<{ subscribers: number }>("/api/topics/news/k")).subscribers === 0);
}

function createSchedule(on: BenchPlatform): Promise<unknown> {
  const json = { id: "hourly", workflow: "child", cron: "0 * * * *", tz: "Europe/Berlin" };
  return on.ask("/api/schedules", { json });
}

/** The first runs start meanwhile. */
async function backfill(on: BenchPlatform, n: number): Promise<void> {
  const range = { from: new Date(UNTIL - n * hour).toISOString(), until: new Date(UNTIL).toISOString() };
  await on.ask("/api/schedules/hourly/backfill", { json: range });
}

/** Creates what is due together with the others. */
async function untilDue(n: number, create: (i: number) => Promise<unknown>): Promise<void> {
  dueAt = (Math.ceil(Date.now() / 1_000) + Math.ceil(n / 20)) * 1_000;
  const left = Array.from({ length: n }, (_, i) => i);
  const createSome = async (): Promise<void> => {
    for (let i = left.pop(); i !== undefined; i = left.pop()) await create(i);
  };
  await Promise.all(Array.from({ length: WIDTH }, createSome));
  if (Date.now() > dueAt) throw new Error("They were created too late.");
  await delay(dueAt - Date.now());
}

function delayRuns(on: BenchPlatform, n: number): Promise<void> {
  return untilDue(n, (i) =>
    on.ask("/api/runs", { json: { runId: `inline-due-${i}`, workflowId: "child", delay: dueAt - Date.now() } }),
  );
}

function createSchedules(on: BenchPlatform, n: number): Promise<void> {
  return untilDue(n, (i) => {
    const at = [new Date(dueAt).toISOString()];
    return on.ask("/api/schedules", { json: { id: `due-${i}`, workflow: "child", at, tz: "UTC" } });
  });
}

async function untilCompleted(on: BenchPlatform, n: number): Promise<void> {
  await until(async () => {
    const { workflows } = await on.ask<{ workflows: readonly { runs: { completed?: number } }[] }>("/api/counts");
    await delay(100);
    return (workflows[0]?.runs.completed ?? 0) >= n;
  });
}

async function until(isDone: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + WORK_MS_MAX;
  while (!(await isDone()))
    if (performance.now() > end) throw new Error(`The work was not done within ${WORK_MS_MAX / 1_000} s.`);
}

function rowOf({ what, n, longestMs, answers, seconds }: Line): string {
  return `| ${what} | ${n.toLocaleString("en")} | ${Math.round(longestMs).toLocaleString("en")} | ${answers.toLocaleString("en")} | ${seconds.toFixed(1)} |`;
}

function report(all: readonly Line[], seconds: number): string {
  const require = createRequire(import.meta.url);
  const versionOf = (name: string): string => (require(`${name}/package.json`) as { readonly version: string }).version;
  const machine = describeMachine({ workerd: versionOf("workerd"), miniflare: versionOf("miniflare") });
  return `# What keeps other requests waiting, ${new Date().toISOString().slice(0, 10)}

Written by \`pnpm bench:fairness\`. One workerd with storage on disk, without a development server. Another caller sends \`GET /healthz\`,
one after the other, while something happens n times. There is one sample of each. 250 ms is the aim for the longest wait.

${machine.cores} cores of ${machine.cpu}, ${machine.memory}, ${machine.system}; Node ${machine.node}, workerd ${machine.workerd}. The run took ${Math.round(seconds)} s.

| what | n | longest wait, ms | answers meanwhile | seconds |
| --- | --- | --- | --- | --- |
${all.map(rowOf).join("\n")}
`;
}
