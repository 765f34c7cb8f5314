/**
 * The picture of the statuses of a run.
 *
 * Owns: where they stand. Its changes are compared with the table of packages/orchestrator/src/run/lifecycle.ts.
 */
import { readFiles } from "../source-files.ts";
import { type Area, type Figure, type Point, type Tone, arrow, node, rule, text } from "./svg.ts";

const LIFECYCLE = "packages/orchestrator/src/run/lifecycle.ts";

const ENDS = ["completed", "compensated", "compensation_failed", "failed", "cancelled"] as const;
/** The statuses of a run that has begun, each of which any end may follow. */
const BEGUN = ["running", "waiting", "paused"] as const;

/** The changes that the picture shows, beside those from BEGUN to each end. */
const CHANGES: Readonly<Record<string, readonly string[]>> = {
  pending: ["running", "paused", "failed", "cancelled"],
  running: ["waiting", "paused"],
  waiting: ["running", "paused"],
  paused: ["pending", "running", "waiting"],
};

/** All changes that the picture shows. */
export function shownChanges(): Readonly<Record<string, readonly string[]>> {
  return Object.fromEntries(
    Object.entries(CHANGES).map(([from, to]) => [
      from,
      [...to, ...(BEGUN.some((status) => status === from) ? ENDS : [])].toSorted(),
    ]),
  );
}

/** The changes of the engine: the table NEXT in its source. */
export function engineChanges(): Readonly<Record<string, readonly string[]>> {
  const source = readFiles(LIFECYCLE)[0]?.text ?? "";
  const table = /const NEXT:[^=]*= \{([\s\S]*?)\n\};/.exec(source)?.[1] ?? "";
  return Object.fromEntries(
    [...table.matchAll(/^ {2}(\w+): \[([^\]]*)\]/gm)]
      .map(
        ([, from = "", to = ""]) =>
          [from, [...to.matchAll(/"(\w+)"/g)].map(([, name = ""]) => name).toSorted()] as const,
      )
      .filter(([, to]) => to.length > 0),
  );
}

const PENDING: Area = { x: 16, y: 132, width: 96, height: 50 };
const RUNNING: Area = { x: 152, y: 132, width: 108, height: 50 };
const PAUSED: Area = { x: 322, y: 58, width: 122, height: 50 };
const WAITING: Area = { x: 322, y: 206, width: 122, height: 50 };
const END_X = 536;

export function drawStates(): Figure {
  return {
    name: "states",
    title: "The statuses of a run",
    description:
      "A run is pending, then running. From running it changes to waiting and back. From each of these three it may be paused and continue. A run that has begun ends completed, compensated, compensation_failed, failed or cancelled. A pending run can only end failed or cancelled.",
    width: 716,
    height: 320,
    parts: [
      ...drawStatus(PENDING, "pending", "starts later", "soft"),
      ...drawStatus(RUNNING, "running", "code executes", "runs"),
      ...drawStatus(PAUSED, "paused", "a person must act", "lost"),
      ...drawStatus(WAITING, "waiting", "no code executes", "waits"),
      ...ENDS.flatMap((name, i) => drawEnd(name, i)),
      ...drawChanges(),
    ],
  };
}

function drawStatus(area: Area, name: string, words: string, tone: Tone): readonly string[] {
  const x = area.x + area.width / 2;
  return [
    node(area, { tone }),
    text({ x, y: area.y + 22 }, name, { mono: true, bold: true, anchor: "middle" }),
    text({ x, y: area.y + 39 }, words, { tone: "soft", size: 11, anchor: "middle" }),
  ];
}

function drawEnd(name: string, index: number): readonly string[] {
  const area: Area = { x: END_X, y: 20 + index * 54, width: 164, height: 36 };
  return [
    node(area, { tone: name === "completed" ? "done" : "soft" }),
    text({ x: area.x + 82, y: area.y + 22 }, name, { mono: true, anchor: "middle" }),
  ];
}

function drawChanges(): readonly string[] {
  return [
    arrow(through([114, 157], [148, 157]), "plain"),
    arrow(through([244, 128], [318, 90]), "plain", true),
    arrow(through([244, 186], [318, 226]), "plain", true),
    arrow(through([383, 112], [383, 202]), "plain", true),
    arrow(through([64, 128], [64, 76], [318, 76]), "plain", true),
    // From running, waiting and paused to each end.
    rule(through([262, 157], [470, 157]), "plain"),
    rule(through([446, 83], [470, 83], [470, 231], [446, 231]), "plain"),
    arrow(through([470, 157], [504, 157]), "plain"),
    rule(through([518, 24], [510, 24], [510, 270], [518, 270]), "plain"),
    // From pending to failed and cancelled.
    arrow(through([64, 186], [64, 300], [523, 300], [523, 200], [533, 200]), "soft"),
    arrow(through([523, 254], [533, 254]), "soft"),
    text({ x: 76, y: 294 }, "before it begins", { tone: "soft", size: 11 }),
    text({ x: 474, y: 150 }, "ends", { tone: "soft", size: 11 }),
  ];
}

function through(...points: readonly (readonly [number, number])[]): readonly Point[] {
  return points.map(([x, y]) => ({ x, y }));
}
