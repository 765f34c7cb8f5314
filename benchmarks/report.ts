/**
 * Makes the tables of the results, for a terminal and for RESULTS.md.
 */
import { cpus, totalmem } from "node:os";
import type { Drawing } from "./plots.ts";
import { type Measure, type Row, ratioOf } from "./statistics.ts";
import type { Target } from "./targets.ts";

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memory: string;
  readonly system: string;
  readonly node: string;
  readonly workerd: string;
  readonly miniflare: string;
}

export interface Results {
  readonly date: string;
  readonly seconds: number;
  readonly machine: Machine;
  /** A sentence for each optional peer: how it took part, or why not. */
  readonly peers: readonly string[];
  readonly targets: readonly Target[];
  readonly measures: readonly Measure[];
}

export function describeMachine(versions: Pick<Machine, "workerd" | "miniflare">): Machine {
  const [first] = cpus();
  return {
    cpu: first?.model.trim() ?? "unknown",
    cores: cpus().length,
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    system: `${process.platform} ${process.arch}`,
    node: process.version,
    ...versions,
  };
}

/** Returns Markdown tables, which are readable in a terminal too. */
export function drawTables({ targets, measures }: Pick<Results, "targets" | "measures">): string {
  return [
    drawTargets(targets),
    ...measures.map((measure) => `${measure.title}, ${measure.unit}\n\n${drawMeasure(measure)}`),
  ].join("\n\n");
}

export function drawResults(results: Results, plots: readonly Drawing[]): string {
  const { machine, date, seconds, peers, targets, measures } = results;
  const parts = [
    `# Benchmarks, ${date.slice(0, 10)}`,
    "Written by `pnpm bench --peers`. Holdfast, the floors of the platform and the peers alternate round by round on one machine, each with its storage on disk. Holdfast runs on plain workerd. **Read the ratios**: times are from one machine and say nothing about Cloudflare's network. A ratio is the median over the rounds of the ratio within a round.",
    `${machine.cores} cores of ${machine.cpu}, ${machine.memory}, ${machine.system}; Node ${machine.node}, workerd ${machine.workerd}. The run took ${Math.round(seconds)} s.`,
    [`Cloudflare Workflows: the local engine of miniflare ${machine.miniflare}.`, ...peers]
      .map((text) => `- ${text}`)
      .join("\n"),
    "## Targets",
    "Where the floor of a pipe is above a target, the target is 1.1 × that floor. To the Node process the better of two floors counts: a `POST` for each message, or a frame of a WebSocket.",
    drawTargets(targets),
    ...measures.flatMap((measure) => [
      `## ${measure.title}`,
      measure.how,
      `In ${measure.unit}.`,
      drawMeasure(measure),
      ...measure.failures.map((text) => `- ${text}`),
      ...plots.filter(({ id }) => id === measure.id).map(({ id }) => `![${measure.title}](plots/${id}.svg)`),
    ]),
  ];
  return `${parts.join("\n\n")}\n`;
}

function drawTargets(targets: readonly Target[]): string {
  return table(
    ["what", "target", "in this run", "floor", "found", "met"],
    targets.map((target) => [target.what, target.wanted, target.bound, target.floor, target.found, met(target)]),
  );
}

function met(target: Target): string {
  return target.met === undefined ? "–" : target.met ? "yes" : "**no**";
}

function drawMeasure({ rows }: Measure): string {
  const counts = rows.some(({ n }) => n !== undefined);
  const ordered = rows.toSorted((a, b) => (a.n ?? 0) - (b.n ?? 0));
  const others = othersIn(rows);
  const head = ["what", "who", "min", "median", "p99", "samples", ...others.map(({ name }) => `to ${name}`)];
  return table(
    counts ? ["N", ...head] : head,
    ordered.map((row) => [
      ...(counts ? [row.n?.toLocaleString("en") ?? ""] : []),
      row.what,
      row.who,
      ...[row.min, row.median, row.p99].map(short),
      String(row.count),
      ...others.map(({ isOf }) => ratioTo(row, rows, (other) => isOf(other, row))),
    ]),
  );
}

interface Other {
  readonly name: string;
  readonly isOf: (other: Row, row: Row) => boolean;
}

/** Returns what the rows of Holdfast are compared with: the floor, and each peer. A peer's row may have the same subject. */
function othersIn(rows: readonly Row[]): readonly Other[] {
  const floor: Other = { name: "the floor", isOf: (other, row) => other.who === "floor" && other.what === row.what };
  const own = new Set(rows.filter(({ who }) => who === "Holdfast").map(({ what }) => what));
  const peers = [...new Set(rows.filter(({ who }) => who === "peer").map(({ what }) => what))];
  if (peers.some((what) => own.has(what)))
    return [{ name: "Cloudflare Workflows", isOf: (other, row) => other.who === "peer" && other.what === row.what }];
  return [
    ...(rows.some(({ who }) => who === "floor") ? [floor] : []),
    ...peers.map((name) => ({ name, isOf: (other: Row) => other.who === "peer" && other.what === name })),
  ];
}

/** Returns the ratio of a row of Holdfast to the row of another with the same N. */
function ratioTo(row: Row, rows: readonly Row[], isOther: (other: Row) => boolean): string {
  const alone = new Set(rows.filter(isOther).map(({ n }) => n)).size <= 1;
  const other = rows.find((one) => isOther(one) && (one.n === row.n || alone));
  if (row.who !== "Holdfast" || other === undefined) return "";
  return `${short(ratioOf(row, other))} ×`;
}

function short(value: number): string {
  return Number.isFinite(value)
    ? (value >= 1_000 ? Math.round(value) : Number(value.toPrecision(3))).toLocaleString("en", {
        maximumFractionDigits: 4,
      })
    : "–";
}

function table(head: readonly string[], lines: readonly (readonly string[])[]): string {
  const all = [head, head.map(() => "---"), ...lines];
  const widths = head.map((_, column) => Math.max(...all.map((line) => line[column]?.length ?? 0)));
  return all
    .map((line) => `| ${line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`)
    .join("\n");
}
