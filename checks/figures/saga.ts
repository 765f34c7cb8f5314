/**
 * The picture of a saga: its steps forward, and their compensations back.
 *
 * Owns: the person's answer. The workflow is the one of docs/how-to/saga.md, and the order is that of the journal of a run
 * of it.
 */
import { type JournalEntry, decodeValue, parseOperationId } from "@holdfast/protocol";
import { hostOf } from "./page-run.ts";
import { type Figure, NOTE, type Point, type Tone, arrow, at, node, rule, text } from "./svg.ts";

/** The rows of the picture: forward, back in the group, and back in the run. */
type Row = 0 | 1 | 2;

interface Deed {
  readonly number: number;
  readonly name: string;
  readonly words: string;
  readonly row: Row;
  readonly tone: Tone;
}

interface Trip {
  readonly deeds: readonly Deed[];
  /** The message of the error that made the run compensate. */
  readonly reason: string;
  readonly status: string;
}

export async function drawSaga(): Promise<Figure> {
  const trip = await recordTrip();
  const names = [...new Set(trip.deeds.map(({ name }) => name))];
  const placeOf = ({ name, row }: Deed): Point => at(LEFT + names.indexOf(name) * STRIDE, TOP + row * ROW);
  return {
    name: "saga",
    title: "The steps of a trip and their compensations",
    description: describe(trip),
    width: LEFT * 2 + names.length * STRIDE - GAP,
    height: TOP + 2 * ROW + HEIGHT + 18,
    parts: [
      ...drawGroup(trip.deeds.filter(isOfGroup).map(placeOf)),
      ...trip.deeds.slice(1).flatMap((deed, i) => drawWay(placeOf(trip.deeds[i] ?? deed), placeOf(deed), deed, trip)),
      ...trip.deeds.flatMap((deed) => drawDeed(deed, placeOf(deed))),
    ],
  };
}

async function recordTrip(): Promise<Trip> {
  const host = await hostOf("docs/how-to/saga.md", "src/trip.ts");
  host.trigger("trip", { to: "oslo" });
  await host.settle();
  host.deliver("signal", "confirm", false, "d-1");
  await host.advance();
  const { journal, header } = host;
  const unwinding = journal.find(({ type }) => type === "run.unwinding");
  if (unwinding?.type !== "run.unwinding") throw new Error("The trip was not compensated.");
  const deeds = journal.flatMap((entry) => readDeed(entry, entry.seq < unwinding.seq ? 1 : 2));
  return {
    deeds: deeds.map((deed, i) => ({ ...deed, number: i + 1 })),
    reason: unwinding.error.message,
    status: header.status,
  };
}

function readDeed(entry: JournalEntry, back: Row): readonly Omit<Deed, "number">[] {
  const { kind, name } = parseOperationId(entry.op);
  if (entry.type === "wait.resolved")
    return [{ name, words: `gets ${String(decodeValue(entry.value))}`, row: 0, tone: "lost" }];
  if (entry.type === "step.failed") return [{ name, words: "failed", row: 0, tone: "lost" }];
  if (entry.type !== "step.completed") return [];
  if (kind === "compensation") return [{ name, words: "compensated", row: back, tone: "waits" }];
  return [{ name, words: "completed", row: 0, tone: "done" }];
}

/** The step that failed, and what was compensated before the run began to compensate. */
function isOfGroup({ words, row }: Deed): boolean {
  return words === "failed" || row === 1;
}

const LEFT = 20;
const TOP = 52;
const WIDTH = 104;
const GAP = 27;
const STRIDE = WIDTH + GAP;
const HEIGHT = 46;
const ROW = 76;

function drawDeed({ number, name, words, tone }: Deed, { x, y }: Point): readonly string[] {
  return [
    node({ x, y, width: WIDTH, height: HEIGHT }, { tone }),
    text(at(x + 10, y + 19), `${number} ${name}`, { mono: true }),
    text(at(x + 10, y + 36), words, { tone, size: 11 }),
  ];
}

/** The way from a deed to the next one: forward, back along a row, or forward again from a row of compensations. */
function drawWay(from: Point, to: Point, deed: Deed, { deeds, reason }: Trip): readonly string[] {
  const middle = (point: Point): number => point.y + HEIGHT / 2;
  const centre = from.x + WIDTH / 2;
  if (to.x < from.x) {
    const down = from.y === to.y ? at(from.x, middle(from)) : at(centre, from.y + HEIGHT);
    const fails = deed === deeds.find(({ row }) => row === 2);
    const words = fails ? [text(at(centre - 8, middle(to) - 8), `fails: ${reason}`, { ...NOTE, anchor: "end" })] : [];
    return [arrow([down, at(down.x, middle(to)), at(to.x + WIDTH + 3, middle(to))], "waits"), ...words];
  }
  if (from.y === to.y) return [arrow([at(from.x + WIDTH, middle(from)), at(to.x - 3, middle(to))], "done")];
  const turn = at(to.x - 12, from.y + HEIGHT + 12);
  return [
    arrow(
      [at(centre, from.y + HEIGHT), at(centre, turn.y), turn, at(turn.x, middle(to)), at(to.x - 3, middle(to))],
      "done",
    ),
    text(at(from.x + WIDTH + 12, turn.y - 7), "the run continues", NOTE),
  ];
}

/** The frame of the group, around the columns of its steps. */
function drawGroup(places: readonly Point[]): readonly string[] {
  const left = Math.min(...places.map(({ x }) => x)) - 7;
  const right = Math.max(...places.map(({ x }) => x)) + WIDTH + 7;
  const bottom = TOP + ROW + HEIGHT + 18;
  const corners = [at(left, TOP - 10), at(right, TOP - 10), at(right, bottom), at(left, bottom), at(left, TOP - 10)];
  return [rule(corners, "soft", true), text(at(left, TOP - 18), "group", NOTE)];
}

/** The alternative text. */
function describe({ deeds, reason, status }: Trip): string {
  const words = deeds.map(({ number, name, words: what }) => `${number} ${name} ${what}`).join(", ");
  return `In this order: ${words}. The group compensates its own step, and the run continues. Then the run fails with “${reason}”, compensates its steps, the last one first, and ends ${status}.`;
}
