/**
 * The picture of docs/tutorial/2-kill-it.md: a step that failed once, and whose second attempt is killed.
 *
 * Owns: the run of the page's last program on the in-memory host, with a kill while the carrier is slow. The keys are those
 * that the program prints.
 */
import { drawParts } from "./kill.ts";
import { hostOf } from "./page-run.ts";
import type { Figure } from "./svg.ts";

interface KilledRun {
  readonly output: unknown;
  /** What the program printed, before and after the kill. */
  readonly before: readonly string[];
  readonly after: readonly string[];
}

export async function drawKilledAttempt(): Promise<Figure> {
  const { before, after } = await recordKilledAttempt();
  const [charge = "", first = "", second = ""] = before;
  const [again = ""] = after;
  const isSame = keyOf(again) === keyOf(second) && keyOf(first) === keyOf(second);
  const which = isSame ? "the same" : "another";
  const label = (line: string): string => `${nameOf(line)}, ${attemptOf(line)}`;
  return drawParts(
    {
      name: "killed-attempt",
      title: "A kill while a step executes",
      description: `The journal has the result of ${nameOf(charge)} and the error of ${attemptOf(first)} of ${nameOf(first)}. The process is killed during ${attemptOf(second)}. Afterwards only ${attemptOf(again)} executes again, with ${which} key.`,
    },
    [
      { label: nameOf(charge), stored: true, before: "✓ stored", after: "✓ from the journal" },
      { label: label(first), stored: true, before: "✕ failed, stored", after: "✓ from the journal" },
      { label: label(again), stored: false, before: "executes", after: `executes again, ${which} key` },
    ],
  );
}

/** Executes the run of the page. The carrier answers the second attempt only after the kill. */
export async function recordKilledAttempt(): Promise<KilledRun> {
  const host = await hostOf("docs/tutorial/2-kill-it.md", "src/order.ts");
  const printed: string[] = [];
  const { log } = console;
  const { setTimeout } = globalThis;
  let isKilled = false;
  console.log = (line: string) => void printed.push(line);
  const slow = (act: () => void, ms?: number): unknown => {
    if (ms !== CARRIER_MS) return setTimeout(act, ms);
    if (isKilled) act();
    return undefined;
  };
  globalThis.setTimeout = slow as typeof setTimeout;
  try {
    host.trigger("order", { orderId: "o-3", cents: 4200 });
    await host.settle();
    for (let timers = 0; printed.length < 3 && timers < TIMERS_MAX; timers++) await host.next();
    const before = printed.splice(0);
    host.crash();
    isKilled = true;
    await host.advance();
    return { output: host.output, before, after: printed };
  } finally {
    console.log = log;
    globalThis.setTimeout = setTimeout;
  }
}

/** How long the carrier of the page takes. */
const CARRIER_MS = 10_000;
/** Timers until the second attempt begins: its delay, and perhaps the watchdog of the run. */
const TIMERS_MAX = 5;

function nameOf(line: string): string {
  return line.split(" ")[0] ?? line;
}

function attemptOf(line: string): string {
  return /attempt \d/.exec(line)?.[0] ?? line;
}

function keyOf(line: string): string {
  return /\((.+)\)$/.exec(line)?.[1] ?? line;
}
