/**
 * `pnpm soak --minutes M --kill-every S --seed N --rate R`: mixed workflows over every dispatcher on real workerd, while
 * everything that can die does.
 *
 * Owns: the order of events, the faults, the table, and the exit code: 1 if anything was lost, stuck, wrong, or done again
 * after it was durable.
 */
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { ProgressLine, paint, printTable } from "@holdfast/cli/terminal";
import { Random } from "../simulator/random.ts";
import { Battlefield } from "./processes.ts";
import { Caller } from "./caller.ts";
import { type SoakRun, startRun } from "./runs.ts";
import { type Verdict, judge } from "./verdict.ts";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "5" },
    "kill-every": { type: "string", default: "3" },
    seed: { type: "string", default: String(Math.floor(Math.random() * 1e9)) },
    rate: { type: "string", default: "6" },
  },
});
const [minutes, killEvery, seed, rate] = [values.minutes, values["kill-every"], values.seed, values.rate].map(
  Number,
) as [number, number, number, number];

/** Runs in flight: what this machine carries without being the bottleneck. */
const OPEN_MAX = 60;
/** How long runs may take when nothing hinders them any more. */
const PATIENCE_MS = 120_000;

const random = new Random(seed);
const faults = new Map<string, number>();
const runs: SoakRun[] = [];

await main();

async function main(): Promise<void> {
  console.log(`\n  ${paint("bold", "Holdfast")}: ${minutes} minutes under fire, seed ${seed}.\n`);
  const field = await Battlefield.start();
  const caller = new Caller(field.url, new Random(seed + 1));
  const startedAt = performance.now();
  const progress = new ProgressLine(() => describeProgress(startedAt));
  try {
    const end = performance.now() + minutes * 60_000;
    const over = await Promise.all([load(caller, end), storm(field, end)]).then(([all]) => all);
    await Promise.race([Promise.all(over), delay(PATIENCE_MS, undefined, { ref: false })]);
    // Once more, so that what is judged comes from the disk and from nowhere else.
    await field.killWorkerd();
    const verdict = await judge(caller, runs, field.effects());
    progress.end();
    report(verdict, caller, performance.now() - startedAt);
  } finally {
    await field.end();
  }
}

/** Starts runs at a bounded rate. */
async function load(caller: Caller, end: number): Promise<Promise<void>[]> {
  const over: Promise<void>[] = [];
  for (let number = 1; performance.now() < end; number++) {
    await delay(1_000 / rate);
    while (runs.filter(({ state }) => state === "open").length >= OPEN_MAX) await delay(50);
    const started = startRun(caller, random, number);
    runs.push(started.run);
    over.push(started.over);
  }
  return over;
}

/** One fault after another, until shortly before the end. */
async function storm(field: Battlefield, end: number): Promise<void> {
  let frozeLong = false;
  while (performance.now() < end - 2_000) {
    await delay(killEvery * 1_000 * (0.5 + random.next()));
    const roll = random.next();
    if (roll < 0.35) await strike("SIGKILL workerd", () => field.killWorkerd());
    else if (roll < 0.6) await strike("SIGKILL Node", () => field.killSteps());
    else if (roll < 0.7) await strike("SIGKILL both", () => Promise.all([field.killWorkerd(), field.killSteps()]));
    else if (roll < 0.8) await strike("SIGSTOP workerd", () => field.freeze("workerd", 1_000 + random.next() * 5_000));
    else if (roll < 0.9) {
      // Once for longer than any watchdog waits.
      const ms: number = frozeLong || end - performance.now() < 45_000 ? 1_000 + random.next() * 6_000 : 33_000;
      frozeLong ||= ms > 30_000;
      await strike(ms > 30_000 ? "SIGSTOP Node, 33 s" : "SIGSTOP Node", () => field.freeze("steps", ms));
    } else await strike("disk full", () => field.fillDisk(500 + random.next() * 1_500));
  }
}

async function strike(name: string, act: () => Promise<unknown>): Promise<void> {
  faults.set(name, (faults.get(name) ?? 0) + 1);
  await act();
}

function describeProgress(startedAt: number): string {
  const seconds = Math.round((performance.now() - startedAt) / 1_000);
  const open = runs.filter(({ state }) => state === "open").length;
  const struck = [...faults.values()].reduce((sum, times) => sum + times, 0);
  const wrong = runs.filter(({ problems }) => problems.length > 0).length;
  return `${seconds} s  ${struck} faults, ${runs.length} runs, ${open} open, ${wrong} wrong`;
}

function report({ findings, steps, effects, repeated }: Verdict, caller: Caller, ms: number): void {
  const kinds = [...new Set(runs.map(({ kind }) => kind))].toSorted((a, b) => a.localeCompare(b));
  printTable(
    ["runs", "started", "ended", "wrong"],
    kinds.map((kind) => {
      const these = runs.filter((run) => run.kind === kind);
      const ended = these.filter(({ state }) => state === "ended").length;
      return [kind, these.length, ended, these.filter(({ problems }) => problems.length > 0).length];
    }),
  );
  printTable(
    ["faults", "times"],
    [...faults].toSorted(([a], [b]) => a.localeCompare(b)),
  );
  const { requests, repeated: again, lost, deliveries } = caller.counts;
  printTable(
    ["what", "count"],
    [
      ["requests", requests],
      ["requests repeated for want of an answer", again],
      ["answers lost on purpose", lost],
      ["deliveries", deliveries],
      ["steps with an outside effect, durable", steps],
      ["effects seen outside", effects],
      ["effects of an attempt that was cut off, or failed", repeated],
    ],
  );
  for (const finding of findings.slice(0, 20)) console.log(`  ${finding.slice(0, 600)}`);
  const verdict =
    findings.length === 0
      ? paint(["green", "bold"], "Nothing lost, stuck, wrong or done again.")
      : paint(["red", "bold"], `${findings.length} findings.`);
  console.log(
    `\n  ${verdict} ${Math.round(ms / 1_000)} s. Again with: pnpm soak --minutes ${minutes} --kill-every ${killEvery} --seed ${seed}\n`,
  );
  process.exitCode = findings.length === 0 ? 0 : 1;
}
