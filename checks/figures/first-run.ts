/** The picture of the first part of the tutorial: what a start of a run passes on its way. */
import { type Figure, arrow, node, text } from "./svg.ts";

const BOXES = [
  { title: "Command", words: ["npx holdfast start", "or a browser"] },
  { title: "Worker", words: ["src/worker.ts", "checks the token"] },
  { title: "Object of run o-1", words: ["executes src/order.ts", "stores each result"] },
  { title: "Journal, on disk", words: ["1 step charge", "2 step ship"] },
] as const;
const SENT = ["request", "by the id", "rows"] as const;

const LEFT = 16;
const WIDTH = 148;
const GAP = 64;

export function drawFirstRun(): Figure {
  return {
    name: "first-run",
    title: "What a start of a run passes",
    description:
      "The command sends a request to the Worker. The Worker checks the token and finds the object of the run by its id. The object executes the workflow, and stores a row in the journal for each step.",
    width: LEFT * 2 + BOXES.length * (WIDTH + GAP) - GAP,
    height: 116,
    parts: BOXES.flatMap(drawBox),
  };
}

function drawBox({ title, words }: (typeof BOXES)[number], index: number): readonly string[] {
  const x = LEFT + index * (WIDTH + GAP);
  const middle = x + WIDTH / 2;
  const sent = SENT[index];
  const next = { x: x + WIDTH + GAP - 6, y: 58 };
  return [
    node({ x, y: 16, width: WIDTH, height: 84 }, { tone: index === BOXES.length - 1 ? "done" : "runs" }),
    text({ x: middle, y: 42 }, title, { bold: true, anchor: "middle" }),
    ...words.map((line, i) => text({ x: middle, y: 64 + i * 19 }, line, { anchor: "middle", tone: "soft", size: 11 })),
    ...(sent === undefined
      ? []
      : [
          arrow([{ x: x + WIDTH + 4, y: 58 }, next], "runs"),
          text({ x: x + WIDTH + GAP / 2, y: 48 }, sent, { anchor: "middle", tone: "soft", size: 11 }),
        ]),
  ];
}
