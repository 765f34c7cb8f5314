/** Tests the output of a test run, and the failure of tests with undeclared output. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { describe, expect, test } from "vitest";

const VITEST = join(import.meta.dirname, "../../node_modules/vitest/vitest.mjs");

function run(fixture: string): { readonly status: number | null; readonly lines: readonly string[] } {
  const args = [VITEST, "run", "--config", join(import.meta.dirname, "fixtures/vitest.config.ts"), fixture];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    encoding: "utf8",
    timeout: 60_000,
    env: { ...process.env, PROPERTY_SEED: "7" },
  });
  expect(stderr).toBe("");
  return { status, lines: stripVTControlCharacters(stdout).trimEnd().split("\n") };
}

describe("the reporter", () => {
  test("a run without failures prints a line for each file, notes, expected output and the closing line", () => {
    const { status, lines } = run("clean");
    expect(lines.map((line) => line.replace(/\d+\.\d s/, "T s"))).toEqual([
      "✓ fixtures clean.fixture.ts  4 tests  T s",
      "    a line for the reader",
      "    seed 7; repeat with: PROPERTY_SEED=7",
      "",
      "Expected output:",
      "    1 × declared warnings",
      "    2 × declared crashes",
      "4 passed, 0 failed, 0 skipped",
    ]);
    expect(status).toBe(0);
  });

  test("undeclared output fails its test, and a run with failures prints only the failures", () => {
    const { status, lines } = run("noisy");
    const text = lines.join("\n");
    expect(text.match(/^FAIL .*$/gm)).toEqual([
      "FAIL fixtures noisy.fixture.ts > warns",
      "FAIL fixtures noisy.fixture.ts > hides an error among expected ones",
      "FAIL fixtures noisy.fixture.ts > has a wrong expectation",
      "FAIL unhandled error",
    ]);
    for (const shown of ["  an undeclared warning", "  an undeclared error", "  text of the test that fails"])
      expect(lines).toContain(shown);
    expect(text).toMatch(/-\s+"value": 2,\n\+\s+"value": 1,/);
    expect(text).toMatch(/ noisy\.fixture\.ts:\d+:\d+$/m);
    expect(text).toContain("an unhandled rejection");
    expect(text).not.toContain("text of a test that passes");
    expect(text).not.toMatch(/^ +declared warning/m);
    expect(lines.at(-1)).toBe("2 passed, 4 failed, 0 skipped");
    expect(status).toBe(1);
  });

  test("undeclared output of the runtime fails the test during which it arrives", () => {
    const { status, lines } = run("runtime");
    expect(lines.slice(1)).toEqual([
      "",
      "FAIL fixtures runtime.fixture.ts > runs when the runtime writes",
      "Output that the test does not declare (see expectOutput):",
      "  uncaught exception; exception = undeclared",
      "0 passed, 1 failed, 0 skipped",
    ]);
    expect(status).toBe(1);
  });
});
