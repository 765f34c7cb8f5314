/**
 * Executes the programs of docs/concepts/rules.md: each bad one fails with the text that the page shows below it, and
 * each good one passes the same test.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { planResume, readInput } from "@holdfast/orchestrator";
import type { Workflow } from "@holdfast/workflows";
import { MemoryHost, type TestOptions, testWorkflow } from "@holdfast/workflows/testing";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { REPOSITORY } from "../source-files.ts";
import { compareAnswer } from "./compare.ts";
import { importModule, writeModules } from "./modules.ts";
import { findBlocks } from "./page.ts";

const PAGE = "docs/concepts/rules.md";
const RULES = 12;
const folder = writeModules(PAGE, "rules");
const blocks = findBlocks(readFileSync(join(REPOSITORY, PAGE), "utf8"));

type Module = Readonly<Record<string, unknown>>;

interface Bank {
  readonly paid: () => number;
  readonly reset: () => void;
}

const { bank } = (await importModule(folder, "bank.ts")) as { readonly bank: Bank };
const { check } = (await importModule(folder, "check.ts")) as {
  readonly check: (workflow: Workflow, input?: unknown) => Promise<unknown>;
};

/** The test of each rule. It returns what it prints: nothing if the workflow passes. */
const TESTS: Readonly<Record<number, (module: Module) => Promise<string>>> = {
  1: (module) => crashes(workflowOf(module), { cents: 100 }, { before: bank.reset, compare: () => bank.paid() }),
  2: (module) => crashes(workflowOf(module), undefined, { compare: ({ output }) => isOneRate(output) }),
  3: (module) => printError(() => check(workflowOf(module))),
  4: (module) => {
    const cache = module["cache"] as Map<string, string>;
    return crashes(workflowOf(module), { user: "Ann" }, { before: () => cache.clear() });
  },
  5: (module) => crashes(workflowOf(module), { cents: 100 }, { before: bank.reset, compare: () => bank.paid() }),
  6: (module) => printError(() => check(workflowOf(module), { images: ["a.png", "b.png"] })),
  7: (module) => ends(workflowOf(module)),
  8: (module) => printError(() => check(workflowOf(module), { prices: [3, 4] })),
  9: (module) => ends(workflowOf(module), answerOnSecondDay),
  10: countSecrets,
  11: (module) => ends(workflowOf(module)),
  12: deployWhileItWaits,
};

/** What a good program prints, if it is not nothing. */
const GOOD: Readonly<Record<number, string>> = {
  7: "completed: report-run-1",
  9: "completed: yes",
  10: "2 runs made 2 secrets",
  11: "completed: [object Object]",
  12: "completed: shipped",
};

beforeEach(() => {
  // Chance is another one at each call, so that the test does not depend on luck.
  let calls = 0;
  vi.spyOn(Math, "random").mockImplementation(() => ((calls += 1) % 2 === 1 ? 0.1 : 0.9));
});
afterEach(() => vi.restoreAllMocks());

test.each(Object.keys(TESTS).map(Number))(
  "the bad program of rule %i fails as the page says, and the good one passes",
  async (rule) => {
    const run = TESTS[rule] ?? (async () => "no test");
    const bad = await run(await importModule(folder, `${rule}-bad.ts`));
    expect(compareAnswer({ language: "text", text: shownBelow(`${rule}-bad.ts`) }, bad), bad).toEqual([]);
    expect(await run(await importModule(folder, `${rule}-good.ts`))).toBe(GOOD[rule] ?? "");
  },
);

test("the page has twelve rules, each with a bad and a good program", () => {
  const titles = blocks.flatMap(({ title }) => (title === undefined ? [] : [title]));
  const pairs = Array.from({ length: RULES }, (_, i) => [`${i + 1}-bad.ts`, `${i + 1}-good.ts`]).flat();
  expect(titles.filter((title) => /^\d/.test(title))).toEqual(pairs);
});

/** The text that the page shows below a program. */
function shownBelow(title: string): string {
  const next = blocks[blocks.findIndex((block) => block.title === title) + 1];
  expect(next?.language).toBe("text");
  return next?.lines.join("\n") ?? "";
}

function workflowOf(module: Module): Workflow {
  const found = Object.values(module).find((value) => typeof (value as Partial<Workflow>).execute === "function");
  return found as Workflow;
}

async function printError(act: () => Promise<unknown>): Promise<string> {
  try {
    await act();
    return "";
  } catch (error) {
    return (error as Error).message;
  }
}

function crashes(workflow: Workflow, input: unknown, options: TestOptions): Promise<string> {
  return printError(() => testWorkflow(workflow, input, { ...options, crashEverywhere: true }));
}

async function ends(workflow: Workflow, drive?: TestOptions["drive"]): Promise<string> {
  const { status, output, error } = await testWorkflow(workflow, undefined, { drive });
  return error === undefined ? `${status}: ${String(output)}` : `${status}: ${error.code}: ${error.message}`;
}

const answerOnSecondDay: TestOptions["drive"] = async (run) => {
  await run.advance("36h");
  await run.signal("answer", "yes");
};

function isOneRate(output: unknown): string {
  const { mailed, rate } = output as { readonly mailed: number; readonly rate: number };
  return mailed === rate ? "equal" : "not equal";
}

/** The run fails, and is resumed from its first step. */
async function countSecrets(module: Module): Promise<string> {
  const workflow = workflowOf(module);
  const parent = new MemoryHost({ workflows: [workflow] });
  parent.trigger(workflow.id);
  await parent.advance();
  const inherited = planResume(parent.header, parent.journal, { resumeFromStep: "store", seedResults: [] });
  if ("type" in inherited) throw new Error(inherited.message);
  const resumed = new MemoryHost({ workflows: [workflow] });
  const input = readInput(parent.host.state, parent.header);
  resumed.trigger(workflow.id, undefined, { runId: "run-2", input, inherited });
  await resumed.advance();
  const { size } = module["vault"] as Set<string>;
  return `2 runs made ${size} secret${size === 1 ? "" : "s"}`;
}

/** A run waits in the first deployment, and continues in the next one. */
async function deployWhileItWaits(module: Module): Promise<string> {
  const [first, next] = [module["deployedFirst"], module["deployedNext"]] as readonly Workflow[][];
  const before = new MemoryHost({ workflows: first ?? [] });
  before.trigger("order", undefined, { workflowVersion: first?.[0]?.version });
  await before.settle();
  const { store, clock } = before;
  const after = new MemoryHost({ workflows: next ?? [], store, clock });
  after.deliver("signal", "approval", undefined, "delivery-1");
  await after.settle();
  await after.advance(60_000);
  const { status, error } = after.header;
  return error === undefined ? `${status}: ${String(after.output)}` : `${status}: ${error.code}: ${error.message}`;
}
