/**
 * tests: the tools that the command does not install: where they are found, and what is said without them
 *
 * Each case is a process without NODE_PATH, with which package managers start tests: it makes other copies visible.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";

const PEERS = join(import.meta.dirname, "../../src/dev/peers.ts");
const HOST = { platform: "linux", arch: "x64", musl: false };

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "holdfast-peers-"));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

function install(name: string, main: string): void {
  const at = join(folder, "node_modules", name);
  mkdirSync(at, { recursive: true });
  writeFileSync(join(at, "package.json"), JSON.stringify({ name, main: "main.js" }));
  writeFileSync(join(at, "main.js"), main);
}

/** Returns the found tools as JSON, or the name and the message of the error. The command's package has no copies. */
function load(from = folder, host: object = HOST): string {
  const surroundings = JSON.stringify({ here: join(folder, "elsewhere.js"), host });
  const code = `import { loadPeers } from ${JSON.stringify(PEERS)};
    loadPeers(${JSON.stringify(from)}, ${surroundings}).then(
      (peers) => console.log(JSON.stringify(peers)),
      ({ name, message }) => console.log(name + ": " + message),
    );`;
  const { stdout } = spawnSync(process.execPath, ["--input-type=module", "-e", code], { env: {}, encoding: "utf8" });
  return stdout.trimEnd();
}

const BOTH = String.raw`"workerd@>=[\d.]+" "esbuild@>=[\d.]+"`;

test.each([
  ["package-lock.json", "npm install -D"],
  ["pnpm-lock.yaml", "pnpm add -D"],
  ["yarn.lock", "yarn add -D"],
  ["bun.lock", "bun add -d"],
])("DEV7 in a project with %s, one line installs what is missing: %s", (lockfile, command) => {
  writeFileSync(join(folder, lockfile), "");
  mkdirSync(join(folder, "packages/app"), { recursive: true });
  const line = new RegExp(
    `^UsageError: holdfast dev needs workerd and esbuild, which are not installed[.] Run: ${command} ${BOTH}$`,
  );
  expect(load()).toMatch(line);
  expect(load(join(folder, "packages/app"))).toMatch(line);
});

test("DEV7 if one of the two is there, only the other one is named", () => {
  install("esbuild", "");
  expect(load()).toMatch(
    /^UsageError: holdfast dev needs workerd, which is not installed\. Run: npm install -D "workerd@>=[\d.]+"$/,
  );
});

test("DEV7 the copies of the project are used", () => {
  install("esbuild", "exports.mine = true;");
  install("workerd", 'exports.default = "/the/executable";');
  expect(JSON.parse(load())).toEqual({ esbuild: { mine: true }, workerd: "/the/executable" });
});

test("DEV7 a package for another platform is said in one line", () => {
  install("esbuild", "");
  install("workerd", String.raw`throw new Error("\nThe package for linux-x64 could not be found.\nMore text.");`);
  expect(load()).toMatch(/^UsageError: workerd or esbuild .*for linux-x64 could not be found\. Run .*$/);
});

test.each([
  [{ platform: "win32" }, /^UsageError: holdfast dev does not run on Windows\. Run it in WSL.*$/],
  [{ arch: "ia32" }, /^UsageError: holdfast dev does not run on linux ia32: .*$/],
  [{ musl: true }, /^UsageError: holdfast dev does not run on musl \(Alpine\): .*$/],
])("DEV7 a platform without workerd is said in one line: %j", (given, message) => {
  expect(load(folder, { ...HOST, ...given })).toMatch(message);
});
