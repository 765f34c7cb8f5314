/**
 * `pnpm soak --minutes M --kill-every S --seed N --rate R`: runs mixed workflows over every dispatcher on real workerd,
 * while the processes are killed and frozen and the disk fails.
 *
 * Owns: the order of events, the faults, the tables, and the exit code. The code is 1 if a run was lost, is stuck or has
 * a wrong result, or if a durable step was executed again.
 */
import { setTimeout as delay } from "node:timers/promises";
import { readArguments } from "@holdfast/local-runtime/arguments";
import { ProgressLine, paint, printTable } from "@holdfast/local-runtime/terminal";
import { Random } from "../simulator/random.ts";
import { SoakProcesses } from "./processes.ts";
import { Caller } from "./caller.ts";
import { type SoakRun, startRun } from "./runs.ts";
import { type Verdict, judge } from "./verdict.ts";

const { values } = readArguments({
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

/** The maximum number of runs in flight. With more, the machine itself becomes the bottleneck. */
const OPEN_MAX = 60;
/** The time bound for runs after the last fault, ms. */
const COMPLETION_MS_MAX = 120_000;

/** The longest step of the clock, ms. The clock of the runs is never earlier than that of the machine. */
const CLOCK_SHIFT_MS_MAX = 20_000;

/** Connections that one fault of the proxy breaks. */
const CONNECTIONS_BROKEN = 6;

const random = new Random(seed);
const faults = new Map<string, number>();
const runs: SoakRun[] = [];

await main();

async function main(): Promise<void> {
  console.log(`\n  ${paint("bold", "Holdfast")}: ${minutes} minutes of faults, seed ${seed}.\n`);
  const processes = await SoakProcesses.start();
  const caller = new Caller(processes.url, new Random(seed + 1));
  const startedAt = performance.now();
  const progress = new ProgressLine(() => describeProgress(startedAt));
  try {
    const end = performance.now() + minutes * 60_000;
    const ended = await Promise.all([load(caller, end), injectFaults(processes, end)]).then(([all]) => all);
    await Promise.race([Promise.all(ended), delay(COMPLETION_MS_MAX, undefined, { ref: false })]);
    // Kill once more, so that the results are read from the disk and not from memory.
    await processes.killWorkerd();
    const verdict = await judge(caller, runs, processes.effects());
    const { ended: crashed, unresponsive } = processes.stepProcesses;
    faults.set("a body blocks a Node process", unresponsive);
    const crashes = crashed === 0 ? [] : [`a Node process of the steps ended ${crashed} times without a fault`];
    const { counts } = processes.proxy;
    const unconnected = counts.connections === 0 ? ["no run had a connection to a Node process"] : [];
    progress.end();
    const findings = [...verdict.findings, ...crashes, ...unconnected];
    report({ ...verdict, findings }, caller, counts, performance.now() - startedAt);
  } finally {
    await processes.end();
  }
}

/** Starts runs at a bounded rate. */
async function load(caller: Caller, end: number): Promise<Promise<void>[]> {
  const ended: Promise<void>[] = [];
  for (let number = 1; performance.now() < end; number++) {
    await delay(1_000 / rate);
    while (runs.filter(({ state }) => state === "open").length >= OPEN_MAX) await delay(50);
    const started = startRun(caller, random, number);
    runs.push(started.run);
    ended.push(started.ended);
  }
  return ended;
}

/** Injects one fault after another, until shortly before the end. */
async function injectFaults(processes: SoakProcesses, end: number): Promise<void> {
  let hasFrozenLong = false;
  for (let first = true; performance.now() < end - 2_000; first = false) {
    await delay(killEvery * 1_000 * (0.5 + random.next()));
    // A short soak has this fault, too.
    const roll = first ? 0 : random.next();
    const any = random.below(2);
    if (roll < 0.25) await inject("SIGKILL workerd", () => processes.killWorkerd());
    else if (roll < 0.4) await inject("SIGKILL Node", () => processes.killSteps(any));
    else if (roll < 0.44) await inject("SIGTERM Node", () => processes.terminateSteps(any));
    else if (roll < 0.52) await injectInProxy(processes);
    else if (roll < 0.59)
      await inject("SIGKILL both", () => Promise.all([processes.killWorkerd(), processes.killSteps(any)]));
    else if (roll < 0.66) await inject("SIGSTOP workerd", () => processes.freezeWorkerd(1_000 + random.next() * 5_000));
    else if (roll < 0.71) await inject("redeploy the sibling", () => processes.redeploySibling());
    else if (roll < 0.78) await inject("clock forward", () => processes.shiftClock(random.next() * CLOCK_SHIFT_MS_MAX));
    else if (roll < 0.84) await inject("clock back", () => processes.shiftClock(0));
    else if (roll < 0.91) {
      // One freeze takes longer than the longest watchdog interval (30 s).
      const ms: number = hasFrozenLong || end - performance.now() < 45_000 ? 1_000 + random.next() * 6_000 : 33_000;
      hasFrozenLong ||= ms > 30_000;
      await inject(ms > 30_000 ? "SIGSTOP Node, 33 s" : "SIGSTOP Node", () => processes.freezeSteps(any, ms));
    } else await inject("disk full", () => processes.fillDisk(500 + random.next() * 1_500));
  }
}

/** A refused upgrade makes turns requests for ten minutes, or until workerd is killed: so it is rare. */
async function injectInProxy({ proxy }: SoakProcesses): Promise<void> {
  const roll = random.next();
  if (roll < 0.15) await inject("the proxy refuses an upgrade", async () => proxy.refuseNext());
  else {
    const pieces = Array.from({ length: CONNECTIONS_BROKEN }, () => 1 + random.below(8));
    if (roll < 0.7) await inject("the proxy cuts connections", async () => proxy.breakNext("cut", pieces));
    else await inject("the proxy passes nothing on", async () => proxy.breakNext("silent", pieces));
  }
}

async function inject(name: string, act: () => Promise<unknown>): Promise<void> {
  faults.set(name, (faults.get(name) ?? 0) + 1);
  await act();
}

function describeProgress(startedAt: number): string {
  const seconds = Math.round((performance.now() - startedAt) / 1_000);
  const open = runs.filter(({ state }) => state === "open").length;
  const first = runs.flatMap(({ id, problems }) => problems.slice(0, 1).map((problem) => `${id}: ${problem}`));
  const injected = [...faults.values()].reduce((sum, times) => sum + times, 0);
  const wrong = runs.filter(({ problems }) => problems.length > 0).length;
  return `${seconds} s  ${injected} faults, ${runs.length} runs, ${open} open, ${wrong} wrong ${first.slice(0, 2).join("; ")}`;
}

/** The tables of runs by dispatcher, and of faults. */
function printRuns(): void {
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
}

function report(
  { findings, steps, effects, repeated, deleted }: Verdict,
  caller: Caller,
  proxied: SoakProcesses["proxy"]["counts"],
  ms: number,
): void {
  printRuns();
  const { requests, repeated: again, lost, deliveries } = caller.counts;
  printTable(
    ["what", "count"],
    [
      ["requests", requests],
      ["requests repeated without an answer", again],
      ["answers discarded on purpose", lost],
      ["deliveries", deliveries],
      ["connections to the Node processes", proxied.connections],
      ["connections that the proxy cut, or silenced", proxied.cut + proxied.silent],
      ["upgrades that the proxy refused", proxied.refused],
      ["runs deleted", deleted],
      ["durable steps with an external effect", steps],
      ["effects recorded", effects],
      ["effects of interrupted or failed attempts", repeated],
    ],
  );
  for (const finding of findings.slice(0, 20)) console.log(`  ${finding.slice(0, 600)}`);
  const verdict =
    findings.length === 0
      ? paint(["green", "bold"], "No run is lost, stuck or wrong, and no durable step was repeated.")
      : paint(["red", "bold"], `${findings.length} findings.`);
  console.log(
    `\n  ${verdict} ${Math.round(ms / 1_000)} s. Repeat with: pnpm soak --minutes ${minutes} --kill-every ${killEvery} --seed ${seed}\n`,
  );
  process.exitCode = findings.length === 0 ? 0 : 1;
}
