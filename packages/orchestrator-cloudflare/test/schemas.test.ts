/** Tests of docs/schemas: what runs have stored fits them, and what does not fit is refused. */
import { readFileSync } from "node:fs";
import type { JournalEntry } from "@holdfast/protocol";
import { describeEntry } from "@holdfast/orchestrator";
import { describe, expect, test } from "vitest";
import { checkEntry, checkRun } from "./schema-check.ts";

interface Stored {
  readonly runs: readonly { readonly commits: readonly { readonly puts: Readonly<Record<string, unknown>> }[] }[];
}

/** Rows that an earlier version stored. */
const FILE = new URL("../../proof/test/fixtures/stored-runs-format-1.json", import.meta.url);

const entries = (JSON.parse(readFileSync(FILE, "utf8")) as Stored).runs.flatMap(({ commits }) =>
  commits.flatMap(({ puts }) =>
    Object.entries(puts).flatMap(([key, row]) => (/^journal\/\d+$/u.test(key) ? [row as JournalEntry] : [])),
  ),
);

const entry = { seq: 1, at: 1, asked: 1, nth: 1, operation: { kind: "step", occurrence: 0, name: "a" } };

describe("the JSON Schemas", () => {
  test("API1 VER1 every entry that earlier code stored fits the schema of its type, with no other field", () => {
    expect(entries.length).toBeGreaterThan(100);
    for (const one of entries) checkEntry({ ...describeEntry(one, { chars: 1e6 }) });
    expect([...new Set(entries.map(({ type }) => type))].toSorted()).toEqual([
      "child.ended",
      "child.started",
      "metadata.changed",
      "run.unwinding",
      "step.completed",
      "step.failed",
      "step.retrying",
      "step.started",
      "stream.started",
      "wait.opened",
      "wait.resolved",
      "wait.timed_out",
    ]);
  });

  test("API1 an entry of a type that newer code wrote fits, and one of a known type without its fields does not", () => {
    checkEntry({ ...entry, type: "wait.postponed" });
    expect(() => checkEntry({ ...entry, type: "step.completed" })).toThrow("journal-entry.schema.json");
    expect(() => checkEntry({ ...entry, type: "wait.timed_out", late: true })).toThrow("has the fields late");
  });

  test("API1 a record with a field that no run has does not fit", () => {
    expect(() => checkRun({ id: "r" })).toThrow("run.schema.json");
  });
});
