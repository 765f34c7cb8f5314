/** tests: the command holdfast against a real workerd that is killed while it waits */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { type LocalRuntime, startLocalRuntime } from "@holdfast/local-runtime";
import { afterAll, beforeAll, expect, test } from "vitest";

const MAIN = fileURLToPath(new URL("../../cli/src/bin.ts", import.meta.url));
const WAIT = { timeout: 30_000 };

let runtime: LocalRuntime;
beforeAll(async () => {
  runtime = await startLocalRuntime();
}, 180_000);
afterAll(() => runtime.dispose());

interface Running {
  readonly child: ChildProcess;
  readonly written: { stdout: string; stderr: string };
  readonly ended: Promise<number | null>;
}

function holdfast(...args: readonly string[]): Running {
  const env = { PATH: process.env["PATH"], HOME: runtime.directory, HOLDFAST_URL: runtime.url };
  const child = spawn(process.execPath, [MAIN, ...args], { env, stdio: ["ignore", "pipe", "pipe"] });
  const written = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) child[name].on("data", (part: Buffer) => (written[name] += part));
  return { child, written, ended: once(child, "close").then(([code]) => code as number | null) };
}

test("CLI3 a wait and a tail outlive the kill and the restart of the server", { timeout: 240_000 }, async () => {
  const order = JSON.stringify({ orderId: "1", cents: 100 });
  const started = holdfast("start", "order", "--id", "o1", "--input", order, "--output", "id");
  expect([await started.ended, started.written.stdout]).toEqual([0, "o1\n"]);
  const waiting = holdfast("result", "o1");
  const tailing = holdfast("tail", "o1", "--output", "table");
  await expect.poll(() => tailing.written.stdout, WAIT).toContain("signal approval until");
  await runtime.kill();
  const signal = holdfast("signal", "o1", "approval", "--input", '{"ok":true,"by":"me"}');
  expect([await signal.ended, JSON.parse(signal.written.stdout).delivery]).toEqual([0, "resolved"]);
  expect([await waiting.ended, JSON.parse(waiting.written.stdout)]).toEqual([
    0,
    { orderId: "1", chargeId: "charge-1", parcel: "parcel-for-hold-1" },
  ]);
  expect(await tailing.ended).toBe(0);
  const lines = tailing.written.stdout
    .trimEnd()
    .split("\n")
    .map((line) => line.replace(/^\S+ +/, ""));
  expect(
    lines.filter((line) => /reserve|charge|ship/.test(line)).map((line) => line.split(" ").slice(0, 2).join(" ")),
  ).toEqual(["✓ reserve", "✓ charge", "✓ ship"]);
  expect(lines.at(-1)).toMatch(/^o1 order ✓ completed in /);
});

test("CLI1 every verb does on a real server what it says", { timeout: 240_000 }, async () => {
  const run = async (...args: readonly string[]): Promise<readonly [number | null, string]> => {
    const { ended, written } = holdfast(...args);
    return [await ended, written.stdout.trim()];
  };
  const input = JSON.stringify({ orderId: "2", cents: 100 });
  const failed = await run("start", "order", "--id", "bad", "--wait", "--input", '{"orderId":""}');
  expect([failed[0], JSON.parse(failed[1]).status]).toEqual([1, "failed"]);
  for (const id of ["a", "b", "c"])
    expect((await run("start", "order", "--id", id, "--tag", "bulk", "--input", input))[0]).toBe(0);
  await expect.poll(async () => (await run("count", "tag:bulk", "status:waiting"))[1], WAIT).toBe('{"count":3}');
  expect(JSON.parse((await run("pause", "a"))[1]).status).toBe("paused");
  expect(await run("retry", "a")).toEqual([4, ""]);
  expect(JSON.parse((await run("unpause", "a"))[1]).status).toBe("waiting");
  expect((await run("cancel", "--where", "tag:bulk", "--yes", "--output", "id"))[1].split("\n").toSorted()).toEqual([
    "a",
    "b",
    "c",
  ]);
  expect(JSON.parse((await run("result", "a"))[1] || "null")).toBeNull();
  expect((await run("cancel", "a", "none"))[0]).toBe(4);
  expect(JSON.parse((await run("start", "order", "--id", "d", "--input", input))[1]).id).toBe("d");
  expect(JSON.parse((await run("terminate", "d", "--reason", "enough"))[1]).status).toBe("cancelled");
  expect((await run("resume", "bad", "--id", "good", "--input", input, "--output", "id"))[1]).toBe("good");
  expect(await run("event", "send", "good", "stock.changed", "--output", "id")).toEqual([0, "good"]);
  expect((await run("start", "review", "--id", "r", "--input", '{"text":"ok?"}'))[0]).toBe(0);
  await expect.poll(async () => (await run("token", "list", "r"))[1], WAIT).toContain("MANUAL");
  expect(JSON.parse((await run("token", "answer", "r", "--input", '{"ok":true}'))[1]).delivery).toBe("resolved");
  expect((await run("result", "r"))[0]).toBe(0);
  expect((await run("journal", "r"))[1].split("\n").map((line) => JSON.parse(line).type)).toContain("wait.resolved");
  expect(JSON.parse((await run("export", "r"))[1])).toMatchObject({
    run: { id: "r" },
    journal: expect.any(Array),
    audit: expect.any(Array),
  });
  expect(await run("workflows", "--output", "id")).toEqual([0, "order\nreview"]);
  expect((await run("delete", "d", "--output", "id"))[1]).toBe("d");
  expect(await run("run", "d")).toEqual([3, ""]);
  const [exit, found] = await run("doctor");
  expect([exit, found.split("\n").map((line) => JSON.parse(line).status)]).toEqual([
    0,
    expect.not.arrayContaining(["failed"]),
  ]);
});
