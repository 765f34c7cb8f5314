/**
 * Entries of a journal for people: one line for each, in the journal's table and in `tail`.
 */
import type { JournalEntry } from "@holdfast/workflows/client";
import type { RowShape } from "./printer.ts";
import { safeJson } from "./safe-text.ts";
import { clock, duration, instant } from "./times.ts";

interface ShownError {
  readonly name?: string | undefined;
  readonly message?: string;
  readonly code?: string | number | undefined;
}

/** The fields that entries of some types have. */
interface EntryFields {
  readonly attempt?: number;
  readonly startedAt?: number;
  readonly retryAt?: number;
  readonly wakeAt?: number;
  readonly runId?: string;
  readonly detached?: true;
  readonly value?: unknown;
  readonly cause?: string;
  readonly generation?: number;
  readonly change?: unknown;
  readonly error?: ShownError;
  readonly outcome?: { readonly status?: string; readonly output?: unknown; readonly error?: ShownError };
}

export function fieldsOf(entry: JournalEntry): EntryFields {
  return entry as EntryFields;
}

/** `charge`, or `charge #2` for its third use. */
export function operationName({ operation: { kind, name, occurrence } }: JournalEntry): string {
  const text = name === "" ? kind : name;
  return occurrence === 0 ? text : `${text} #${occurrence}`;
}

export function errorText(error: ShownError | undefined): string {
  if (error === undefined) return "";
  const { name = "Error", message = "", code } = error;
  return `${typeof code === "string" ? code : name}: ${message}`;
}

/** What happened, in a few words. */
function entryDetail(entry: JournalEntry): string {
  const { attempt = 1, retryAt, wakeAt, runId, value, error, outcome, cause, generation, change } = fieldsOf(entry);
  const parts = [
    attempt > 1 || retryAt !== undefined ? `attempt ${attempt}` : "",
    errorText(error ?? outcome?.error),
    retryAt === undefined ? "" : `next attempt in ${duration(Math.max(0, retryAt - entry.at))}`,
    entry.type === "wait.opened" && wakeAt !== undefined ? `until ${instant(wakeAt)}` : "",
    runId === undefined ? "" : `run ${runId}`,
    outcome === undefined || outcome.status === "failed" ? "" : `child ${outcome.status ?? ""}`,
    cause ?? "",
    generation === undefined ? "" : `generation ${generation}`,
    value === undefined || value === null ? "" : safeJson(value),
    outcome?.output === undefined ? "" : safeJson(outcome.output),
    change === undefined ? "" : safeJson(change),
  ];
  return parts.filter((part) => part !== "").join(", ");
}

function tookOf(entry: JournalEntry): string {
  const { startedAt } = fieldsOf(entry);
  return startedAt === undefined ? "" : duration(Math.max(0, entry.at - startedAt));
}

export const journalShape: RowShape<JournalEntry> = {
  id: ({ seq }) => String(seq),
  empty: "The journal is empty.",
  columns: [
    { name: "seq", cell: ({ seq }) => String(seq), align: "right" },
    { name: "at", cell: ({ at }) => clock(at) },
    { name: "type", cell: ({ type }) => type, style: ({ type }) => styleOf(type) },
    { name: "operation", cell: (entry) => `${entry.operation.kind} ${operationName(entry)}`, min: 12 },
    { name: "took", cell: tookOf, align: "right" },
    { name: "detail", cell: entryDetail, min: 16 },
    { name: "date", cell: ({ at }) => instant(at), hidden: true },
  ],
};

function styleOf(type: string): "green" | "red" | "yellow" | "reset" {
  if (/completed$|resolved$/.test(type)) return "green";
  if (/failed$|unwinding$/.test(type)) return "red";
  return /retrying$|timed_out$/.test(type) ? "yellow" : "reset";
}
