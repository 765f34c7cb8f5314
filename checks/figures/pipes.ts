/**
 * The picture of the four pipes between a run and its code, side by side.
 *
 * Owns: what each of them says. The table of docs/concepts/where-code-runs.md has the same costs.
 */
import { type Figure, arrow, node, text } from "./svg.ts";

interface Pipe {
  readonly title: string;
  /** Where the code is; `undefined`: in the object itself. */
  readonly place: string | undefined;
  readonly carried: string;
  readonly cost: readonly [string, string];
}

const PIPES: readonly Pipe[] = [
  { title: "Inline", place: undefined, carried: "a call", cost: ["A step sends", "no message."] },
  { title: "Another Worker", place: "Worker of yours", carried: "RPC", cost: ["A step sends", "2 messages."] },
  {
    title: "Worker per tenant",
    place: "Worker of a tenant",
    carried: "1 request",
    cost: ["A step sends", "2 messages."],
  },
  { title: "HTTP", place: "Node process", carried: "frames", cost: ["A step sends 2 frames,", "or 1 request."] },
];

const WIDTH = 168;
const LEFT = 18;

export function drawPipes(): Figure {
  return {
    name: "pipes",
    title: "Four pipes between a run and its code",
    description: `The object of a run and its code. ${PIPES.map(describe).join(" ")}`,
    width: LEFT * 2 + PIPES.length * WIDTH - 14,
    height: 284,
    parts: PIPES.flatMap(drawPipe),
  };
}

function drawPipe({ title, place, carried, cost }: Pipe, index: number): readonly string[] {
  const x = LEFT + index * WIDTH;
  const width = WIDTH - 14;
  const middle = x + width / 2;
  const inside = place === undefined;
  return [
    text({ x, y: 24 }, title, { bold: true, size: 13 }),
    node({ x, y: 38, width, height: inside ? 186 : 64 }, { tone: "done" }),
    text({ x: middle, y: 62 }, "object of the run", { anchor: "middle" }),
    text({ x: middle, y: 82 }, "journal, alarm", { anchor: "middle", tone: "soft", size: 11 }),
    node(
      { x: inside ? x + 14 : x, y: 160, width: inside ? width - 28 : width, height: inside ? 52 : 64 },
      { tone: "runs" },
    ),
    text({ x: middle, y: inside ? 184 : 188 }, inside ? "your code" : place, { anchor: "middle" }),
    text({ x: middle, y: inside ? 201 : 206 }, inside ? "same Worker" : "your code", {
      anchor: "middle",
      tone: "soft",
      size: 11,
    }),
    arrow(
      [
        { x: middle, y: inside ? 96 : 106 },
        { x: middle, y: 156 },
      ],
      "plain",
      true,
    ),
    text({ x: middle + 12, y: 134 }, carried, { tone: "soft", size: 11 }),
    text({ x, y: 250 }, cost[0], { tone: "soft" }),
    text({ x, y: 268 }, cost[1], { tone: "soft" }),
  ];
}

function describe({ title, place, cost }: Pipe): string {
  const where = place === undefined ? "the code runs in the object" : `the code runs in a ${place}`;
  return `${title}: ${where}. ${cost.join(" ")}`;
}
