/**
 * The projects that the command writes, with the packages of this workspace: they compile strictly, their tests pass, and
 * those tests notice a workflow that somebody broke. `.ci/packed` starts them, with packed packages.
 */
import { type SpawnSyncReturns, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { PACKAGE, runCommand } from "./run-command.ts";

/** A Node service has no file that both sides together do not have. */
const KINDS = ["worker", "both"];

const folder = mkdtempSync(join(tmpdir(), "holdfast-starter-"));

beforeAll(() => {
  for (const kind of KINDS) {
    expect(runCommand([kind, `--${kind}`], { cwd: folder })).toMatchObject({ status: 0 });
    symlinkSync(join(PACKAGE, "node_modules"), join(folder, kind, "node_modules"));
  }
});

afterAll(() => rmSync(folder, { recursive: true }));

function runIn(kind: string, command: string, ...args: string[]): SpawnSyncReturns<string> {
  return spawnSync(command, args, { cwd: join(folder, kind), encoding: "utf8" });
}

test.each(KINDS)("the project --%s compiles strictly", { timeout: 180_000 }, (kind) => {
  // The packages of the workspace are compiled from their source, which declares the platform's modules in this file.
  const declarations = join(PACKAGE, "../orchestrator-cloudflare/src/deployment/cloudflare-workers.d.ts");
  const config = { extends: "./tsconfig.json", include: ["src", "test", declarations] };
  writeFileSync(join(folder, kind, "tsconfig.workspace.json"), JSON.stringify(config));
  const { status, stdout } = runIn(kind, "node_modules/.bin/tsc", "-p", "tsconfig.workspace.json");
  expect({ status, stdout }).toEqual({ status: 0, stdout: "" });
});

test("the test of the project passes", { timeout: 180_000 }, () => {
  const { status, stdout } = runIn("both", process.execPath, "--test");
  expect({ status, stdout }).toEqual({ status: 0, stdout: expect.stringMatching(/^. tests [1-9]/mu) });
});

const SHIP = 'await ctx.step("ship", ({ idempotencyKey }) => ship(orderId, idempotencyKey))';

const REPLAYS_OTHERWISE = `    const other = globalThis as { calls?: number };
    other.calls = (other.calls ?? 0) + 1;
    if (other.calls % 2 === 0) await ctx.step("gift", () => "");
    const { paymentId }`;

test.each([
  ["ships without an approval", "approval?.ok !== true", "false"],
  ["ships what was refused", "approval?.ok !== true", "approval === null"],
  ["waits for a week", '"24h"', '"7d"'],
  ["keeps the money of an order that failed", "compensate: (payment) => refund(payment)", ""],
  ["takes another way when it replays", "    const { paymentId }", REPLAYS_OTHERWISE],
  ["ships outside of a step", SHIP, 'await ship(orderId, "")'],
  ["charges after the approval", "/** An order", "/** An order"],
  ["tries a declined card fifty times", "max: 5 ", "max: 50 "],
  ["accepts an order without an id", "z.string().min(1)", "z.string()"],
  ["returns another parcel", "orderId, paymentId, parcel }", 'orderId, paymentId, parcel: "p" }'],
])("the project's test fails for a workflow that %s", { timeout: 180_000 }, (_what, from, to) => {
  const file = join(folder, "both/src/order.ts");
  const right = readFileSync(file, "utf8");
  expect(right).toContain(from);
  writeFileSync(file, from === to ? chargeLast(right) : right.replace(from, to));
  const { status } = runIn("both", process.execPath, "test/order.test.ts");
  writeFileSync(file, right);
  expect(status).toBe(1);
});

/** Moves the charge to the place after the approval. */
function chargeLast(text: string): string {
  const [charge = ""] = /^ {4}const \{ paymentId \} = [^]*?^ {4}\);\n/mu.exec(text) ?? [];
  expect(charge).toContain("charge(");
  return text.replace(charge, "").replace("    const parcel", `${charge}    const parcel`);
}
