/** Runs the conformance suite as the author of a step handler does, against a Node process that serves the catalogue. */
import { type ChildProcess, fork, spawnSync } from "node:child_process";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";

const PACKAGE = join(import.meta.dirname, "..");
const KEY = "a-key-for-the-conformance-suite";

let handler: ChildProcess;
let url: string;

beforeAll(async () => {
  handler = fork(join(PACKAGE, "../orchestrator-cloudflare/test/node-handler.ts"), ["0", KEY], {
    silent: true,
  });
  url = await new Promise((resolve) => {
    handler.once("message", ({ port }: { port: number }) => resolve(`http://127.0.0.1:${port}/holdfast`));
  });
});

afterAll(() => {
  handler.kill("SIGKILL");
});

function conformance(...options: string[]): { status: number | null; stdout: string } {
  const script = join(PACKAGE, "src/conformance/main.ts");
  return spawnSync(process.execPath, [script, ...options], { encoding: "utf8", timeout: 180_000 });
}

test("pnpm conformance passes for the step handler of @holdfast/workflows", { timeout: 180_000 }, () => {
  const { status, stdout } = conformance("--url", url, "--key", KEY);
  const unpassed = stdout.split("\n").filter((line) => line.trim() !== "" && !line.includes("✓"));
  expect(unpassed).toEqual(["  Requests", "  Workflows", "  The step handler conforms."]);
  expect(status).toBe(0);
});

test("pnpm conformance reports what is wrong", { timeout: 180_000 }, () => {
  const { status, stdout } = conformance(
    "--url",
    url,
    "--key",
    "not-the-key-of-the-handler",
    "--only",
    "DUR2 a sequence",
  );
  expect(stdout).toContain("the answer is 401 instead of 200");
  expect(status).toBe(1);
});
