/** tests: the log of the executable is one flat JSON object a line, whatever is logged (OBS4) */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { HOLDFAST_VERSION } from "@holdfast/protocol";
import { bundleWorkerTo } from "@holdfast/cli/bundle";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { logLine } from "../log-lines.ts";
import { kill } from "./workerd-process.ts";

const FOLDER = join(import.meta.dirname, "..");
const NOW = new Date("2026-11-26T08:00:00Z");

type Line = Readonly<Record<string, unknown>> & { readonly message: string };

/** Reads lines, and throws for one that is not a flat object with a time, a level and a message. */
function linesOf(log: string): Line[] {
  expect(log.endsWith("\n")).toBe(true);
  return log
    .slice(0, -1)
    .split("\n")
    .map((line) => {
      const fields = JSON.parse(line) as Line;
      expect(fields["time"]).toMatch(/^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{3})?Z$/);
      expect(fields["level"]).toMatch(/^(?:debug|info|warn|error)$/);
      expect(typeof fields.message).toBe("string");
      for (const value of Object.values(fields)) expect(value === null || typeof value !== "object").toBe(true);
      return fields;
    });
}

describe("the executable", () => {
  let folder: string;
  let workerd: ChildProcess | undefined;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "holdfast-log-"));
    mkdirSync(join(folder, "dist"));
    for (const file of ["config.capnp", "start.sh"]) copyFileSync(join(FOLDER, file), join(folder, file));
    await bundleWorkerTo(join(folder, "dist/worker.js"), join(import.meta.dirname, "hostile-log-worker.ts"));
    const compiled = spawnSync(join(FOLDER, "node_modules/.bin/workerd"), ["compile", join(folder, "config.capnp")], {
      maxBuffer: 500_000_000,
    });
    expect(compiled.status, compiled.stderr.toString()).toBe(0);
    writeFileSync(join(folder, "holdfast"), compiled.stdout, { mode: 0o755 });
  });

  afterAll(async () => {
    await kill(workerd);
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  });

  function start(address: string): { process: ChildProcess; stdout: Promise<string>; stderr: Promise<string> } {
    const process_ = spawn(join(folder, "start.sh"), ["--control-fd", "3"], {
      env: { PATH: process.env["PATH"] ?? "", HOLDFAST_DATA: join(folder, 'da"ta'), HOLDFAST_ADDRESS: address },
      stdio: ["ignore", "pipe", "pipe", "pipe"],
    });
    workerd = process_;
    return { process: process_, stdout: text(process_.stdout as never), stderr: text(process_.stderr as never) };
  }

  test("OBS4 writes a flat JSON object a line for each text of the code and of workerd, and its version at the start", async () => {
    const { process: running, stdout, stderr } = start("127.0.0.1:0");
    const [message] = (await once(running.stdio[3] as NodeJS.ReadableStream, "data")) as [Buffer];
    const { port } = JSON.parse(message.toString()) as { readonly port: number };
    const hostile = await (await fetch(`http://127.0.0.1:${port}/`)).text();
    expect((await fetch(`http://127.0.0.1:${port}/throw`)).status).toBe(500);
    running.kill("SIGTERM");
    const lines = linesOf(await stdout);
    expect(lines[0]).toMatchObject({ level: "info", message: "Holdfast starts", version: HOLDFAST_VERSION });
    expect(Math.abs(Date.parse(String(lines[0]?.["time"])) - Date.now())).toBeLessThan(60_000);
    const [first = "", second = ""] = hostile.split("\n");
    expect(lines.slice(1)).toMatchObject([
      { level: "info", message: hostile },
      { level: "debug", message: "text and 4 { nested: { items: [ 1 ] } }" },
      { level: "warn", message: expect.stringMatching(/^failed Error: of code\nsecond line\n {4}at /) },
      { level: "error", message: hostile, runId: "r", "data.order.id": 7, "data.order.items.0": "a" },
      { level: "warn", message: "run.ended", tenantId: "acme" },
      { level: "info", message: first },
      { level: "info", message: second },
      { level: "info", message: "plain" },
      { level: "error", message: "to stderr" },
      { level: "error", message: "failed [a value that cannot be shown]" },
      { level: "info", message: "written" },
    ]);
    const own = linesOf(await stderr);
    expect(own[0]?.message).toContain("Uncaught exception");
    expect(own.every(({ level, message: shown }) => level === "error" && shown !== "forged")).toBe(true);
  });

  test("OBS4 a start that fails is a line with the reason, and its status is not 0", async () => {
    const { process: failing, stderr } = start("name.invalid:1");
    expect((await once(failing, "exit"))[0]).not.toBe(0);
    expect(linesOf(await stderr)).toMatchObject([
      { message: expect.stringMatching(/^Socket "http": .*\. HOLDFAST_ADDRESS is name\.invalid:1$/) },
    ]);
  });
});

/** Starts a program as the first process of a set of processes, as in a container. */
const AS_FIRST = ["-r", "-p", "-f", "--mount-proc"];
const canBeFirst = spawnSync("unshare", [...AS_FIRST, "true"]).status === 0;

describe.skipIf(!canBeFirst)("the script of the container", () => {
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "holdfast-container-"));
    for (const file of ["start.sh", "container.sh"]) copyFileSync(join(FOLDER, file), join(folder, file));
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** Starts the scripts with another program in place of the executable. */
  function start(program: string): ChildProcess {
    writeFileSync(join(folder, "holdfast"), `#!/bin/sh\n${program}\n`, { mode: 0o755 });
    const env = { PATH: process.env["PATH"] ?? "", HOLDFAST_DATA: join(folder, "data") };
    const args = [...AS_FIRST, join(folder, "container.sh")];
    return spawn("unshare", args, { env, stdio: ["ignore", "pipe", "pipe"] });
  }

  test("OBS4 ends with the status of a failed start, after the line that says why", async () => {
    const failing = start("echo 'the address is in use' >&2; exit 7");
    const stderr = text(failing.stderr as never);
    expect(await once(failing, "exit")).toEqual([7, null]);
    expect(linesOf(await stderr)).toMatchObject([{ level: "error", message: "the address is in use" }]);
  });

  /** The script, and the script as a slow machine executes it: Holdfast ends before the script looks at it. */
  const PACES = { "at once": "", slowly: '\n  [ "$status" -eq 0 ] || sleep 0.3' };

  test.each(Object.entries(PACES))(
    "DUR1 passes the signal of a stop on, and waits for the end of Holdfast, %s",
    async (_, pause) => {
      const script = readFileSync(join(FOLDER, "container.sh"), "utf8");
      writeFileSync(join(folder, "container.sh"), script.replace('wait "$child" || status=$?', `$&${pause}`));
      const running = start("trap 'echo ends >&2; exit 5' TERM; echo runs; while :; do sleep 0.01; done");
      const stderr = text(running.stderr as never);
      await once(running.stdout as NodeJS.ReadableStream, "data");
      const children = spawnSync("pgrep", ["-P", String(running.pid)], { encoding: "utf8" }).stdout.trim();
      process.kill(Number(children), "SIGTERM");
      expect(await once(running, "exit")).toEqual([5, null]);
      expect(linesOf(await stderr)).toMatchObject([{ message: "ends" }]);
    },
  );
});

describe("a line", () => {
  const read = (...args: unknown[]): Line => JSON.parse(logLine("info", args, NOW)) as Line;

  test("OBS4 has the fields of an object that is logged as JSON, and its level", () => {
    const logged = { level: "warn", message: "m", data: { a: { b: 1 } }, runId: "r" };
    expect(read(JSON.stringify(logged))).toEqual({
      time: NOW.toISOString(),
      level: "warn",
      message: "m",
      "data.a.b": 1,
      runId: "r",
    });
    expect(read('{"level":"panic","message":{"a":1}}')).toMatchObject({ level: "info", message: '{"a":1}' });
    expect(read("{not JSON}")).toMatchObject({ message: "{not JSON}" });
    expect(read("{}", 1)).toMatchObject({ message: "{} 1" });
    expect(read('{"__proto__":{"x":1},"constructor":2}')).toMatchObject({ "__proto__.x": 1, constructor: 2 });
  });

  test("OBS4 is bounded, however large or deep the object is", () => {
    const wide = Object.fromEntries(Array.from({ length: 5_000 }, (_none, i) => [`f${i}`, i]));
    const line = read(JSON.stringify(wide));
    expect([Object.keys(line).length, line["fieldsLeftOut"]]).toEqual([104, true]);
    const deep = `{"data":${"[".repeat(50_000)}${"]".repeat(50_000)}}`;
    expect(linesOf(`${logLine("info", [deep], NOW)}\n`)).toHaveLength(1);
  });
});
