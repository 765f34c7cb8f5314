/** tests: the texts that the server reads and writes: lines of workerd, the configuration, variables, the user's files */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { configurationText } from "../../src/dev/configuration.ts";
import { runPagePath } from "../../src/dev/dashboard.ts";
import { Printer } from "../../src/dev/printer.ts";
import {
  type Project,
  compatibilityDateOf,
  findEntry,
  readProject,
  unusedConfiguration,
} from "../../src/dev/project.ts";
import { Repeats, readWorkerdLine } from "../../src/dev/run-lines.ts";
import { schedule, workflow } from "@holdfast/workflows";
import { variablesOf } from "../../src/dev/variables.ts";
import { collectExports } from "../../src/dev/worker/collect.ts";
import { markOf } from "../../src/dev/worker/mark.ts";
import { UsageError } from "../../src/exit.ts";
import type { Io } from "../../src/io.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "holdfast-texts-"));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(folder, name, ".."), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
}

/** A line as workerd writes what the console gets. */
function logged(message: string, level = "log"): string {
  return JSON.stringify({ timestamp: 1, level, message });
}

/** Prints lines of workerd, and returns stdout without the time. */
function printed(lines: readonly string[], { ndjson = false, pages = false } = {}): string {
  let out = "";
  const stdout = { isTTY: false, write: (text: string) => ((out += text), true) };
  const io = { stdout, stderr: stdout, env: {}, now: () => 0 } as unknown as Io;
  const pageOf = (run: string) => (pages ? `http://127.0.0.1:1${runPagePath(run)}` : undefined);
  const printer = new Printer({ io, colourOff: false, ndjson, locate: (text) => text, pageOf });
  for (const line of lines.map(readWorkerdLine)) if (line !== undefined) printer.line(line);
  return out.replaceAll(/^\d\d:\d\d:\d\d /gm, "");
}

const RUN = { source: "holdfast", runId: "r/1 é", workflowId: "order", epoch: 1, at: 1, level: "info" };

function event(type: string, more: object = {}): string {
  return logged(JSON.stringify({ ...RUN, type, ...more }));
}

test("DEV6 each event of a run is one line, and a completed step none", () => {
  const error = { code: "NON_DETERMINISM", message: "The code requests step b in place of step a." };
  const lines = [
    event("run.created", { status: "pending" }),
    event("run.created", { status: "running" }),
    event("step.completed", { operation: "step/0/charge" }),
    event("run.waiting", { waits: ["signal/0/a/b", "sleep/0/sleep", "run/0/child"] }),
    event("run.waiting", { waits: [] }),
    event("run.running"),
    event("step.retrying", { operation: "step/1/charge", attempt: 2, code: "ERROR", message: "no tea" }),
    event("step.failed", { operation: "step/1/charge", code: "ERROR", message: "no tea" }),
    event("dispatch.failed", { message: "refused" }),
    event("run.paused", { ...error }),
    event("run.paused"),
    event("run.ended", { status: "completed", durationMs: 12 }),
    event("run.ended", { status: "compensation_failed", durationMs: 1_234, message: "no" }),
  ];
  const who = "r/1 é order  ";
  expect(printed(lines).split("\n")).toEqual([
    `${who}is scheduled`,
    `${who}starts`,
    `${who}waits for signal a/b, a sleep, child run of child`,
    `${who}continues`,
    `${who}retries step charge after attempt 2: no tea`,
    `${who}step charge failed: no tea`,
    `${who}cannot reach its code: refused`,
    `${who}is paused: NON_DETERMINISM: The code requests step b in place of step a.`,
    "    Fix the cause, then run: holdfast retry r/1 é",
    `${who}is paused`,
    `${who}completed after 12 ms`,
    `${who}compensation failed after 1.2 s: no`,
    "",
  ]);
});

test("DEV6 a line of the console names its run, keeps its colours, and can do nothing else to the terminal", () => {
  const red = "\u001b[31mred\u001b[0m";
  const lines = [
    logged(`${markOf("r/1 %é")}hello\u0001 { a: 1 }`),
    logged(`${markOf("r")} { only: "an object" }`),
    logged(`${red} \u001b[2Jcleared\nsecond\u202e`, "warn"),
    logged(JSON.stringify({ runId: "r", workflowId: "order", level: "info", message: "m\u001b[2J", data: { b: 1 } })),
    logged("{ not: json"),
    "not of the structured log",
    JSON.stringify({ level: "warn", source: "workerd/server/x.rs:1", message: "a flag became the default" }),
    logged("holdfast: the step handler could not list its workflows Error: x", "error"),
  ];
  expect(printed(lines)).toBe(
    [
      "r/1 %é  hello\\x01 { a: 1 }",
      'r  { only: "an object" }',
      `${red} \\x1b[2Jcleared`,
      "second\\u202e",
      'r order  m\\x1b[2J {"b":1}',
      "{ not: json",
      "not of the structured log",
      "",
    ].join("\n"),
  );
});

test("DEV9 the lines of a start, of a pause by a failure and of a failed end say the address of the run's page", () => {
  const failed = { code: "NON_DETERMINISM", message: "no" };
  const lines = [
    event("run.created", { status: "running" }),
    event("run.waiting", { waits: ["signal/0/a"] }),
    event("step.failed", { operation: "step/1/charge", message: "no tea" }),
    event("run.paused", failed),
    event("run.ended", { status: "failed", durationMs: 12, message: "no" }),
    event("run.ended", { status: "completed", durationMs: 12 }),
  ];
  const page = "http://127.0.0.1:1/ui/runs/r%2F1%20%C3%A9";
  const who = "r/1 é order  ";
  expect(printed(lines, { pages: true }).split("\n")).toEqual([
    `${who}starts  ${page}`,
    `${who}waits for signal a`,
    `${who}step charge failed: no tea`,
    `${who}is paused: NON_DETERMINISM: no`,
    "    Fix the cause, then run: holdfast retry r/1 é",
    `    ${page}`,
    `${who}failed after 12 ms: no  ${page}`,
    `${who}completed after 12 ms`,
    "",
  ]);
});

test("DEV6 a warning of the engine about a run that is no event, such as a trace that is not exported, is a line", () => {
  const message = "a trace was not exported: the collector answered 302";
  const text = JSON.stringify({ source: "holdfast", message, runId: "r" });
  expect(readWorkerdLine(JSON.stringify({ level: "warn", message: text }))).toMatchObject({
    run: "r",
    tone: "warning",
    text: message,
  });
});

test("DEV6 --output ndjson prints an object a line", () => {
  const lines = printed([event("run.running"), logged(`${markOf("r")}text`)], { ndjson: true })
    .trim()
    .split("\n");
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
    { ...RUN, type: "run.running" },
    { type: "console", level: "log", runId: "r", message: "text" },
  ]);
});

test("DEV8 the configuration quotes every text, and stores nothing without a folder", () => {
  const base = { compatibilityDate: "2026-10-01", compatibilityFlags: ["a"], classes: { COUNTER: "Counter" } };
  const variables = { A: 'a "quoted" \\ text\n\u0007é', B: { b: ['"'] } };
  const text = configurationText({ ...base, variables, data: '/a "b"/c' });
  expect(text).toContain(String.raw`(name = "A", text = "a \"quoted\" \\ text\x0a\x07é")`);
  expect(text).toContain(String.raw`(name = "B", json = "{\"b\":[\"\\\"\"]}")`);
  expect(text).toContain(String.raw`path = "/a \"b\"/c"`);
  expect(text).toContain('(className = "Counter", uniqueKey = "Counter", enableSql = true)');
  expect(configurationText({ ...base, variables, data: undefined })).toContain(
    "durableObjectStorage = (inMemory = void)",
  );
});

test("DEV8 variables of this machine win over those of a deployment, and the token is added to each form of a list", () => {
  const local = { url: "http://127.0.0.1:1", token: "t0" };
  const read = (vars: object, variables: Record<string, string> = {}) =>
    variablesOf({ wrangler: { vars: { ...vars } }, variables } as unknown as Project, local);
  expect(read({ A: "a", B: "b", PUBLIC_URL: "https://x.example" }, { B: "mine" })).toMatchObject({
    A: "a",
    B: "mine",
    PUBLIC_URL: local.url,
    ALLOWED_ORIGINS: "http://localhost:1",
    API_TOKENS: "t0",
    ENVIRONMENT: "development",
    LIMITS: '{"executorCrashes":100}',
  });
  expect(read({}, { API_TOKENS: "a,b" })["API_TOKENS"]).toBe("a,b,t0");
  expect(read({}, { API_TOKENS: ' [{"token":"a"}] ' })["API_TOKENS"]).toBe('[{"token":"a"},"t0"]');
  expect(read({}, { API_TOKENS: "{broken" })["API_TOKENS"]).toBe("{broken");
  expect(read({ LIMITS: '{"executorCrashes":5}' })["LIMITS"]).toBe('{"executorCrashes":5}');
});

test("DEV8 comments and trailing commas are no part of wrangler.jsonc, and a mistake in it names the file", () => {
  write({
    "wrangler.jsonc": '{ "main": "a//b,}.ts", /* , */ "vars": { "A": "/* kept */" }, "queues": {}, } // end',
    "src/index.ts": "",
    ".env": "B=1\nC=1",
    ".env.local": "C=2",
  });
  const project = readProject(folder, join(folder, "src"));
  expect(project).toMatchObject({
    folder,
    wrangler: { main: "a//b,}.ts", vars: { A: "/* kept */" } },
    variables: { B: "1", C: "2" },
  });
  expect(unusedConfiguration(project)).toEqual([
    "Not on this server: queues of wrangler.jsonc. wrangler dev has them.",
  ]);
  expect(findEntry(folder, undefined)).toBe(join(folder, "src/index.ts"));
  write({ ".dev.vars": "B=2", "wrangler.jsonc": "{ main }" });
  expect(() => readProject(folder, folder)).toThrow(/^wrangler\.jsonc is no valid JSON with comments: /);
});

test.each([
  ["null", "it must be an object"],
  ["[]", "it must be an object"],
  ['{ "main": 5 }', "main must be a text"],
  ['{ "compatibility_date": "today" }', "compatibility_date must be a date such as 2026-10-01"],
  ['{ "compatibility_flags": "nodejs_compat" }', "compatibility_flags must be an array of texts"],
  ['{ "vars": [] }', "vars must be an object"],
  ['{ "durable_objects": null }', "durable_objects must be an object"],
  [
    '{ "durable_objects": { "bindings": [{ "name": "A" }] } }',
    "durable_objects.bindings must be an array of objects with name and class_name",
  ],
])("DEV8 a wrangler.jsonc of another shape is refused with the field: %s", (text, problem) => {
  write({ "wrangler.jsonc": text });
  expect(() => readProject(folder, folder)).toThrow(new UsageError(`wrangler.jsonc: ${problem}.`));
});

test("DEV8 a compatibility date that the installed workerd does not know is replaced by its newest one, which is said", () => {
  write({ "wrangler.jsonc": '{ "compatibility_date": "2026-12-31" }' });
  const project = readProject(folder, folder);
  expect(compatibilityDateOf(project, "2026-11-17")).toBe("2026-11-17");
  expect(unusedConfiguration(project, "2026-11-17")).toEqual([
    "compatibility_date is 2026-11-17 on this server: the installed workerd knows no later one. Update workerd.",
  ]);
  expect(compatibilityDateOf(project, "2027-01-01")).toBe("2026-12-31");
  expect(unusedConfiguration(project, "2027-01-01")).toEqual([]);
});

test("DEV8 a byte order mark is no part of wrangler.jsonc", () => {
  write({ "wrangler.jsonc": '\uFEFF{ "main": "a.ts" }' });
  expect(readProject(folder, folder).wrangler).toEqual({ main: "a.ts" });
});

test("DEV8 a wrangler.toml is said to be unread", () => {
  write({ "wrangler.toml": "" });
  const [line] = unusedConfiguration(readProject(folder, folder));
  expect(line).toBe("wrangler.toml is not read here. Write it as wrangler.jsonc.");
});

test("DEV3 schedules are found as workflows are: by their form, under any name, also in lists", () => {
  const order = workflow({ id: "order", run: () => "done" });
  const nightly = schedule({ id: "nightly", workflow: order, cron: "0 2 * * *" });
  const often = schedule({ id: "often", workflow: order, every: "1m" });
  expect(collectExports({ order, nightly, all: [often, nightly], n: 1 }, "a.ts")).toEqual({
    workflows: [order],
    schedules: [nightly, often],
  });
  expect(collectExports({ order }, "a.ts")).toEqual({ workflows: [order], schedules: [] });
  expect(() => collectExports({ nightly, other: workflow({ id: "other", run: () => 1 }) }, "a.ts")).toThrow(
    'a.ts exports the schedule "nightly" and not its workflow "order". Export the workflow too.',
  );
});

test("DEV6 a line that repeats the one before of the same run is printed once", () => {
  const repeats = new Repeats();
  const line = (runId: string, type: string): boolean =>
    repeats.isNew(readWorkerdLine(JSON.stringify({ message: JSON.stringify({ source: "holdfast", type, runId }) }))!);
  expect(["a", "a", "b", "a"].map((run) => line(run, "run.running"))).toEqual([true, false, true, false]);
  expect([line("a", "run.paused"), line("a", "run.paused"), line("a", "run.running")]).toEqual([true, false, true]);
  const own = { run: "a", tone: "plain", text: "continues", own: true, object: {} } as const;
  expect([repeats.isNew(own), repeats.isNew(own), line("a", "run.running")]).toEqual([true, true, true]);
});

test("DEV3 an entry with nothing to serve says what to export", () => {
  const fetch = (): void => {};
  expect(() => collectExports({ a: 1 }, "a.ts")).toThrow(/^a\.ts exports no workflow\. Export what workflow/);
  expect(() => collectExports({ default: { fetch } }, "a.ts")).toThrow(
    /without the class WorkflowRunDO\. Add: export const/,
  );
  expect(() => collectExports({ WorkflowRunDO: class {} }, "a.ts")).toThrow(
    /exports WorkflowRunDO and no Worker\. Add: /,
  );
});
