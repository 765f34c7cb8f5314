import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { type End, continueFrom } from "../src/stored-runs/continue-runs.ts";
import type { StoredCommit } from "../src/stored-runs/store-log.ts";

interface StoredRun {
  readonly title: string;
  readonly commits: readonly StoredCommit[];
  /** What the code that stored the run ended it with, from each of its commits. */
  readonly ends: readonly End[];
}

/** Recorded by the last commit before headers had flags. It is never recorded again. */
const FILE = new URL("fixtures/stored-runs-format-1.json", import.meta.url);

const { runs } = JSON.parse(readFileSync(FILE, "utf8")) as { readonly runs: readonly StoredRun[] };

describe("runs stored before headers had flags", () => {
  test.each(runs)(
    "VER1 REP8 '$title' ends from each stored moment as the code that stored it ended it",
    async ({ title, commits, ends }) => {
      for (const [at, { end }] of commits.entries()) {
        if (end === undefined) continue;
        expect({ at, end: await continueFrom(title, commits.slice(0, at + 1)) }).toEqual({ at, end: ends[end] });
      }
    },
  );
});
