/** tests: the restarts of a workerd that ends by itself, with a shell script in its place */
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Build } from "../../src/dev/builder.ts";
import { Gateway } from "../../src/dev/gateway.ts";
import { UsageError } from "../../src/exit.ts";
import { Supervisor } from "../../src/dev/supervisor.ts";
import type { WorkerdExit } from "../../src/local/workerd.ts";

let folder: string;
let died: { readonly exit: WorkerdExit; readonly retryMs: number }[];
let served: string[];
let rejected: WorkerdExit[];
let supervisor: Supervisor;
let running: Promise<void>;
let loadMs: number | undefined;

/** Ends at once if its code says so; otherwise serves until it is asked to stop. */
const SCRIPT = `#!/bin/sh
for config; do :; done
code=$(cat "$(dirname "$config")/worker.js")
case "$code:$config" in
  dies:*/current/*|throws:*) echo "the reason" >&2; exit 3 ;;
  loops:*) while :; do sleep 0.02; done ;;
esac
printf '{"event":"listen","socket":"http","port":1}\\n' >&3
trap 'exit 0' TERM
while :; do sleep 0.02; done
`;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "holdfast-supervisor-"));
  const executable = join(folder, "workerd");
  writeFileSync(executable, SCRIPT);
  chmodSync(executable, 0o755);
  died = [];
  served = [];
  rejected = [];
  loadMs = undefined;
  supervisor = new Supervisor({
    executable,
    gateway: new Gateway(),
    folder: (kind) => join(folder, kind),
    configure: () => "",
    get loadMs() {
      return loadMs;
    },
    events: {
      serves: ({ code }) => served.push(code),
      unchanged: () => served.push("unchanged"),
      rejected: (_build, exit) => rejected.push(exit),
      died: (exit, retryMs) => died.push({ exit, retryMs }),
      line: () => {},
    },
  });
  running = supervisor.run();
});

afterEach(async () => {
  await supervisor.stop();
  await running;
  rmSync(folder, { recursive: true, force: true });
});

function build(code: string): Build {
  return { code, sourceMap: "{}", project: {} as Build["project"] };
}

const WAIT = { timeout: 30_000, interval: 10 };

test("DEV2 a workerd that ends at once starts again later and later, and new code ends that", async () => {
  supervisor.offer(build("dies"));
  await expect.poll(() => died.length, WAIT).toBe(4);
  expect(died.map(({ retryMs }) => retryMs)).toEqual([0, 200, 400, 800]);
  expect(died[0]?.exit).toEqual({ code: 3, signal: null, stderr: ["the reason"] });
  supervisor.offer(build("works"));
  await expect.poll(() => served, WAIT).toEqual(["works"]);
});

test("DEV2 a restart ends the workerd that serves and starts the same code, and before any code it does nothing", async () => {
  supervisor.restart();
  supervisor.offer(build("works"));
  await expect.poll(() => served, WAIT).toEqual(["works"]);
  supervisor.restart();
  await expect.poll(() => served, WAIT).toEqual(["works", "works"]);
  expect(died).toEqual([]);
});

test("DEV3 code that ends before it listens is rejected with what it wrote, and the other code still serves", async () => {
  supervisor.offer(build("works"));
  await expect.poll(() => served, WAIT).toEqual(["works"]);
  supervisor.offer(build("throws"));
  await expect.poll(() => rejected.map(({ stderr }) => stderr), WAIT).toEqual([["the reason"]]);
  expect(died).toEqual([]);
  expect(readFileSync(join(folder, "current/worker.js"), "utf8")).toBe("works");
  supervisor.offer(build("works"));
  await expect.poll(() => served, WAIT).toEqual(["works", "unchanged"]);
});

test("DEV3 code that never finishes loading is rejected with what to look for, and newer code does not wait for it", async () => {
  loadMs = 200;
  supervisor.offer(build("loops"));
  await expect.poll(() => rejected.map(({ stderr }) => stderr.join()), WAIT).toEqual([expect.stringContaining("loop")]);
  loadMs = 60_000;
  rmSync(join(folder, "next"), { recursive: true });
  supervisor.offer(build("loops"));
  await expect.poll(() => existsSync(join(folder, "next/config.capnp")), WAIT).toBe(true);
  supervisor.offer(build("works"));
  await expect.poll(() => served, WAIT).toEqual(["works"]);
  expect(rejected).toHaveLength(1);
});

test("DEV4 of several builds that arrive together only the newest one starts", async () => {
  for (const code of ["one", "two", "three"]) supervisor.offer(build(code));
  await expect.poll(() => served, WAIT).toEqual(["three"]);
  supervisor.offer(build("four"));
  supervisor.offer(build("five"));
  await expect.poll(() => served.at(-1), WAIT).toBe("five");
  expect(served).not.toContain("one");
});

test("DEV1 a folder that can no longer be written ends the server, and is named with the reason", async () => {
  // As a full disk, an error of the file system at the write of the code.
  rmSync(folder, { recursive: true });
  writeFileSync(folder, "");
  supervisor.offer(build("works"));
  await expect(running).rejects.toEqual(
    new UsageError(
      `The folder ${folder} for the runs cannot be used: a part of the path is a file (ENOTDIR). Give another one: --data <folder>`,
    ),
  );
  running = Promise.resolve();
});

test.each([
  ["at once", () => true],
  ["during the check", () => existsSync(join(folder, "next/config.capnp"))],
  ["during the start", () => existsSync(join(folder, "current/config.capnp"))],
  ["after the start", () => served.length > 0],
])("DEV2 a stop %s ends the server", async (_when, isThen) => {
  supervisor.offer(build("works"));
  await expect.poll(isThen, { timeout: 30_000, interval: 1 }).toBe(true);
  await supervisor.stop();
  await running;
});
