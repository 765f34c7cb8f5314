/**
 * Runs for people: the columns of lists, and the page of one run.
 */
import {
  type ListedRun,
  type RunRecord,
  type RunStep,
  type RunSummary,
  type ShownRun,
  type Waitpoint,
  errorDocUrl,
} from "@holdfast/workflows/client";
import { type Paint, statusMark, statusStyle } from "./colours.ts";
import type { RowShape } from "./printer.ts";
import { Text, safe, safeJson } from "./safe-text.ts";
import { Table, type Column } from "./table.ts";
import { ago, duration, instant } from "./times.ts";
import { cut } from "./width.ts";

/** The columns of a list of runs. `now` gives ages their reference. */
export function runShape(now: number): RowShape<ListedRun> {
  return {
    id: ({ id }) => id,
    empty: "No run matches.",
    columns: [
      { name: "id", cell: ({ id }) => id },
      { name: "workflow", cell: ({ workflowId }) => workflowId, min: 8 },
      {
        name: "status",
        cell: ({ status }) => `${statusMark(status).text} ${status}`,
        style: ({ status }) => statusStyle(status),
      },
      { name: "created", cell: ({ createdAt }) => ago(createdAt, now), align: "right" },
      { name: "took", cell: (run) => tookText(run, now), align: "right", optional: true },
      {
        name: "error",
        cell: ({ error }) => (error === undefined ? "" : `${error.code ?? error.name ?? ""}: ${error.message}`),
        min: 10,
        optional: true,
      },
      { name: "tags", cell: ({ tags }) => tags.join(" "), min: 6, optional: true },
      { name: "version", cell: ({ workflowVersion }) => workflowVersion ?? "", hidden: true },
      { name: "environment", cell: ({ environment }) => environment, hidden: true },
      { name: "parent", cell: ({ parent }) => parent?.runId ?? "", hidden: true },
      { name: "by", cell: ({ triggeredBy }) => triggeredBy, hidden: true },
      { name: "started", cell: ({ startedAt }) => instant(startedAt), hidden: true },
      { name: "ended", cell: ({ endedAt }) => instant(endedAt), hidden: true },
      { name: "updated", cell: ({ updatedAt }) => instant(updatedAt), hidden: true },
    ],
  };
}

function tookText({ startedAt, endedAt }: ListedRun, now: number): string {
  return startedAt === undefined ? "" : duration((endedAt ?? now) - startedAt);
}

interface Page {
  readonly paint: Paint;
  readonly width: number;
  readonly now: number;
}

/** The page of a run: its facts, its steps, what it waits for, its output or error. */
export function runPage(run: ShownRun<RunRecord>, page: Page): readonly Text[] {
  return [
    title(run, page),
    ...facts(run, page),
    ...stepLines(
      (run.steps ?? []).map((step) => endWith(run, step)),
      page,
    ),
    ...waitLines(run.pendingWaitpoints ?? [], page),
    ...(run.error === undefined ? [] : errorLines(run.error, page)),
    ...(run.output !== undefined ? [field("output", shortJson(run.output, page), page)] : []),
  ];
}

function title({ id, status }: ShownRun, { paint }: Page): Text {
  return safe`${paint("bold", id)}  ${paint(statusStyle(status), safe`${statusMark(status)} ${status}`)}`;
}

function facts(run: ShownRun<RunRecord>, page: Page): readonly Text[] {
  if (!isRead(run)) return [];
  const { workflowId, workflowVersion, tags, parent, resumedFrom, createdAt, startedAt, startAt, endedAt, dispatch } =
    run;
  const lines: readonly (readonly [string, string | undefined])[] = [
    ["workflow", workflowVersion === null ? workflowId : `${workflowId} (version ${workflowVersion})`],
    ["tags", tags.length === 0 ? undefined : tags.join(" ")],
    ["parent", parent?.runId],
    [
      "resumed",
      resumedFrom && `from ${resumedFrom.runId}${resumedFrom.step === undefined ? "" : `, step ${resumedFrom.step}`}`,
    ],
    ["created", `${instant(createdAt)} (${ago(createdAt, page.now)})`],
    [
      "starts",
      startedAt === undefined && startAt !== undefined ? `${instant(startAt)} (${ago(startAt, page.now)})` : undefined,
    ],
    ["took", startedAt === undefined ? undefined : duration((endedAt ?? page.now) - startedAt)],
    ["phase", run.phase === "compensating" ? "compensating" : undefined],
    [
      "dispatch",
      dispatch &&
        `${dispatch.code}${dispatch.message === undefined ? "" : `: ${dispatch.message}`}, ${dispatch.failures} failures`,
    ],
    ["input", "input" in run && run.input !== undefined && run.input !== null ? shortJson(run.input, page) : undefined],
    ["metadata", Object.keys(run.metadata ?? {}).length === 0 ? undefined : shortJson(run.metadata, page)],
  ];
  return lines.flatMap(([name, value]) => (value === undefined ? [] : [field(name, value, page)]));
}

/** A caller without the scope `read` gets the id and the status only. */
function isRead(run: ShownRun<RunRecord>): run is RunRecord | RunSummary {
  return run.workflowId !== undefined;
}

const FIELD_CHARS = 10;

function field(name: string, value: string, { paint, width }: Page): Text {
  return safe`  ${paint("dim", name.padEnd(FIELD_CHARS))}${cut(safe`${value}`.text, width - FIELD_CHARS - 2)}`;
}

function shortJson(value: unknown, { width }: Page): string {
  const json = safeJson(value);
  return width === Infinity ? json : json.slice(0, width);
}

/** A step as people see it. */
type Row = Omit<RunStep, "status"> & { readonly status: string };

/** Nothing of an ended run executes any longer, whatever the newest entry of a step says. */
function endWith({ endedAt }: ShownRun<RunRecord>, step: RunStep): Row {
  if (endedAt === undefined || (step.status !== "running" && step.status !== "retrying")) return step;
  return { ...step, status: "not finished", endedAt: Math.max(endedAt, step.startedAt ?? endedAt) };
}

function stepLines(steps: readonly Row[], page: Page): readonly Text[] {
  if (steps.length === 0) return [];
  const columns: readonly Column<Row>[] = [
    { name: "step", cell: ({ name, occurrence }) => (occurrence === 0 ? name : `${name} #${occurrence}`), min: 12 },
    {
      name: "status",
      cell: ({ status }) => `${statusMark(status).text} ${status}`,
      style: ({ status }) => statusStyle(status),
    },
    { name: "attempts", cell: ({ attempts }) => String(attempts), align: "right" },
    {
      name: "took",
      cell: ({ startedAt, endedAt }) => (startedAt === undefined ? "" : duration((endedAt ?? page.now) - startedAt)),
      align: "right",
    },
    { name: "result", cell: stepResult, min: 12, optional: true },
  ];
  const table = new Table(columns, steps, page.width - 2, page.paint);
  return [new Text(""), safe`  ${table.head()}`, ...steps.map((step) => safe`  ${table.row(step)}`)];
}

function stepResult({ error, output, compensation }: Row): string {
  const result =
    error === undefined ? (output === undefined ? "" : safeJson(output)) : `${error.name ?? "Error"}: ${error.message}`;
  return compensation === undefined
    ? result
    : `compensation ${compensation.status}${result === "" ? "" : `; ${result}`}`;
}

function waitLines(waits: readonly Waitpoint[], page: Page): readonly Text[] {
  if (waits.length === 0) return [];
  return [new Text(""), ...waits.map((wait) => field("waits for", waitText(wait, page.now), page))];
}

/** `signal approval, until …`. */
function waitText({ kind, meta, wakeAt }: Waitpoint, now: number): string {
  const until = wakeAt === undefined ? "" : ` until ${instant(wakeAt)} (${ago(wakeAt, now)})`;
  const { name, eventType, tokenId, runId, workflowId } = meta as Readonly<Record<string, string | undefined>>;
  if (kind === "DATETIME") return wakeAt === undefined ? "a time" : instant(wakeAt) + ` (${ago(wakeAt, now)})`;
  if (kind === "SIGNAL") return `signal ${name}${until}`;
  if (kind === "EVENT") return `event ${eventType}${until}`;
  if (kind === "MANUAL") return `token ${tokenId ?? ""}${until}`;
  return `run ${runId ?? ""} of ${workflowId ?? ""}${until}`;
}

function errorLines(error: NonNullable<RunSummary["error"]>, page: Page): readonly Text[] {
  const step = error.step === undefined ? "" : ` in step ${error.step}`;
  const docUrl = errorDocUrl(error.code);
  return [
    new Text(""),
    field("error", `${error.code ?? error.name ?? "error"}${step}: ${error.message}`, page),
    ...(docUrl === undefined ? [] : [field("", docUrl, page)]),
  ];
}
