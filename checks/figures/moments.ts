/**
 * The pictures of the six moments of a run.
 *
 * Owns: what each picture shows of its moment: on the left the function in memory, on the right the object on disk, and
 * between them what was sent last. Every word about the run follows from the recording.
 */
import type { Moment, MomentName, Recording } from "./recorded-run.ts";
import { type Area, type Figure, type Tone, arrow, node, text } from "./svg.ts";

/** The width of a column of text on the site, so that the text is not smaller than its size. */
const WIDTH = 684;
const HEIGHT = 300;
const MEMORY: Area = { x: 16, y: 74, width: 292, height: 206 };
const DISK: Area = { x: 392, y: 74, width: 276, height: 206 };
const CALLER: Area = { x: 442, y: 12, width: 176, height: 30 };
const LINE = 34;

interface Sent {
  readonly from: "memory" | "disk";
  readonly words: readonly [string, string];
}

const TITLES: Readonly<Record<MomentName, string>> = {
  trigger: "1. Trigger",
  "step-stored": "2. A step is stored",
  parked: "3. Parked",
  delivery: "4. Delivery",
  crash: "5. Crash",
  replay: "6. Replay",
};

const SENT: Readonly<Record<MomentName, Sent | undefined>> = {
  trigger: { from: "disk", words: ["starts", "execution 1"] },
  "step-stored": { from: "memory", words: ["outcome", "to store"] },
  parked: { from: "memory", words: ["“parked”", ""] },
  delivery: { from: "disk", words: ["new entry", ""] },
  crash: undefined,
  replay: { from: "disk", words: ["all entries,", "execution 2"] },
};

const OUTSIDE: Partial<Record<MomentName, string>> = {
  trigger: "caller: trigger",
  delivery: "caller: signal “approval”",
  replay: "the alarm fires",
};

export function drawMoments({ moments, operations }: Recording): readonly Figure[] {
  return Object.values(moments).map((moment) => ({
    name: `moment-${moment.name}`,
    title: TITLES[moment.name],
    description: describe(moment),
    width: WIDTH,
    height: HEIGHT,
    parts: [
      text({ x: 16, y: 34 }, TITLES[moment.name], { size: 17, bold: true }),
      ...drawMemory(moment, operations),
      ...drawDisk(moment),
      ...drawSent(moment),
    ],
  }));
}

function drawMemory(moment: Moment, operations: readonly string[]): readonly string[] {
  const { x, y, width } = MEMORY;
  if (!moment.live) return drawLost();
  const lines = operations.flatMap((operation, i) => {
    const at = y + 62 + i * LINE;
    const { words, tone } = stateOf(moment, operation);
    return [
      text({ x: x + 16, y: at }, codeOf(operation), { mono: true }),
      text({ x: x + width - 14, y: at }, words, { tone, size: 11, anchor: "end" }),
    ];
  });
  return [
    node(MEMORY, { tone: toneOf(moment.status) }),
    text({ x: x + 16, y: y + 26 }, `Your function in memory: execution ${moment.epoch}`, { bold: true }),
    ...lines,
  ];
}

function drawLost(): readonly string[] {
  const { x, y } = MEMORY;
  return [
    node(MEMORY, { tone: "lost", dashed: true }),
    text({ x: x + 16, y: y + 26 }, "The process is gone", { bold: true, tone: "lost" }),
    text({ x: x + 16, y: y + 62 }, "All variables are lost.", { tone: "soft" }),
    text({ x: x + 16, y: y + 84 }, "The journal and the alarm are on disk.", { tone: "soft" }),
  ];
}

function drawDisk({ status, alarmMs, journal }: Moment): readonly string[] {
  const { x, y, width } = DISK;
  const alarm = alarmMs === undefined ? "no alarm" : `alarm in ${describeMs(alarmMs)}`;
  const rows = journal.flatMap(({ seq, type, operation }, i) => {
    const row: Area = { x: x + 12, y: y + 44 + i * 38, width: width - 24, height: 30 };
    return [
      node(row, { tone: "done" }),
      text({ x: row.x + 10, y: row.y + 19 }, `${seq} ${type.padEnd(15)}${operation}`, { mono: true, size: 11 }),
    ];
  });
  return [
    node(DISK),
    text({ x: x + 14, y: y + 26 }, "Object on disk", { bold: true }),
    text({ x: x + width - 14, y: y + 26 }, `${status}, ${alarm}`, { tone: toneOf(status), size: 11.5, anchor: "end" }),
    ...(rows.length > 0 ? rows : [text({ x: x + 16, y: y + 62 }, "The journal is empty.", { tone: "soft" })]),
  ];
}

/** What reaches the object from outside, and what was sent last between the object and the memory. */
function drawSent({ name }: Moment): readonly string[] {
  const left = { x: MEMORY.x + MEMORY.width + 8, y: 182 };
  const right = { x: DISK.x - 8, y: 182 };
  const middle = (left.x + right.x) / 2;
  const outside = OUTSIDE[name];
  const sent = SENT[name];
  return [
    ...(outside === undefined ? [] : drawOutside(outside)),
    ...(sent === undefined
      ? [text({ x: middle, y: 190 }, "✕", { tone: "lost", size: 22, anchor: "middle" })]
      : [
          arrow(sent.from === "memory" ? [left, right] : [right, left], "runs"),
          text({ x: middle, y: 168 }, sent.words[0], { tone: "soft", size: 11, anchor: "middle" }),
          text({ x: middle, y: 202 }, sent.words[1], { tone: "soft", size: 11, anchor: "middle" }),
        ]),
  ];
}

function drawOutside(words: string): readonly string[] {
  const x = CALLER.x + CALLER.width / 2;
  return [
    node(CALLER, { tone: "runs" }),
    text({ x, y: CALLER.y + 19 }, words, { anchor: "middle" }),
    arrow(
      [
        { x, y: 44 },
        { x, y: 70 },
      ],
      "runs",
    ),
  ];
}

/** What the picture says beside an operation. */
function stateOf(moment: Moment, operation: string): { readonly words: string; readonly tone: Tone } {
  const { journal, executing, bodies } = moment;
  const entries = new Set(journal.filter((row) => row.operation === operation).map(({ type }) => type));
  const [, step] = /^step "(.+)"$/.exec(operation) ?? [];
  const times = step === undefined ? 0 : (bodies[step] ?? 0);
  if (step !== undefined && step === executing)
    return { words: times > 1 ? `body runs, time ${times}` : "body runs", tone: "runs" };
  if (entries.has("wait.resolved") || entries.has("step.completed"))
    return moment.epoch > 1 ? { words: "replayed", tone: "done" } : { words: "stored", tone: "done" };
  if (entries.has("wait.opened")) return { words: "waits", tone: "waits" };
  return { words: "", tone: "soft" };
}

function codeOf(operation: string): string {
  const [, kind, name] = /^(\w+) (".+")$/.exec(operation) ?? [];
  return `ctx.${kind === "signal" ? "waitForSignal" : kind}(${name})`;
}

function toneOf(status: string): Tone {
  return status === "waiting" ? "waits" : "runs";
}

function describeMs(ms: number): string {
  const hours = ms / 3_600_000;
  return hours >= 1 ? `${hours} h` : `${ms / 1_000} s`;
}

/** The alternative text. */
function describe(moment: Moment): string {
  const { status, alarmMs, journal, executing, bodies, live, epoch } = moment;
  const rows = journal.map(({ type, operation }) => `${type} of ${operation}`).join(", ");
  const body =
    executing === undefined ? "" : `, and executes the body of step "${executing}" for time ${bodies[executing]}`;
  return [
    `The object stores: status ${status}, ${alarmMs === undefined ? "no alarm" : `an alarm in ${describeMs(alarmMs)}`}, and ${rows === "" ? "an empty journal" : `the journal ${rows}`}.`,
    live ? `Execution ${epoch} is in memory${body}.` : "Nothing is left in memory.",
  ].join(" ");
}
