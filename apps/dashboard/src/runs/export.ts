/**
 * The runs of a filter as a file.
 *
 * Owns: the two formats. NDJSON has a line for each run, as the API shows it. CSV has a row for each run; every value is
 * text, and none is a formula for the program that opens the file.
 */
import type { ListedRun } from "@holdfast/workflows/client";

export type ExportFormat = "ndjson" | "csv";

const TYPES: Readonly<Record<ExportFormat, string>> = { ndjson: "application/x-ndjson", csv: "text/csv;charset=utf-8" };

const FIELDS: readonly (readonly [name: string, of: (run: ListedRun) => string | number | null | undefined])[] = [
  ["id", ({ id }) => id],
  ["workflowId", ({ workflowId }) => workflowId],
  ["workflowVersion", ({ workflowVersion }) => workflowVersion],
  ["status", ({ status }) => status],
  ["why", ({ why }) => why?.code],
  ["errorCode", ({ error }) => error?.code],
  ["errorMessage", ({ error }) => error?.message],
  ["tags", ({ tags }) => tags.join(" ")],
  ["environment", ({ environment }) => environment],
  ["triggeredBy", ({ triggeredBy }) => triggeredBy],
  ["parentRunId", ({ parent }) => parent?.runId],
  ["resumedFromRunId", ({ resumedFrom }) => resumedFrom?.runId],
  ["createdAt", ({ createdAt }) => timeText(createdAt)],
  ["startedAt", ({ startedAt }) => timeText(startedAt)],
  ["endedAt", ({ endedAt }) => timeText(endedAt)],
  ["updatedAt", ({ updatedAt }) => timeText(updatedAt)],
];

export function headOf(format: ExportFormat): string {
  return format === "csv" ? csvRow(FIELDS.map(([name]) => name)) : "";
}

export function lineOf(run: ListedRun, format: ExportFormat): string {
  return format === "csv" ? csvRow(FIELDS.map(([, of]) => String(of(run) ?? ""))) : `${JSON.stringify(run)}\n`;
}

export interface ExportResult {
  readonly count: number;
  readonly state: "done" | "stopped" | "failed";
  readonly error?: unknown;
  /** What was read, also after a stop or a failure. */
  readonly file: Blob;
}

/** The runs of one part of the file: the parts are not kept as text. */
const PART = 1_000;

/** Reads all runs, reports after each page, and returns what was read. */
export async function exportRuns(
  runs: AsyncIterable<ListedRun>,
  format: ExportFormat,
  { signal, onCount }: { readonly signal: AbortSignal; readonly onCount: (count: number) => void },
): Promise<ExportResult> {
  const parts: Blob[] = [];
  let text = headOf(format);
  let count = 0;
  const flush = (): void => {
    parts.push(new Blob([text]));
    text = "";
    onCount(count);
  };
  const end = (state: ExportResult["state"], error?: unknown): ExportResult => {
    flush();
    return { count, state, error, file: new Blob(parts, { type: TYPES[format] }) };
  };
  try {
    for await (const run of runs) {
      if (signal.aborted) return end("stopped");
      text += lineOf(run, format);
      count++;
      if (count % PART === 0) flush();
      else if (count % 50 === 0) onCount(count);
    }
  } catch (error) {
    return end(signal.aborted ? "stopped" : "failed", error);
  }
  return end("done");
}

/** A value that begins like a formula gets an apostrophe, which such programs take as "this is text". */
function csvRow(values: readonly string[]): string {
  const cells = values.map((value) => {
    const safe = /^[\s]*[=+\-@\t\r]/.test(value) ? `'${value}` : value;
    return `"${safe.toWellFormed().replaceAll('"', '""')}"`;
  });
  return `${cells.join(",")}\r\n`;
}

function timeText(at: number | undefined): string | undefined {
  return at === undefined ? undefined : new Date(at).toISOString();
}
