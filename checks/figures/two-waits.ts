/**
 * The picture of two waits and three deliveries on a time line.
 *
 * Owns: the times of the deliveries. The workflow is the one that docs/concepts/time-and-order.md shows, and what the waits
 * get is read from the journal of a run of it.
 */
import { decodeValue } from "@holdfast/protocol";
import type { MemoryHost } from "@holdfast/workflows/testing";
import { hostOf } from "./page-run.ts";
import { type Figure, NOTE, arrow, at, node, rule, text } from "./svg.ts";

const MINUTE_MS = 60_000;

interface Delivery {
  readonly minute: number;
  readonly payload: string;
  readonly id: string;
}

const DELIVERIES: readonly Delivery[] = [
  { minute: 10, payload: "A", id: "d-1" },
  { minute: 50, payload: "A", id: "d-1" },
  { minute: 105, payload: "B", id: "d-2" },
];

interface Wait {
  readonly from: number;
  readonly to: number;
  /** The payload that the wait took; `undefined`: it timed out. */
  readonly got: string | undefined;
  readonly deliveryId: string | undefined;
}

interface TwoWaits {
  readonly waits: readonly Wait[];
  readonly output: unknown;
  /** The ids of the deliveries that no wait has taken when the run ends. */
  readonly leftOver: readonly unknown[];
}

export async function recordTwoWaits(): Promise<TwoWaits> {
  const host = await hostOf("docs/concepts/time-and-order.md", "two-waits.ts");
  const start = host.clock.now();
  host.trigger("two-waits");
  for (const { minute, payload, id } of DELIVERIES) {
    await host.advance(start + minute * MINUTE_MS - host.clock.now());
    host.deliver("signal", "go", payload, id);
  }
  await host.advance();
  const leftOver = [...host.host.state.inbox.values()].map(({ deliveryId }) => deliveryId);
  return { waits: readWaits(host, start), output: host.output, leftOver };
}

function readWaits({ journal }: MemoryHost, start: number): readonly Wait[] {
  return journal.flatMap((entry) => {
    if (!entry.op.startsWith("signal/")) return [];
    if (entry.type !== "wait.resolved" && entry.type !== "wait.timed_out") return [];
    const opened = journal.find(({ type, op }) => type === "wait.opened" && op === entry.op) ?? entry;
    const resolved = entry.type === "wait.resolved";
    return [
      {
        from: (opened.at - start) / MINUTE_MS,
        to: (entry.at - start) / MINUTE_MS,
        got: resolved ? String(decodeValue(entry.value)) : undefined,
        deliveryId: resolved ? entry.deliveryId : undefined,
      },
    ];
  });
}

export async function drawTwoWaits(): Promise<Figure> {
  const { waits } = await recordTwoWaits();
  return {
    name: "two-waits",
    title: "Two waits and three deliveries",
    description: describe(waits),
    width: 668,
    height: 284,
    parts: [...DELIVERIES.flatMap(drawDelivery), ...waits.flatMap(drawWait), ...drawTaken(waits), ...drawAxis()],
  };
}

const xOf = (minute: number): number => 96 + minute * 3.6;
const yOf = (wait: number): number => 120 + wait * 60;
const WAIT_HEIGHT = 36;
const POINT_WIDTH = 180;

function drawDelivery({ minute, payload, id }: Delivery, index: number): readonly string[] {
  const x = xOf(minute);
  const before = DELIVERIES.find((one, i) => i < index && one.id === id);
  const words = before === undefined ? "" : "same id: counts once";
  return [
    node({ x: x - 52, y: 34, width: 104, height: 32 }, { tone: before === undefined ? "runs" : "soft" }),
    text({ x, y: 54 }, `"${payload}", id ${id}`, { mono: true, size: 11, anchor: "middle" }),
    text({ x, y: 24 }, clock(minute), { ...NOTE, anchor: "middle" }),
    text({ x, y: 84 }, words, { ...NOTE, anchor: "middle" }),
  ];
}

function drawWait({ from, to, got }: Wait, index: number): readonly string[] {
  const x = xOf(from);
  const y = yOf(index);
  const width = Math.max(xOf(to) - x, POINT_WIDTH);
  const words = got === undefined ? `times out at ${clock(to)}: null` : `takes "${got}" at once`;
  return [
    node({ x, y, width, height: WAIT_HEIGHT }, { tone: got === undefined ? "waits" : "done" }),
    text({ x: x + 12, y: y + 22 }, `wait ${index + 1}`, { bold: true }),
    text({ x: x + 60, y: y + 22 }, words, { tone: got === undefined ? "waits" : "done" }),
  ];
}

/** The way of each delivery to its wait; of one that no wait took, to the end. */
function drawTaken(waits: readonly Wait[]): readonly string[] {
  const taken = waits.flatMap(({ from, deliveryId }, i) => {
    const delivery = DELIVERIES.find(({ id }) => id === deliveryId);
    if (delivery === undefined) return [];
    const x = xOf(delivery.minute);
    const y = yOf(i) + WAIT_HEIGHT / 2;
    return [arrow([at(x, 70), at(x, y), at(xOf(from) - 5, y)], "runs"), text(at(x + 8, y - 8), "buffered", NOTE)];
  });
  const left = DELIVERIES.filter(({ id }) => waits.every(({ deliveryId }) => deliveryId !== id));
  return [
    ...taken,
    ...left.flatMap(({ minute }) => [
      arrow([at(xOf(minute), 70), at(xOf(minute), 236)], "runs"),
      text(at(xOf(minute) + 10, 152), "no wait is open:", NOTE),
      text(at(xOf(minute) + 10, 168), "buffered until the end", NOTE),
    ]),
  ];
}

function drawAxis(): readonly string[] {
  const end = 150;
  return [
    rule([at(xOf(0), 250), at(xOf(end), 250)], "soft"),
    ...[0, 30, 60, 90, 120, 150].flatMap((minute) => [
      rule([at(xOf(minute), 246), at(xOf(minute), 254)], "soft"),
      text(at(xOf(minute), 270), clock(minute), { ...NOTE, anchor: "middle" }),
    ]),
    text(at(20, 54), "deliveries", NOTE),
    text(at(20, 142), "waits", NOTE),
    text(at(20, 254), "time", NOTE),
  ];
}

function clock(minute: number): string {
  return `${Math.floor(minute / 60)}:${String(minute % 60).padStart(2, "0")}`;
}

/** The alternative text. */
function describe(waits: readonly Wait[]): string {
  const arrivals = DELIVERIES.map(({ minute, payload, id }) => `${clock(minute)} ${payload} with id ${id}`).join(", ");
  const ends = waits.map(({ from, to, got }, i) =>
    got === undefined
      ? `Wait ${i + 1} opens at ${clock(from)} and times out at ${clock(to)}.`
      : `Wait ${i + 1} opens at ${clock(from)} and takes ${got} at ${clock(to)}.`,
  );
  return `Deliveries: ${arrivals}. ${ends.join(" ")} The repeated delivery counts once. The last one finds no open wait and stays buffered.`;
}
