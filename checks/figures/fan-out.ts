/**
 * The picture of a parent and its children, of which a few run at a time.
 *
 * Owns: the images. The workflows are those of docs/how-to/fan-out.md, and the parent's journal says when a child starts
 * and ends.
 */
import { readInput } from "@holdfast/orchestrator";
import { type JournalEntry, decodeValue } from "@holdfast/protocol";
import type { MemoryHost } from "@holdfast/workflows/testing";
import { hostOf } from "./page-run.ts";
import { type Figure, NOTE, arrow, at, node, text } from "./svg.ts";

export const IMAGES = ["1.jpg", "notes.txt", "2.jpg", "3.jpg"];

interface Child {
  readonly image: string;
  /** The numbers of the parent's journal entries. */
  readonly started: number;
  readonly ended: number;
  readonly status: string;
  /** The row of the picture; children in one row do not run at the same time. */
  readonly row: number;
}

export async function drawFanOut(): Promise<Figure> {
  const host = await hostOf("docs/how-to/fan-out.md", "src/resize.ts");
  host.trigger("album", { images: IMAGES });
  await host.advance();
  const { journal } = host;
  const children = readChildren(host);
  const rows = Math.max(...children.map(({ row }) => row)) + 1;
  return {
    name: "fan-out",
    title: "A parent and its children",
    description: describe(children, rows, host.output),
    width: LEFT * 2 + journal.length * CELL,
    height: yOf(rows) + 22,
    parts: [
      node({ x: LEFT, y: 36, width: journal.length * CELL, height: 52 }, { tone: "runs" }),
      text(at(LEFT, 24), "album: the parent, with the entries of its journal", { bold: true, size: 13 }),
      text(at(LEFT, yOf(rows) + 8), `resize: the children, at most ${rows} at a time`, { bold: true, size: 13 }),
      ...children.flatMap(drawArrows),
      ...journal.flatMap(drawEntry),
      ...children.flatMap(drawChild),
    ],
  };
}

/** Each child goes to the first row that is free. */
function readChildren({ journal, world }: MemoryHost): readonly Child[] {
  const children: Child[] = [];
  for (const entry of journal) {
    if (entry.type !== "child.started") continue;
    const end = journal.find(({ type, op }) => type === "child.ended" && op === entry.op);
    const child = world.get(entry.runId);
    if (end?.type !== "child.ended" || child === undefined) throw new Error(`${entry.runId} has not ended.`);
    const { image } = decodeValue(readInput(child.host.state, child.header)) as { readonly image: string };
    const taken = children.filter(({ ended }) => ended > entry.seq).map(({ row }) => row);
    const row = taken.findIndex((_, i) => !taken.includes(i));
    const started = entry.seq;
    children.push({ image, started, ended: end.seq, status: end.outcome.status, row: row < 0 ? taken.length : row });
  }
  return children;
}

const LEFT = 14;
const CELL = 80;
const xOf = (seq: number): number => LEFT + (seq - 0.5) * CELL;
const yOf = (row: number): number => 116 + row * 58;
const HEIGHT = 38;
/** How far a child's box exceeds its two entries. */
const EDGE = 26;

function drawEntry({ seq, type }: JournalEntry): readonly string[] {
  return [
    text(at(xOf(seq), 58), String(seq), { mono: true, anchor: "middle" }),
    text(at(xOf(seq), 76), type.replace("child.", ""), { ...NOTE, anchor: "middle" }),
  ];
}

function drawArrows({ started, ended, status, row }: Child): readonly string[] {
  const y = yOf(row);
  return [
    arrow([at(xOf(started), 88), at(xOf(started), y - 3)], "runs"),
    arrow([at(xOf(ended), y), at(xOf(ended), 91)], toneOf(status)),
  ];
}

function drawChild({ image, started, ended, status, row }: Child): readonly string[] {
  const x = xOf(started) - EDGE;
  const y = yOf(row);
  const width = xOf(ended) + EDGE - x;
  const tone = toneOf(status);
  return [
    node({ x, y, width, height: HEIGHT }, { tone }),
    text(at(x + 8, y + 22), image, { mono: true, size: 11 }),
    text(at(x + width - 8, y + 22), status, { tone, size: 11, anchor: "end" }),
  ];
}

function toneOf(status: string): "done" | "lost" {
  return status === "completed" ? "done" : "lost";
}

/** The alternative text. */
function describe(children: readonly Child[], rows: number, output: unknown): string {
  const lives = children.map(
    ({ image, started, ended, status }) => `${image} starts at entry ${started} and ends at entry ${ended}, ${status}.`,
  );
  return `Children in the journal of their parent: ${lives.join(" ")} At most ${rows} run at a time. Output: ${JSON.stringify(output)}.`;
}
