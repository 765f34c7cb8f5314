/** The command on a Node that is too old. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";

const BIN = join(import.meta.dirname, "../src/bin.ts");

function startWith(version: string, ...args: readonly string[]) {
  const pretend = `Object.defineProperty(process, "versions", { value: { ...process.versions, node: "${version}" } })`;
  const module = `data:text/javascript,${encodeURIComponent(pretend)}`;
  return spawnSync(process.execPath, ["--import", module, BIN, ...args], { encoding: "utf8" });
}

test.each(["18.20.8", "22.11.0"])("on Node %s, holdfast says in one line which Node it needs", (version) => {
  const { status, stdout, stderr } = startWith(version, "--help");
  expect(stderr).toBe(`holdfast needs Node 22.12 or newer, and this is Node ${version}. Install a newer Node.\n`);
  expect([status, stdout]).toEqual([2, ""]);
});

test("holdfast starts on the oldest Node that it needs", () => {
  expect(startWith("22.12.0", "--help")).toMatchObject({
    status: 0,
    stdout: expect.stringContaining("Usage: holdfast"),
  });
});
