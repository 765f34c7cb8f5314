/**
 * The picture of an agent's loop and of the journal that it writes.
 *
 * Owns: the person's answer. The workflow is the one of docs/how-to/agent-loop.md, and the entries are those of the journal
 * of a run of it.
 */
import { type JournalEntry, parseOperationId } from "@holdfast/protocol";
import { hostOf } from "./page-run.ts";
import { type Figure, NOTE, type Tone, arrow, at, node, text } from "./svg.ts";

interface Entry {
  readonly seq: number;
  readonly type: string;
  readonly operation: string;
  readonly tone: Tone;
  /** The pass through the loop, from 1. */
  readonly turn: number;
}

interface Operation {
  readonly name: string;
  readonly tone: Tone;
  readonly turns: readonly number[];
}

export async function drawAgentLoop(): Promise<Figure> {
  const entries = await recordAgent();
  const loop = loopOf(entries);
  const turns = [...new Set(entries.map(({ turn }) => turn))];
  return {
    name: "agent-loop",
    title: "The loop of an agent and its journal",
    description: describe(loop, entries),
    width: 668,
    height: yOf(entries.length, turns.length) + 10,
    parts: [
      text(at(LEFT, 24), "loop", { bold: true, size: 13 }),
      text(at(JOURNAL, 24), "journal", { bold: true, size: 13 }),
      ...loop.flatMap(drawOperation),
      ...drawWays(loop),
      ...turns.flatMap((turn) => drawTurn(turn, entries)),
    ],
  };
}

async function recordAgent(): Promise<readonly Entry[]> {
  const host = await hostOf("docs/how-to/agent-loop.md", "src/agent.ts");
  host.trigger("agent", { task: "Order 7 is lost.", tokensMax: 10_000 });
  await host.settle();
  const tokenId = host.header.waits.find((wait) => wait.tokenId !== undefined)?.tokenId ?? "";
  host.resolveToken(tokenId, true);
  await host.advance();
  return host.journal.map(readEntry);
}

/** A turn begins with a look for a hint. */
function readEntry({ seq, type, op, nth }: JournalEntry, _index: number, journal: readonly JournalEntry[]): Entry {
  const { kind, name } = parseOperationId(op);
  const looks = journal.filter(
    (entry) => entry.type === "wait.opened" && entry.op.endsWith("/hint") && entry.nth <= nth,
  );
  const tone = kind === "step" ? "done" : kind === "metadata" ? "soft" : "waits";
  return { seq, type, operation: kind === name ? kind : `${kind} "${name}"`, tone, turn: looks.length };
}

/** The operations of the loop in its order, without those that no time passes in. */
function loopOf(entries: readonly Entry[]): readonly Operation[] {
  const timed = entries.filter(({ tone }) => tone !== "soft");
  return [...Map.groupBy(timed, ({ operation }) => operation)].map(([name, uses]) => ({
    name,
    tone: uses[0]?.tone ?? "soft",
    turns: [...new Set(uses.map(({ turn }) => turn))],
  }));
}

const LEFT = 52;
const TOP = 40;
const WIDTH = 164;
const HEIGHT = 46;
const STRIDE = 74;
const JOURNAL = 348;
const LINE = 21;
const HEAD = 34;

function drawOperation({ name, tone, turns }: Operation, index: number): readonly string[] {
  const y = TOP + index * STRIDE;
  return [
    node({ x: LEFT, y, width: WIDTH, height: HEIGHT }, { tone }),
    text(at(LEFT + 12, y + 19), name, { mono: true }),
    text(at(LEFT + 12, y + 36), turnsIn(turns), NOTE),
  ];
}

/** Down the loop, back to its start, and out of it after the operation that the last turn ends with. */
function drawWays(loop: readonly Operation[]): readonly string[] {
  const centre = LEFT + WIDTH / 2;
  const bottom = TOP + (loop.length - 1) * STRIDE;
  const last = Math.max(...loop.flatMap(({ turns }) => turns));
  const out = TOP + loop.findLastIndex(({ turns }) => turns.includes(last)) * STRIDE + HEIGHT / 2;
  const [end, start] = [bottom + HEIGHT / 2, TOP + HEIGHT / 2];
  return [
    ...loop.slice(1).map((_, i) => {
      const y = TOP + i * STRIDE + HEIGHT;
      return arrow([at(centre, y), at(centre, y + STRIDE - HEIGHT - 3)]);
    }),
    arrow([at(LEFT, end), at(LEFT - 26, end), at(LEFT - 26, start), at(LEFT - 3, start)]),
    arrow([at(LEFT + WIDTH, out), at(LEFT + WIDTH + 32, out)]),
    text(at(LEFT + WIDTH + 38, out - 3), "no tool:", NOTE),
    text(at(LEFT + WIDTH + 38, out + 12), "the answer", NOTE),
  ];
}

/** Where the line after so many lines and headings begins. */
function yOf(lines: number, heads: number): number {
  return TOP + lines * LINE + heads * HEAD;
}

function drawTurn(turn: number, entries: readonly Entry[]): readonly string[] {
  const rows = entries.filter((entry) => entry.turn === turn);
  const y = yOf(
    entries.findIndex((entry) => entry.turn === turn),
    turn - 1,
  );
  return [
    node({ x: JOURNAL, y, width: 300, height: rows.length * LINE + HEAD - 8 }),
    text(at(JOURNAL + 12, y + 18), `turn ${turn}`, NOTE),
    ...rows.flatMap(({ seq, type, operation, tone }, i) => {
      const line = y + 38 + i * LINE;
      return [
        text(at(JOURNAL + 28, line), String(seq), { mono: true, size: 11, tone: "soft", anchor: "end" }),
        text(at(JOURNAL + 40, line), type, { mono: true, size: 11, tone }),
        text(at(JOURNAL + 160, line), operation, { mono: true, size: 11 }),
      ];
    }),
  ];
}

function turnsIn(turns: readonly number[]): string {
  return `${turns.length === 1 ? "turn" : "turns"} ${turns.join(" and ")}`;
}

/** The alternative text. */
function describe(loop: readonly Operation[], entries: readonly Entry[]): string {
  const operations = loop.map(({ name, turns }) => `${name} in ${turnsIn(turns)}`).join(", ");
  const journal = entries.map(({ seq, type, operation }) => `${seq} ${type} ${operation}`).join(", ");
  return `Loop: ${operations}. A reply without a tool is the answer and ends the loop. Journal: ${journal}.`.replaceAll(
    '"',
    "",
  );
}
