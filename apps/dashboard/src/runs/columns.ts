/**
 * The columns of the list of runs.
 *
 * Owns: which exist, and which are shown: those of the URL, else those that the reader chose last in this browser, else the
 * default. The run itself is always shown.
 */
import { readChoice, writeChoice } from "../ui/choice.ts";

export const COLUMNS = [
  "status",
  "run",
  "workflow",
  "tags",
  "why",
  "error",
  "trigger",
  "environment",
  "parent",
  "duration",
  "created",
  "started",
  "ended",
  "updated",
] as const;

export type Column = (typeof COLUMNS)[number];

export const COLUMN_NAMES: Readonly<Record<Column, string>> = {
  status: "Status",
  run: "Run",
  workflow: "Workflow",
  tags: "Tags",
  why: "Why",
  error: "Error",
  trigger: "Triggered by",
  environment: "Environment",
  parent: "Parent",
  duration: "Duration",
  created: "Created",
  started: "Started",
  ended: "Ended",
  updated: "Updated",
};

export const DEFAULT_COLUMNS: readonly Column[] = ["status", "run", "workflow", "tags", "why", "duration", "created"];
const KEY = "holdfast.columns";

/** Returns the columns of a text, in the order of the table. Names that do not exist are ignored. */
export function parseColumns(text: string | undefined): readonly Column[] {
  const names = new Set((text ?? "").split(","));
  const chosen = COLUMNS.filter((column) => names.has(column));
  return chosen.length === 0
    ? DEFAULT_COLUMNS
    : COLUMNS.filter((column) => column === "run" || chosen.includes(column));
}

/** `text`: of the URL. */
export function shownColumns(text: string | undefined): readonly Column[] {
  return parseColumns(text ?? readChoice(KEY) ?? undefined);
}

/** Remembers a choice, and returns its text for the URL; `undefined`: it is the default. */
export function chooseColumns(columns: readonly Column[]): string | undefined {
  const text = COLUMNS.filter((column) => columns.includes(column)).join();
  const isDefault = text === DEFAULT_COLUMNS.join();
  writeChoice(KEY, isDefault ? undefined : text);
  return isDefault ? undefined : text;
}
