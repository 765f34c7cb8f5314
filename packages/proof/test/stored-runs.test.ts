import { readFileSync } from "node:fs";
import { MemoryHost, MemoryStore } from "@holdfast/workflows/testing";
import { describe, expect, test } from "vitest";
import { type End, continueFrom } from "../src/stored-runs/continue-runs.ts";
import type { StoredCommit } from "../src/stored-runs/store-log.ts";
import { outcomeOf, workflowOf } from "./run-workflow.ts";

interface StoredRun {
  readonly title: string;
  readonly commits: readonly StoredCommit[];
  /** The ends to which the code that stored the run continued it. */
  readonly ends: readonly End[];
}

/** Recorded by the last commit before headers had flags. It is never recorded again. */
const FILE = new URL("fixtures/stored-runs-format-1.json", import.meta.url);

const { runs } = JSON.parse(readFileSync(FILE, "utf8")) as { readonly runs: readonly StoredRun[] };

describe("runs stored before headers had flags", () => {
  test.each(runs)(
    "VER1 REP8 '$title' ends from each stored commit as with the code that stored it",
    async ({ title, commits, ends }) => {
      for (const [at, { end }] of commits.entries()) {
        if (end === undefined) continue;
        expect({ at, end: await continueFrom(title, commits.slice(0, at + 1)) }).toEqual({ at, end: ends[end] });
      }
    },
  );
});

describe("the run that was stored in format 1", () => {
  test("VER1 a run that was stored in format 1 continues", async () => {
    const store = new MemoryStore();
    const rows = JSON.parse(readFileSync(new URL("fixtures/format-1.json", import.meta.url), "utf8")) as Record<
      string,
      object
    >;
    store.commit({ puts: new Map(Object.entries(rows)), deletes: new Set() });
    const host = new MemoryHost({ store, workflows: [formatOne] });
    host.deliver("signal", "go", "on");
    await host.advance();
    expect(outcomeOf(host)).toMatchObject({
      status: "completed",
      output: { a: 1, caught: "no", winner: null, go: "on", stored: ["kept"] },
    });
  });
});

/** The fixture is an unfinished run of this workflow. It must never change. */
const formatOne = workflowOf(async (ctx) => {
  ctx.metadata.set("phase", "begun");
  const a = await ctx.step("a", { compensate: () => {} }, () => 1);
  const caught = await ctx
    .step("bad", { retry: { max: 2, initial: 1 } }, () => Promise.reject(new Error("no")))
    .catch((error: Error) => error.message);
  await ctx.stream.text("log", () => ["x"]);
  const winner = await Promise.race([ctx.waitForSignal("never", { timeout: 5 }), ctx.sleep("1h")]);
  const go = await ctx.waitForSignal("go");
  return { a, caught, winner, go, stored: [await ctx.waitForEvent("early")] };
});
