/** All files or none: failures, signals and crashes at the writes of the command. */
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { emptyFolder, runCommand } from "./run-command.ts";

let cwd: string;

beforeEach(() => {
  cwd = emptyFolder();
});

afterEach(() => rmSync(cwd, { recursive: true }));

/** Executes `code` before the write of file number `at`. */
const beforeWrite = (at: number, code: string): string => `
  import fs from "node:fs";
  import { syncBuiltinESMExports } from "node:module";
  const write = fs.writeFileSync;
  let writes = 0;
  fs.writeFileSync = (...args) => {
    if (++writes === ${at}) { ${code} }
    return write(...args);
  };
  syncBuiltinESMExports();`;

test.each([
  ["EACCES", "you may not write there (EACCES)"],
  ["EROFS", "the file system is read-only (EROFS)"],
  ["ENOSPC", "the disk is full (ENOSPC)"],
  ["EIO", "EIO"],
])("a write that fails with %s leaves nothing", (code, message) => {
  mkdirSync(join(cwd, "empty"));
  const first = beforeWrite(4, `throw Object.assign(new Error("x"), { code: "${code}" });`);
  for (const folder of ["deep/er/app", "empty"]) {
    const ran = runCommand([folder], { cwd, first });
    expect(ran.stderr).toBe(`create-holdfast: "${folder}" cannot be written: ${message}.\n`);
    expect(ran.status).toBe(1);
  }
  expect(readdirSync(cwd, { recursive: true })).toEqual(["empty"]);
});

test("Ctrl-C while the files are written does not split them", () => {
  const first = beforeWrite(3, `process.kill(process.pid, "SIGINT");`);
  expect(runCommand(["app"], { cwd, first })).toMatchObject({ status: 0, stderr: "" });
  expect(readdirSync(cwd)).toEqual(["app"]);
  expect(readdirSync(join(cwd, "app"))).toHaveLength(7);
});

test.each([1, 5, 9])("SIGKILL at write %i leaves no folder with the project's name", (at) => {
  const ran = runCommand(["app"], { cwd, first: beforeWrite(at, `process.kill(process.pid, "SIGKILL");`) });
  expect(ran.signal).toBe("SIGKILL");
  // The name of what is left says where it is from.
  expect(readdirSync(cwd)).toEqual([expect.stringMatching(/^\.create-holdfast-/)]);
});
