/** tests: the command as a process: start, pipes, Ctrl-C, memory, completion */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { emptyFolder } from "./call.ts";
import { type FakeApi, RUNS, sampleRun, startFakeApi } from "./fake-api.ts";

const MAIN = join(import.meta.dirname, "../src/bin.ts");
const MANY = 10_000;
const { PATH, NODE_COMPILE_CACHE } = process.env;

let api: FakeApi;
beforeAll(async () => {
  api = await startFakeApi();
});
afterAll(() => api[Symbol.asyncDispose]());

function start(args: readonly string[], node: readonly string[] = []): ChildProcess {
  const env = { PATH, NODE_COMPILE_CACHE, HOME: emptyFolder(), HOLDFAST_URL: api.url };
  return spawn(process.execPath, [...node, MAIN, ...args], { env, stdio: ["ignore", "pipe", "pipe"] });
}

async function finish(child: ChildProcess): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const written = { stdout: "", stderr: "" };
  child.stdout?.on("data", (part: Buffer) => (written.stdout += part.toString()));
  child.stderr?.on("data", (part: Buffer) => (written.stderr += part.toString()));
  const [code] = (await once(child, "close")) as [number | null];
  return { code, ...written };
}

function shell(script: string) {
  const env = { PATH, NODE_COMPILE_CACHE, HOME: emptyFolder(), HOLDFAST_URL: api.url, NODE: process.execPath, MAIN };
  return finish(
    spawn("bash", ["-c", `holdfast() { "$NODE" "$MAIN" "$@"; }; ${script}`], {
      env,
      stdio: ["ignore", "pipe", "pipe"],
    }),
  );
}

describe("the process", () => {
  test("CLI1 --version loads nothing but itself", async () => {
    const list =
      'import { registerHooks } from "node:module"; registerHooks({ load(url, context, next) { console.error(url); return next(url, context); } })';
    const { code, stdout, stderr } = await finish(
      start(["--version"], ["--import", `data:text/javascript,${encodeURIComponent(list)}`]),
    );
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^\d+\.\d+\.\d+\n$/)]);
    // Its own files and modules of Node: a verb loads over a hundred files.
    const loaded = stderr.trim().split("\n");
    const files = loaded.filter((url) => !url.startsWith("node:")).map((url) => url.replace(/.*\//, ""));
    expect(files).toEqual(["bin.ts", "main.ts", "version.ts"]);
    expect(loaded.length).toBeLessThan(10);
  });

  test("CLI2 in a folder that was removed, a verb says so in one line", async () => {
    const { code, stdout, stderr } = await shell('D=$(mktemp -d); cd "$D"; rmdir "$D"; holdfast list');
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr.split("\n").filter((line) => !line.startsWith("shell-init:"))).toEqual([
      "Error: This folder does not exist any more. Change to another one, then repeat the command.",
      "",
    ]);
  });

  test("CLI1 a reader that closes the pipe ends a list quietly, without an error", async () => {
    api.runs = Array.from({ length: MANY }, (_, index) => sampleRun(`run-${index}`, "completed"));
    const { code, stdout, stderr } = await shell("holdfast list | head -1; echo ${PIPESTATUS[0]}");
    expect([code, stderr]).toEqual([0, ""]);
    const [first = "", status] = stdout.split("\n");
    expect([JSON.parse(first).id, status]).toEqual(["run-0", "0"]);
    api.runs = RUNS;
  });

  test.skipIf(!existsSync("/dev/full"))(
    "CLI6 a reader that closes the pipe leaves no run undone: an act continues without it",
    async () => {
      api.seen.splice(0);
      const { stdout, stderr } = await shell(
        "seq 100 | holdfast cancel - | head -1 >/dev/null; echo ${PIPESTATUS[1]}; seq 3 | holdfast cancel - >/dev/full; echo $?",
      );
      expect(stdout).toBe("0\n2\n");
      expect(api.seen.filter(({ path }) => path.endsWith("/cancel"))).toHaveLength(103);
      expect(stderr).toContain("100 runs: 100 done.\n");
      expect(stderr).toMatch(/Error: The output cannot be written: .*ENOSPC.*\n3 runs: 3 done\.\n/);
    },
  );

  test.skipIf(!existsSync("/dev/full"))("CLI1 CLI2 output that cannot be written is an error of one line", async () => {
    const { code, stderr } = await shell("holdfast list >/dev/full");
    expect([code, stderr]).toEqual([2, expect.stringMatching(/^Error: The output cannot be written: .*ENOSPC.*\n$/)]);
  });

  test("CLI1 a list of ten thousand runs is written within bounded memory, to a slow reader too", async () => {
    api.runs = Array.from({ length: MANY }, (_, index) =>
      sampleRun(`run-${index}`, "completed", { tags: ["x".repeat(500)] }),
    );
    // The rows are 7 MB of text; a list in memory would need several times as much.
    const child = start(["list"], ["--max-old-space-size=24", "--max-semi-space-size=1"]);
    // Nobody reads: the pipe is full after a page, and no further page is requested.
    api.seen.splice(0);
    let before = -1;
    const grown = (): number => -before + (before = api.seen.length);
    await expect.poll(() => api.seen.length > 0 && grown() === 0, { timeout: 30_000, interval: 300 }).toBe(true);
    expect(api.seen.length).toBeLessThan(10);
    const { code, stdout } = await finish(child);
    expect([code, stdout.split("\n").length - 1]).toEqual([0, MANY]);
    api.runs = RUNS;
  });

  test("CLI3 Ctrl-C ends a wait with 130 and says that the run continues; nothing is sent to end it", async () => {
    api.seen.splice(0);
    const child = start(["result", "waiting"]);
    await expect.poll(() => api.seen.length, { timeout: 30_000 }).toBeGreaterThan(1);
    child.kill("SIGINT");
    const { code, stdout, stderr } = await finish(child);
    expect([code, stdout]).toEqual([130, ""]);
    expect(stderr).toContain("The run continues. To wait again: holdfast result waiting\n");
    expect(api.seen.every(({ method }) => method === "GET")).toBe(true);
  });

  test("CLI3 a second Ctrl-C ends the command although something holds it up", async () => {
    const held = "process.stdout.write = () => false; setTimeout(() => {}, 1e6)";
    const child = start(["result", "done"], ["--import", `data:text/javascript,${encodeURIComponent(held)}`]);
    api.seen.splice(0);
    await expect.poll(() => api.seen.length, { timeout: 30_000 }).toBeGreaterThan(1);
    child.kill("SIGINT");
    const again = setInterval(() => child.kill("SIGINT"), 50);
    expect((await finish(child)).code).toBe(130);
    clearInterval(again);
  });

  test("CLI5 completion: verbs, options, and a script for each shell", async () => {
    const complete = async (...words: readonly string[]) => (await finish(start(["complete", "--", ...words]))).stdout;
    const verbs = await complete("");
    for (const verb of ["start", "list", "doctor", "dev"]) expect(verbs).toMatch(new RegExp(`^${verb}\t`, "m"));
    expect(await complete("li")).toMatch(/^list\tlist runs$/m);
    expect(await complete("list", "--co")).toContain("--columns\t");
    expect(await complete("list", "--out")).toContain("--output\t");
    expect(await complete("list", "--output", "")).toContain("ndjson");
    expect(await complete("token", "")).toContain("answer\t");
    for (const name of ["bash", "zsh", "fish"]) {
      const { code, stdout } = await finish(start(["completion", name]));
      expect([name, code]).toEqual([name, 0]);
      if (spawnSync(name, ["-c", "true"]).status === 0)
        expect(spawnSync(name, ["-n"], { input: stdout, encoding: "utf8" })).toMatchObject({ status: 0, stderr: "" });
      expect(stdout).toContain("holdfast complete --");
    }
    expect(await finish(start(["completion", "tcsh"]))).toMatchObject({ code: 2, stdout: "" });
  });
});
