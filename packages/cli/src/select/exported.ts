/**
 * The form of an exported run.
 *
 * Owns: what a file of `holdfast export` holds, and reading it again. A file has one run, or one run a line.
 */
import type { AuditEntry, JournalEntry, RunRecord } from "@holdfast/workflows/client";
import { UsageError } from "../exit.ts";
import type { Io } from "../io.ts";
import { readLines } from "./input.ts";

const FORMAT = "holdfast.run/1";

export interface ExportedRun {
  readonly format: typeof FORMAT;
  /** When it was exported, ms since the epoch. */
  readonly exportedAt: number;
  readonly run: RunRecord;
  readonly journal: readonly JournalEntry[];
  /** Absent if the caller may not read it. */
  readonly audit?: readonly AuditEntry[];
}

export function exported(parts: Omit<ExportedRun, "format">): ExportedRun {
  return { format: FORMAT, ...parts };
}

/** Reads the only run of a file. */
export async function readExported(io: Io, file: string): Promise<ExportedRun> {
  // `--output json` writes one array.
  const lines = (await readLines(io, file)).flat();
  if (lines.length !== 1) throw new UsageError(`${file} has ${lines.length} exported runs. Take one line of it.`);
  const [value] = lines as readonly (ExportedRun | null)[];
  if (value?.format !== FORMAT || !Array.isArray(value.journal) || typeof value.run?.id !== "string")
    throw new UsageError(`${file} is not a run that holdfast export wrote: its "format" is not ${FORMAT}.`);
  return value;
}
