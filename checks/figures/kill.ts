/**
 * Pictures of a run as a line, a kill in it, and what is not repeated after it. The one of README.md is of a recorded run.
 *
 * Owns: nothing about the run. What is stored and what executes again follow from the recording.
 */
import type { Moment, Recording } from "./recorded-run.ts";
import { type Area, type Figure, arrow, node, text } from "./svg.ts";

const LEFT = 20;
const WIDTH = 176;
const GAP = 18;
const ROWS = { before: 46, after: 150 };

/** What a part of a run was at the kill, and what it is after it. */
export interface Part {
  readonly label: string;
  /** Whether the journal had its outcome. */
  readonly stored: boolean;
  readonly before: string;
  readonly after: string;
}

type Caption = Pick<Figure, "name" | "title" | "description">;

export function drawKill({ moments, operations }: Recording): Figure {
  const { crash, replay } = moments;
  const stored = operations.filter((operation) => isStored(crash, operation));
  const again = operations.filter((operation) => !stored.includes(operation));
  const parts = operations.map((operation) => ({
    label: nameOf(operation),
    stored: stored.includes(operation),
    before: stored.includes(operation) ? "✓ stored" : "executes",
    after: timesOf(replay, operation) > 1 ? "executes again, same key" : "✓ from the journal",
  }));
  return drawParts(
    {
      name: "kill",
      title: "A kill in the middle of a run",
      description: `The process is killed while ${again.map(nameOf).join(" and ")} executes. Afterwards ${stored.map(nameOf).join(", ")} have their results from the journal and are not repeated. Only ${again.map(nameOf).join(" and ")} executes again, with the same key.`,
    },
    parts,
  );
}

/** Draws a run before and after a kill, which its last part does not survive. */
export function drawParts(caption: Caption, parts: readonly Part[]): Figure {
  const last = placeOf(parts.length - 1, ROWS.before);
  return {
    ...caption,
    width: LEFT * 2 + parts.length * (WIDTH + GAP) - GAP,
    height: 224,
    parts: [
      text({ x: LEFT, y: 30 }, "Before the kill", { bold: true, size: 13 }),
      ...parts.flatMap((part, i) => drawBefore(placeOf(i, ROWS.before), part)),
      text({ x: last.x + WIDTH / 2, y: ROWS.before - 12 }, "✕ kill -9", { tone: "lost", bold: true, anchor: "middle" }),
      text({ x: LEFT, y: 134 }, "After it", { bold: true, size: 13 }),
      ...parts.flatMap(({ label, stored, after }, i) =>
        draw(placeOf(i, ROWS.after), label, after, stored ? "done" : "runs"),
      ),
    ],
  };
}

function drawBefore(place: Area, { label, stored, before }: Part): readonly string[] {
  return [
    ...draw(place, label, before, stored ? "done" : "lost"),
    ...(stored ? [arrow([end(place), { ...end(place), x: place.x + WIDTH + GAP }])] : []),
  ];
}

function draw(place: Area, label: string, words: string, tone: "done" | "lost" | "runs"): readonly string[] {
  return [
    node(place, { tone, dashed: tone === "lost" }),
    text({ x: place.x + 12, y: place.y + 21 }, label, { mono: true }),
    text({ x: place.x + 12, y: place.y + 40 }, words, { tone, size: 11 }),
  ];
}

function placeOf(index: number, y: number): Area {
  return { x: LEFT + index * (WIDTH + GAP), y, width: WIDTH, height: 52 };
}

function end({ x, y, width, height }: Area): { readonly x: number; readonly y: number } {
  return { x: x + width, y: y + height / 2 };
}

function isStored({ journal }: Moment, operation: string): boolean {
  return journal.some((row) => row.operation === operation && /^(step\.completed|wait\.resolved)$/.test(row.type));
}

/** How often the body began; 1 for what is no step. */
function timesOf({ bodies }: Moment, operation: string): number {
  return bodies[nameOf(operation)] ?? 1;
}

function nameOf(operation: string): string {
  return /"(.+)"/.exec(operation)?.[1] ?? operation;
}
