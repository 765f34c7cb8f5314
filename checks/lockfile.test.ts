/** A lockfile that does not match the packages is named in one line. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { findStaleLockfile } from "./lockfile.ts";
import { TOOLS } from "./packed/project.ts";
import { REPOSITORY } from "./source-files.ts";

const LOCKFILE = `lockfileVersion: '9.0'

importers:

  .:
    devDependencies:
      '@scope/tool':
        specifier: 1.0.0
        version: 1.0.0(a@1.0.0)

  packages/a:
    dependencies:
      one:
        specifier: ^2.0.0
        version: 2.1.0
      peer:
        specifier: '>=3'
        version: 3.0.0

packages:

  one@2.1.0:
    resolution: {integrity: sha512-x}
`;

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "holdfast-lockfile-"));
  mkdirSync(join(root, "packages/a"), { recursive: true });
  writeFileSync(join(root, "pnpm-lock.yaml"), LOCKFILE);
  writeFileSync(join(root, "pnpm-workspace.yaml"), "packages: [packages/*, checks]\n");
  writeManifest(".", { devDependencies: { "@scope/tool": "1.0.0" } });
});

afterEach(() => rmSync(root, { recursive: true }));

function writeManifest(folder: string, manifest: object): void {
  writeFileSync(join(root, folder, "package.json"), JSON.stringify(manifest));
}

test("a lockfile that matches is accepted, with a peer that is installed for its package", () => {
  writeManifest("packages/a", { dependencies: { one: "^2.0.0" }, peerDependencies: { peer: ">=3" } });
  expect(findStaleLockfile(root)).toBeUndefined();
});

test.each([
  [{ dependencies: { one: "^2.1.0", peer: ">=3" } }, "has one ^2.1.0, and the lockfile has one ^2.0.0"],
  [{ dependencies: { one: "^2.0.0", peer: ">=3", two: "1.0.0" } }, "has two 1.0.0, and the lockfile does not have two"],
  [{ dependencies: { one: "^2.0.0" } }, "does not have peer, and the lockfile has peer >=3"],
])("a stale lockfile is named in one line, with what to do: %j", (manifest, difference) => {
  writeManifest("packages/a", manifest);
  expect(findStaleLockfile(root)).toBe(
    `pnpm-lock.yaml is stale: packages/a/package.json ${difference}. ` +
      "Run `npx -y pnpm@12.21.0 install --no-frozen-lockfile`.",
  );
});

test("the lockfiles of this repository are not stale", () => {
  expect([REPOSITORY, TOOLS].map(findStaleLockfile)).toEqual([undefined, undefined]);
});
