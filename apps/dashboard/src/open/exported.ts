/**
 * The form of an exported run: what `holdfast export` writes and reads.
 *
 * Owns: writing it, and reading a file that others may have written. A file has one run, one run a line, or a list of them.
 * A problem names its line.
 */
import type { AuditEntry, JournalEntry, RunRecord } from "@holdfast/workflows/client";

const FORMAT = "holdfast.run/1";

export interface ExportedRun {
  readonly format: typeof FORMAT;
  /** When it was exported, ms since the epoch. */
  readonly exportedAt: number;
  readonly run: RunRecord;
  readonly journal: readonly JournalEntry[];
  /** Absent if the caller may not read it. */
  readonly audit?: readonly AuditEntry[] | undefined;
}

/** Why a file cannot be shown. `line`: from 1. */
interface FileProblem {
  readonly line: number;
  readonly message: string;
}

export interface ReadFile {
  readonly runs: readonly ExportedRun[];
  readonly problems: readonly FileProblem[];
}

export function writeExported(parts: Omit<ExportedRun, "format">): string {
  return `${JSON.stringify({ format: FORMAT, ...parts })}\n`;
}

/** Reads a file: as one value, else line by line. */
export function readExported(text: string): ReadFile {
  const content = text.replace(/^\uFEFF/, "");
  if (content.trim() === "") return { runs: [], problems: [{ line: 1, message: "The file is empty." }] };
  const whole = parse(content);
  if (whole.problem === undefined) return collect([whole.value].flat().map((value) => ({ line: 1, value })));
  // A file with several lines is one value that somebody formatted, or has a run a line.
  const lines = content.split(/\r?\n/);
  const isFormatted = /^\s*[[{]\s*$/.test(lines.find((line) => line.trim() !== "") ?? "");
  if (isFormatted) return { runs: [], problems: [{ line: lineAt(content, whole.place), message: whole.problem }] };
  const values: { readonly line: number; readonly value: unknown }[] = [];
  const problems: FileProblem[] = [];
  for (const [index, line] of lines.entries()) {
    if (line.trim() === "") continue;
    const { value, problem } = parse(line);
    if (problem === undefined) values.push(...[value].flat().map((one) => ({ line: index + 1, value: one })));
    else problems.push({ line: index + 1, message: problem });
  }
  const { runs, problems: others } = collect(values);
  return { runs, problems: [...problems, ...others].toSorted((a, b) => a.line - b.line) };
}

function collect(values: readonly { readonly line: number; readonly value: unknown }[]): ReadFile {
  const runs: ExportedRun[] = [];
  const problems: FileProblem[] = [];
  for (const { line, value } of values) {
    const message = problemOf(value);
    if (message === undefined) runs.push(completed(value as ExportedRun));
    else problems.push({ line, message });
  }
  return { runs, problems };
}

function problemOf(value: unknown): string | undefined {
  if (!isObject(value)) return "This is no exported run, but another JSON value.";
  const { format, exportedAt, run, journal, audit } = value;
  if (format !== FORMAT) return `This is no run that holdfast export wrote: its "format" is not ${FORMAT}.`;
  if (exportedAt !== undefined && !isTime(exportedAt)) return 'The field "exportedAt" is no time.';
  if (!isObject(run) || typeof run["id"] !== "string" || typeof run["workflowId"] !== "string")
    return 'The field "run" is not the record of a run.';
  if (typeof run["status"] !== "string" || !isTime(run["createdAt"]))
    return 'The field "run" has no status, or no time of creation.';
  const wrong = Object.keys(run).find((name) => name in DEFAULTS && !isLike(DEFAULTS[name], run[name]));
  if (wrong !== undefined) return `The field "run.${wrong}" has another type than in a record.`;
  if (!Array.isArray(journal)) return 'The field "journal" is not a list.';
  const bad = journal.findIndex((entry) => !isEntry(entry));
  if (bad >= 0) return `Entry ${bad + 1} of the journal has no number, time, type or operation.`;
  if (audit !== undefined && !Array.isArray(audit)) return 'The field "audit" is not a list.';
  return undefined;
}

/** What a record has in every version, for files that lack it. The types are those that the pages rely on. */
const DEFAULTS: Readonly<Record<string, unknown>> = {
  tags: [],
  environment: "",
  triggeredBy: "",
  metadata: {},
  streams: {},
  steps: [],
  pendingWaitpoints: [],
  why: [],
};

function isLike(example: unknown, value: unknown): boolean {
  return typeof value === typeof example && value !== null && Array.isArray(value) === Array.isArray(example);
}

function completed(file: ExportedRun): ExportedRun {
  const run = Object.assign({ workflowVersion: null, tenantMeta: null, input: null }, DEFAULTS, file.run);
  return { ...file, run, journal: file.journal.toSorted((a, b) => a.seq - b.seq) };
}

function isEntry(entry: unknown): boolean {
  if (!isObject(entry)) return false;
  const { seq, at, type, operation } = entry;
  return (
    typeof seq === "number" &&
    isTime(at) &&
    typeof type === "string" &&
    isObject(operation) &&
    typeof operation["kind"] === "string" &&
    typeof operation["name"] === "string" &&
    typeof operation["occurrence"] === "number"
  );
}

/** A time that a date can have. */
function isTime(value: unknown): boolean {
  return typeof value === "number" && Math.abs(value) <= 8.64e15;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Returns the value, or the problem and its place. */
function parse(text: string): { readonly value?: unknown; readonly problem?: string; readonly place: number } {
  try {
    return { value: JSON.parse(text), place: 0 };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const [, place] = /position (\d+)/.exec(message) ?? [];
    const isEnd = /end of JSON|Unexpected end|end of data/i.test(message);
    const problem = isEnd ? "This is no JSON: the text ends too early." : "This is no JSON.";
    return {
      problem: `${problem} (${message.slice(0, 200)})`,
      place: place === undefined ? text.length : Number(place),
    };
  }
}

function lineAt(text: string, place: number): number {
  return text.slice(0, place).trimEnd().split("\n").length;
}
