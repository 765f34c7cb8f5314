/**
 * Checks that no file contains a path of a developer's machine or the host of a package registry.
 *
 * This file joins the words from parts, so that it does not contain them itself.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { REPOSITORY } from "./source-files.ts";

const FOLDERS = ["work", "root", "home", "Users"].map((folder) => `/${folder}/`);
const HOSTS = [
  ["registry", "npmjs", "org"],
  ["registry", "yarnpkg", "com"],
  ["registry", "npmmirror", "com"],
  ["npm", "pkg", "github", "com"],
  ["npm", "jsr", "io"],
].map((labels) => labels.join("."));

/** A path is absolute if the preceding character cannot belong to a longer path. */
const FORBIDDEN = new RegExp(
  String.raw`(?<![\w.$}*-])(?:${FOLDERS.join("|")})|\b(?:${HOSTS.map((host) => host.replaceAll(".", String.raw`\.`)).join("|")})\b`,
);

const git = spawnSync("git", ["ls-files", "-co", "--exclude-standard", "-z"], { cwd: REPOSITORY, encoding: "utf8" });

test.skipIf(git.status !== 0)("no file contains a path of a developer's machine or a package registry", () => {
  const files = git.stdout.split("\0").filter((path) => path !== "" && isFile(path));
  expect(files.length).toBeGreaterThan(0);
  const found = files.flatMap((path) =>
    readFileSync(join(REPOSITORY, path), "utf8")
      .split("\n")
      .flatMap((line, i) => (FORBIDDEN.test(line) ? [`${path}:${i + 1} ${line.trim().slice(0, 200)}`] : [])),
  );
  expect(found).toEqual([]);
});

test("absolute paths and registries are found, relative paths are not", () => {
  const [folder] = FOLDERS;
  for (const text of [`cd ${folder}main`, `"file://${folder}a"`, `${folder}`, `https://${HOSTS[0]}/a`]) {
    expect(text).toMatch(FORBIDDEN);
  }
  for (const text of [`src${folder}a.ts`, `..${folder}a.ts`, "https://www.npmjs.com/package/a"]) {
    expect(text).not.toMatch(FORBIDDEN);
  }
});

/** Whether a path is an existing file: git also lists deleted files that are not staged, links and submodules. */
function isFile(path: string): boolean {
  return existsSync(join(REPOSITORY, path)) && statSync(join(REPOSITORY, path)).isFile();
}
