/** What start.sh does before it becomes workerd. The executable is replaced by a script. */
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, test } from "vitest";

/** As workerd makes it. */
const ALARMS =
  "CREATE TABLE _cf_ALARM (actor_id TEXT PRIMARY KEY, scheduled_time INTEGER, actor_name TEXT) WITHOUT ROWID";

let folder: string;
let runs: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "holdfast start-"));
  runs = join(folder, "data of runs", "holdfast-runs");
  copyFileSync(join(import.meta.dirname, "../start.sh"), join(folder, "start.sh"));
  writeFileSync(join(folder, "holdfast"), '#!/bin/sh\ntouch "$HOLDFAST_DATA/written"\n');
  for (const file of ["start.sh", "holdfast"]) chmodSync(join(folder, file), 0o755);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function run(variables: Readonly<Record<string, string>> = {}, by: readonly string[] = []) {
  const env = { PATH: process.env["PATH"] ?? "", HOLDFAST_DATA: join(folder, "data of runs"), ...variables };
  return spawnSync("env", [...by, join(folder, "start.sh")], { env, encoding: "utf8" });
}

function start(): string {
  const { status, stderr } = run();
  expect(status, stderr).toBe(0);
  return stderr;
}

function name(n: number): string {
  return `${n.toString(16).padStart(64, "0")}.sqlite`;
}

/** Makes the file of an object, as workerd does. Without `statement` it has no tables. */
function makeFile(file: string, statement?: string): DatabaseSync {
  const database = new DatabaseSync(join(runs, file));
  database.exec("PRAGMA journal_mode = wal");
  if (statement !== undefined) database.exec(statement);
  return database;
}

test("SEC8 start.sh removes the files without tables, and no others", () => {
  mkdirSync(runs, { recursive: true });
  for (let n = 0; n < 1_500; n++) copyEmpty(n);
  makeFile(name(5_000), "CREATE TABLE t (a)").close();
  // As earlier versions left it.
  makeFile(name(5_003), "CREATE TABLE _cf_METADATA (key INTEGER PRIMARY KEY, value BLOB)").close();
  makeFile("metadata.sqlite", ALARMS).close();
  // A table that is only in the log: the process died before it was copied to the file.
  const open = makeFile(name(5_001), "CREATE TABLE t (a)");
  // Others of the same size.
  mkdirSync(join(runs, "folder.sqlite"));
  writeFileSync(join(runs, name(5_002)), Buffer.alloc(4_096, 0x0d));
  writeFileSync(join(runs, `${name(7)}-wal`), "");
  writeFileSync(join(runs, `${name(7)}-shm`), "x");
  expect(start()).not.toContain("could not be removed");
  const log = [`${name(5_001)}-shm`, `${name(5_001)}-wal`];
  expect(readdirSync(runs).toSorted()).toEqual(
    [name(5_000), name(5_001), ...log, name(5_002), "folder.sqlite", "metadata.sqlite"].toSorted(),
  );
  open.close();
  expect(readdirSync(join(folder, "data of runs")).toSorted()).toEqual([".lock", "holdfast-runs", "written"]);
});

test("EVT1 GATE9 start.sh removes the files of forgotten events and limits", () => {
  mkdirSync(runs, { recursive: true });
  makeFile(name(1), "CREATE TABLE t (a)").close();
  copyEmpty(0);
  const coordinators = join(runs, "..", "holdfast-coordinators");
  renameSync(runs, coordinators);
  expect(start()).not.toContain("could not be removed");
  expect(readdirSync(coordinators)).toEqual([name(1)]);
});

function copyEmpty(n: number): void {
  if (n === 0) makeFile(name(0)).close();
  else copyFileSync(join(runs, name(0)), join(runs, name(n)));
}

function makeAlarms(times: readonly number[]): void {
  mkdirSync(runs, { recursive: true });
  const alarms = makeFile("metadata.sqlite", ALARMS);
  const put = alarms.prepare("INSERT INTO _cf_ALARM VALUES (?, ?, NULL)");
  for (const [place, ms] of times.entries()) put.run(`run ${place}`, BigInt(ms) * 1_000_000n);
  alarms.close();
}

/** Returns the times of the alarms by run, ms. */
function readAlarms(): ReadonlyMap<string, number> {
  const alarms = new DatabaseSync(join(runs, "metadata.sqlite"));
  const rows = alarms.prepare("SELECT actor_id, scheduled_time / 1000000 AS ms FROM _cf_ALARM").all();
  alarms.close();
  return new Map(rows.map((row) => [String(row["actor_id"]), Number(row["ms"])]));
}

test("DUR13 of 700 alarms that are due start.sh leaves the first 500, and spreads the others in their order", () => {
  const now = Date.now();
  // The newest first, and one that is due in an hour.
  const due = Array.from({ length: 700 }, (_none, place) => now - 1_000_000 - place * 1_000);
  makeAlarms([...due, now + 3_600_000]);
  expect(start()).toContain("700 runs are due");
  const after = readAlarms();
  const at = (place: number): number => after.get(`run ${place}`) ?? Number.NaN;
  expect(Array.from({ length: 500 }, (_none, place) => at(place + 200))).toEqual(due.slice(200));
  expect(at(700)).toBe(now + 3_600_000);
  const spread = Array.from({ length: 200 }, (_none, place) => at(199 - place));
  expect(spread.map((ms) => ms - (spread[0] ?? 0))).toEqual(spread.map((_ms, place) => place * 20));
  expect(Math.abs((spread[0] ?? 0) - now)).toBeLessThan(60_000);
});

test("DUR13 SCH7 start.sh spreads the alarms of limits, schedules, events and windows as those of runs", () => {
  const due = Array.from({ length: 600 }, (_none, place) => Date.now() - 1_000_000 - place * 1_000);
  makeAlarms(due);
  const coordinators = join(runs, "..", "holdfast-coordinators");
  renameSync(runs, coordinators);
  expect(start()).toContain("600 limits, schedules, events and windows are due");
  renameSync(coordinators, runs);
  const after = [...readAlarms().values()].filter((at) => !due.includes(at)).toSorted((a, b) => a - b);
  expect(after.map((at) => at - (after[0] ?? 0))).toEqual(Array.from({ length: 100 }, (_none, place) => place * 20));
});

test("DUR13 start.sh moves no alarm to an earlier time, and none if 500 are due", () => {
  const now = Date.now();
  const soon = Array.from({ length: 501 }, (_none, place) => now + 30_000 + place);
  makeAlarms(soon);
  start();
  expect([...readAlarms().values()].toSorted((a, b) => a - b)).toEqual(soon);
  rmSync(join(runs, "metadata.sqlite"));
  const few = Array.from({ length: 500 }, (_none, place) => now - 30_000 + place);
  makeAlarms(few);
  start();
  expect([...readAlarms().values()].toSorted((a, b) => a - b)).toEqual(few);
});

test("SEC1 what start.sh and the process create is readable by its user only", () => {
  start();
  const data = join(folder, "data of runs");
  const modes = [data, join(data, ".lock"), join(data, "written")].map((path) => statSync(path).mode & 0o777);
  expect(modes).toEqual([0o700, 0o600, 0o600]);
});

test("OBS4 DEV1 the folder with the runs of holdfast dev is one line that says to use another one", () => {
  mkdirSync(runs, { recursive: true });
  writeFileSync(join(folder, "dev.json"), "{}");
  expectOneLine(run(), "holdfast dev made");
});

test("OBS4 on a full disk start.sh writes lines of JSON only, and says what it cannot make", () => {
  mkdirSync(runs, { recursive: true });
  const bin = join(folder, "bin");
  mkdirSync(bin);
  const PATH = `${bin}:${process.env["PATH"]}`;
  const fails = (program: string): void =>
    writeFileSync(join(bin, program), `#!/bin/sh\necho '${program}: no space' >&2\nexit 1\n`, { mode: 0o755 });
  fails("find");
  const { status, stderr } = run({ PATH });
  expect([status, stderr]).toEqual([0, ""]);
  for (const program of ["mkfifo", "touch"]) {
    fails(program);
    expectOneLine(run({ PATH }), `no file can be made in ${join(folder, "data of runs")}: ${program}: no space`);
  }
});

test("OBS4 alarms that are damaged are one line that names the file and what to do", () => {
  for (const kind of ["runs", "coordinators", "index"]) {
    const damaged = join(folder, "data of runs", `holdfast-${kind}`, "metadata.sqlite");
    mkdirSync(join(damaged, ".."), { recursive: true });
    writeFileSync(damaged, "this is no database".repeat(500));
    expectOneLine(run(), `${damaged}, which has the alarms of`);
    rmSync(damaged);
  }
});

test("OBS4 start.sh starts although the alarms cannot be counted, and each line that it writes is JSON", () => {
  mkdirSync(runs, { recursive: true });
  makeFile("metadata.sqlite", "CREATE TABLE t (a)").close();
  const lines = start().trim().split("\n");
  expect(lines.map((line) => JSON.parse(line) as unknown)).toContainEqual(
    expect.objectContaining({ level: "warn", message: expect.stringContaining("cannot be counted") }),
  );
});

/** Root may write everywhere. */
const AS_NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
const canBeNobody = spawnSync("env", [...AS_NOBODY, "true"]).status === 0;

function expectOneLine({ status, stderr, stdout }: ReturnType<typeof run>, message: string): void {
  expect([status, stdout]).toEqual([1, ""]);
  const line: unknown = JSON.parse(stderr);
  expect(line).toMatchObject({ level: "error", message: expect.stringContaining(message) });
}

test("OBS4 a folder that cannot be used and an address without a port are one line that names the variable", () => {
  writeFileSync(join(folder, "file"), "");
  expectOneLine(run({ HOLDFAST_DATA: join(folder, "file") }), "Set HOLDFAST_DATA to another one");
  expectOneLine(run({ HOLDFAST_DATA: "/proc/data" }), "Set HOLDFAST_DATA to another one");
  expectOneLine(run({ HOLDFAST_ADDRESS: "8787" }), "such as 127.0.0.1:8787, and is 8787");
});

test.skipIf(!canBeNobody)("OBS4 a folder of another user is one line that names the variable", () => {
  chmodSync(folder, 0o755);
  mkdirSync(join(folder, "mine"), { mode: 0o755 });
  expectOneLine(run({ HOLDFAST_DATA: join(folder, "mine") }, AS_NOBODY), "this user may not write into");
  expect(readdirSync(join(folder, "mine"))).toEqual([]);
});

test.skipIf(!canBeNobody)(
  "OBS4 a file of another user in a folder of this one is one line that says how to give it",
  () => {
    chmodSync(folder, 0o755);
    makeAlarms([]);
    const data = join(folder, "data of runs");
    for (const path of [data, runs]) chownSync(path, 65_534, 65_534);
    const alarms = join(runs, "metadata.sqlite");
    chmodSync(alarms, 0o600);
    const refusal = "chown -R ";
    expectOneLine(run({}, AS_NOBODY), `may not read and write ${alarms}. Give it all files: ${refusal}`);
    chownSync(alarms, 65_534, 65_534);
    writeFileSync(join(data, ".lock"), "", { mode: 0o600 });
    expectOneLine(run({}, AS_NOBODY), `may not read and write ${join(data, ".lock")}`);
  },
);
