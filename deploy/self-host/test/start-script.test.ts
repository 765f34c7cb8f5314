/** What start.sh does before it becomes workerd. The executable is replaced by a script. */
import { spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, test } from "vitest";

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

function start(): string {
  const env = { PATH: process.env["PATH"] ?? "", HOLDFAST_DATA: join(folder, "data of runs") };
  const { status, stderr } = spawnSync(join(folder, "start.sh"), { env, encoding: "utf8" });
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
  makeFile("metadata.sqlite", "CREATE TABLE _cf_ALARM (scheduled_time)").close();
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

function copyEmpty(n: number): void {
  if (n === 0) makeFile(name(0)).close();
  else copyFileSync(join(runs, name(0)), join(runs, name(n)));
}

test("SEC1 what start.sh and the process create is readable by its user only", () => {
  start();
  const data = join(folder, "data of runs");
  const modes = [data, join(data, ".lock"), join(data, "written")].map((path) => statSync(path).mode & 0o777);
  expect(modes).toEqual([0o700, 0o600, 0o600]);
});

test("OBS4 start.sh starts although the alarms cannot be counted, and each line that it writes is JSON", () => {
  mkdirSync(runs, { recursive: true });
  writeFileSync(join(runs, "metadata.sqlite"), "this is no database".repeat(500));
  const lines = start().trim().split("\n");
  expect(lines.map((line) => JSON.parse(line) as unknown)).toContainEqual(
    expect.objectContaining({ level: "warn", message: expect.stringContaining("cannot be counted") }),
  );
});
