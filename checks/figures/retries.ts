/**
 * The picture of the attempts of a step on a time line, with the delays between them.
 *
 * Owns: the answers that the step gets. They are the first ones of the test on docs/how-to/retry.md, and the
 * workflow is that of the page. The times are those of the journal.
 */
import { decodeValue, parseOperationId } from "@holdfast/protocol";
import { hostOf } from "./page-run.ts";
import { type Figure, NOTE, arrow, at, node, rule, text } from "./svg.ts";

export const ANSWERS = [503, 429, 200];

interface Attempt {
  /** Seconds after the start. */
  readonly at: number;
  /** Seconds after the start; `undefined`: no attempt follows. */
  readonly next: number | undefined;
  readonly outcome: string;
  /** The error says when the next attempt starts. */
  readonly delayed: boolean;
}

export async function drawRetries(): Promise<Figure> {
  const attempts = await recordAttempts();
  return {
    name: "retries",
    title: "Three attempts of a step",
    description: attempts.map(describe).join(" "),
    width: 668,
    height: 236,
    parts: [...attempts.flatMap(drawAttempt), ...drawAxis(attempts)],
  };
}

async function recordAttempts(): Promise<readonly Attempt[]> {
  const host = await hostOf("docs/how-to/retry.md", "src/report.ts");
  const start = host.clock.now();
  const answers = [...ANSWERS];
  const { fetch } = globalThis;
  globalThis.fetch = () =>
    Promise.resolve(new Response("rows", { status: answers.shift() ?? 500, headers: { "Retry-After": "30" } }));
  try {
    host.trigger("report", { url: "https://reports.example/today" });
    await host.advance();
  } finally {
    globalThis.fetch = fetch;
  }
  const seconds = (time: number): number => (time - start) / 1_000;
  return host.journal.flatMap((entry): readonly Attempt[] => {
    if (parseOperationId(entry.op).name !== "fetch") return [];
    if (entry.type === "step.completed") {
      const outcome = `returns ${JSON.stringify(decodeValue(entry.value))}`;
      return [{ at: seconds(entry.startedAt), next: undefined, outcome, delayed: false }];
    }
    if (entry.type !== "step.retrying") throw new Error(`The step wrote ${entry.type}.`);
    const { name, message, code } = entry.error;
    const outcome = `${name}: ${message}`;
    return [{ at: seconds(entry.startedAt), next: seconds(entry.retryAt), outcome, delayed: code === "RETRYABLE" }];
  });
}

const xOf = (second: number): number => 110 + second * 13;
const yOf = (attempt: number): number => 24 + attempt * 58;
const HEIGHT = 40;
/** The width of the mark of an attempt. */
const MARK = 12;
const AXIS = 200;

function drawAttempt({ at: time, next, outcome, delayed }: Attempt, index: number): readonly string[] {
  const y = yOf(index);
  const x = xOf(time);
  const tone = next === undefined ? "done" : "lost";
  const end = next === undefined ? x : xOf(next);
  const words = delayed ? at(x + MARK + 12, y) : at(end + MARK + 12, y);
  return [
    text(at(20, y + 24), `attempt ${index + 1}`, { bold: true }),
    ...(next === undefined
      ? []
      : [
          node({ x, y, width: end - x, height: HEIGHT }, { tone: "waits" }),
          arrow([at(end, y + HEIGHT), at(end, yOf(index + 1) - 3)], "waits"),
        ]),
    node({ x: x - MARK / 2, y, width: MARK, height: HEIGHT }, { tone }),
    text(at(words.x, y + 17), outcome, { tone, mono: true, size: 11 }),
    text(at(words.x, y + 33), next === undefined ? "stored" : delayOf(time, next, delayed), NOTE),
  ];
}

function drawAxis(attempts: readonly Attempt[]): readonly string[] {
  return [
    rule([at(xOf(0), AXIS), at(xOf(40), AXIS)]),
    text(at(20, AXIS + 4), "time", NOTE),
    ...attempts.flatMap(({ at: time }, i) => [
      rule([at(xOf(time), yOf(i) + HEIGHT), at(xOf(time), AXIS + 5)], "soft", true),
      text(at(xOf(time), AXIS + 20), secondsOf(time), { ...NOTE, anchor: "middle" }),
    ]),
  ];
}

function delayOf(from: number, to: number, delayed: boolean): string {
  return `delay ${secondsOf(to - from)} by ${delayed ? "Retry-After" : "the policy"}`;
}

function secondsOf(seconds: number): string {
  return `${Math.round(seconds * 10) / 10} s`;
}

/** The alternative text. */
function describe({ at: time, next, outcome, delayed }: Attempt, index: number): string {
  const what = `Attempt ${index + 1} at ${secondsOf(time)}: ${outcome}`;
  return next === undefined ? `${what}, stored.` : `${what}; ${delayOf(time, next, delayed)}.`;
}
