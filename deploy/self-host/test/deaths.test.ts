/**
 * Runs code that blocks its process on plain workerd with storage on disk, and kills the process again and again.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { bundleWorkerTo } from "@holdfast/cli/bundle";
import { afterEach, beforeEach, expect, test } from "vitest";
import { kill, urlOf } from "./workerd-process.ts";

const FOLDER = join(import.meta.dirname, "..");
/** The executable itself: `.bin/workerd` is a script that would survive the kill. */
const { default: WORKERD } = createRequire(import.meta.url)("workerd") as { readonly default: string };
const WORKER = join(FOLDER, "../../packages/proof/src/soak/worker/deadly.ts");

/** Fewer than the default of ten: each takes the 5 s of the watchdog. */
const DEATHS = Number(process.env["DEATHS"] ?? 3);

let folder: string;
let url: string;
let workerd: ChildProcess | undefined;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "holdfast-deaths-"));
  mkdirSync(join(folder, "data"));
  await bundleWorkerTo(join(folder, "dist/worker.js"), WORKER);
  writeFileSync(join(folder, "config.capnp"), readFileSync(join(FOLDER, "config.capnp")));
});

afterEach(async () => {
  await kill(workerd);
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});

async function start(env: Readonly<Record<string, string>> = {}): Promise<void> {
  const flags = ["--socket-addr", "http=127.0.0.1:0", "--directory-path", `data=${join(folder, "data")}`];
  workerd = spawn(WORKERD, ["serve", join(folder, "config.capnp"), ...flags, "--control-fd", "3"], {
    env: { ...env, PATH: process.env["PATH"] ?? "" },
    stdio: ["ignore", "ignore", "pipe", "pipe"],
  });
  url = await urlOf(workerd);
}

/** `undefined`: no answer, because the process is blocked. */
async function ask(path: string, body?: object, timeoutMs = 1_000): Promise<Record<string, unknown> | undefined> {
  try {
    const response = await fetch(url + path, {
      headers: { "Content-Type": "application/json" },
      signal: AbortSignal.timeout(timeoutMs),
      ...(body === undefined ? {} : { method: "POST", body: JSON.stringify(body) }),
    });
    return (await response.json()) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}

/** Resolves when the process no longer answers, or the run is paused. */
async function blockedOrPaused(runId: string): Promise<boolean> {
  for (const end = Date.now() + 15_000; Date.now() < end; await delay(50)) {
    const run = await ask(`/api/runs/${runId}`);
    if (run === undefined) return true;
    if (run["status"] === "paused") return false;
  }
  throw new Error("The process answers, and the run is not paused.");
}

test("DUR7 DUR10 a step that blocks its process after a sleep pauses the run, although each process is killed in it", async () => {
  const LIMITS = JSON.stringify({ executorCrashes: DEATHS });
  await start({ LIMITS });
  expect(await ask("/api/runs", { workflowId: "spin", runId: "r", input: null }, 5_000)).toMatchObject({ id: "r" });
  let deaths = 0;
  while (deaths < 13 && (await blockedOrPaused("r"))) {
    deaths += 1;
    await kill(workerd);
    await start({ LIMITS });
  }
  expect(await ask("/api/runs/r")).toMatchObject({ status: "paused", error: { code: "EXECUTOR_CRASHED" } });
  expect(deaths).toBe(DEATHS);
}, 120_000);

test("DUR12 with HOLD a process whose run blocks it serves the API, and the run can be cancelled", async () => {
  await start();
  await ask("/api/runs", { workflowId: "spin", runId: "r", input: null }, 5_000);
  expect(await blockedOrPaused("r")).toBe(true);
  await kill(workerd);
  await start({ HOLD: "true" });
  // Longer than the watchdog, whose alarm would block the process again.
  await delay(6_000);
  expect(await ask("/healthz")).toMatchObject({ ok: true, held: true });
  expect(await ask("/api/runs", { workflowId: "innocent", runId: "i", input: null })).toMatchObject({
    status: "running",
  });
  expect(await ask("/api/runs/r/cancel", {})).toMatchObject({ run: { status: "cancelled" } });
  await kill(workerd);
  await start();
  expect(await ask("/api/runs/i/signals", { name: "go", payload: 1 }, 5_000)).toMatchObject({ delivery: "buffered" });
  const held = async (): Promise<unknown> => (await ask("/api/runs/i"))?.["status"];
  await expect.poll(held, { timeout: 30_000 }).toBe("completed");
}, 120_000);
