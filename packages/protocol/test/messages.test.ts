/** tests: the schemas of messages: that they accept what was recorded, and that PROTOCOL.md names their fields */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { type Schema, describeProblem, entry, toExecution, toOrchestrator } from "../src/messages/index.ts";

const here = import.meta.dirname;
const PROTOCOL = readFileSync(`${here}/../PROTOCOL.md`, "utf8");
const json = (path: string): unknown => JSON.parse(readFileSync(`${here}/${path}`, "utf8"));

/** Every object with these fields, at any depth. */
function* recorded(value: unknown, fields: readonly string[]): Generator<Record<string, unknown>> {
  if (typeof value !== "object" || value === null) return;
  if (fields.every((name) => Object.hasOwn(value, name))) yield value as Record<string, unknown>;
  for (const part of Object.values(value)) yield* recorded(part, fields);
}

describe("what was recorded", () => {
  test.each(["format-1", "stored-runs-format-1"])("SEC10 VER1 each journal entry of %s is a valid one", (name) => {
    const entries = [...recorded(json(`../../proof/test/fixtures/${name}.json`), ["seq", "at", "nth", "op"])];
    expect(entries.flatMap((one) => entry(one, false) ?? [])).toEqual([]);
    expect(entries.length).toBeGreaterThan(5);
  });

  test.each(["turns", "turns-without-instance"])("SEC10 VER1 each message of %s is a valid one", (name) => {
    const turns = json(`../golden/${name}.json`) as readonly { readonly request: string; readonly answer: string }[];
    for (const { request, answer } of turns) {
      expect(toExecution.turnRequest(JSON.parse(request), true)).toBe(undefined);
      const answered: unknown = JSON.parse(answer);
      expect(toOrchestrator.turnEnvelope(answered, true) ?? toOrchestrator.turnContent(answered, true)).toBe(undefined);
      for (const report of recorded(answered, ["epoch", "asked", "events"]))
        expect(toOrchestrator.report(report, true)).toBe(undefined);
    }
  });
});

/** The rows of the table in PROTOCOL.md whose header starts with these cells. */
function table(heading: string, ...cells: readonly string[]): string[][] {
  const section = PROTOCOL.slice(PROTOCOL.indexOf(heading));
  const rows = section.split("\n").map((line) =>
    line
      .split(/(?<!\\)\|/)
      .map((cell) => cell.trim())
      .slice(1, -1),
  );
  const first = rows.findIndex((row) => cells.every((cell, place) => namesOf(row[place]) === cell));
  const end = rows.findIndex((row, place) => place > first && row.length === 0);
  return rows.slice(first + 2, end);
}

/** The names in backquotes, without the marks of optional ones and of values. */
function namesIn(cell = ""): string[] {
  return [...cell.matchAll(/`([A-Za-z]\w*)\??(?::[^`]*)?`/g)].map(([, name = ""]) => name);
}

const ABOUT: ReadonlySet<string> = new Set(["op", "nth", "quiet", "shielded", "after", "use"]);
const fieldsOf = (schema: Schema | undefined): string[] => Object.keys(schema?.fields ?? {});

describe("PROTOCOL.md names the fields of", () => {
  test("SEC10 each event of an execution", () => {
    const heading = "### `report`";
    const rows = [
      ...table(heading, "type", "further fields"),
      ...table("Events about the execution as a whole", "type"),
    ];
    const written = Object.fromEntries(rows.map(([type, fields]) => [namesOf(type), namesIn(fields).toSorted()]));
    const schemas = Object.entries(toOrchestrator.EVENTS).map(([type, schema]) => {
      const fields = fieldsOf(schema).filter((name) => !ABOUT.has(name));
      return [type, fields.toSorted()] as const;
    });
    expect(written).toEqual(Object.fromEntries(schemas));
  });

  test("SEC10 each journal entry", () => {
    const rows = table("## The journal", "type", "further fields", "outcome");
    const written = Object.fromEntries(rows.map(([type, fields]) => [namesOf(type), namesIn(fields).toSorted()]));
    const base = namesFrom(table("## The journal", "field", "meaning"));
    const further = Object.entries(entry.types ?? {}).map(([type, schema]) => [
      type,
      fieldsOf(schema)
        .filter((name) => !base.includes(name))
        .toSorted(),
    ]);
    expect(written).toEqual(Object.fromEntries(further));
  });

  test("SEC10 a start", () => {
    expect(namesFrom(table("### `start`", "field", "type")).toSorted()).toEqual(fieldsOf(toExecution.start).toSorted());
  });

  test("SEC10 a turn and its answer", () => {
    const written = table("### Turns over HTTP", "request field").flatMap(([name, meaning = ""]) => [
      ...namesIn(name),
      ...(meaning.includes("`updatesBefore`") ? ["updatesBefore"] : []),
    ]);
    expect(written.toSorted()).toEqual(fieldsOf(toExecution.turnRequest).toSorted());
    const answers = table("### Turns over HTTP", "type", "further fields");
    expect(answers.map(([type]) => namesOf(type)).toSorted()).toEqual(
      Object.keys(toOrchestrator.turnContent.types ?? {}).toSorted(),
    );
  });

  test("SEC10 each line", () => {
    const [, section = ""] = /### Lines over one request([^]*)### RPC/.exec(PROTOCOL) ?? [];
    const types = [toExecution.lineToExecution, toOrchestrator.lineToOrchestrator].flatMap(({ types: all = {} }) =>
      Object.keys(all),
    );
    expect(types.filter((type) => !section.includes(`\`${type}\``) && !section.includes(`"type": "${type}"`))).toEqual(
      [],
    );
  });
});

function namesOf(cell = ""): string {
  return cell.replaceAll("`", "");
}

function namesFrom(rows: readonly string[][]): string[] {
  return rows.flatMap(([name]) => namesIn(name));
}

test("SEC10 a problem names the path of the field, and never the value", () => {
  const events = [
    { type: "parked", seq: 1, now: 1 },
    { type: "run.completed", output: 5 },
  ];
  const problem = toOrchestrator.report({ epoch: 1, asked: 1, events }, true);
  expect(problem && describeProblem("report", problem)).toBe(
    "report.events[1].output must be an encoded value of at most 10485760 characters",
  );
});
