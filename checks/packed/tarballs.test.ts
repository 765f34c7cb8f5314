/** What each published package holds. */
import { mkdtempSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, posix } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readManifest } from "../source-files.ts";
import { findMissing, findStale } from "./build.ts";
import { type PackedPackage, packPackages, unpack } from "./pack.ts";
import { publishedFolders } from "./published.ts";

const folder = mkdtempSync(join(tmpdir(), "holdfast-packed-"));
let packages: readonly PackedPackage[];

beforeAll(() => {
  packages = packPackages(folder);
}, 120_000);

afterAll(() => rmSync(folder, { recursive: true }));

describe.each(publishedFolders().map((path) => readManifest(path).name))("the tarball of %s", (name) => {
  const root = join(folder, name);
  let packed: PackedPackage;
  let files: readonly string[];

  beforeAll(() => {
    packed = packages.find((one) => one.name === name) ?? expect.unreachable();
    files = unpack(packed.tarball, root);
  });

  test("has README, licence, code, types, and the source of every map", () => {
    expect(files).toEqual(expect.arrayContaining(["LICENSE", "README.md", "package.json"]));
    expect(files.filter((file) => file.startsWith("dist/")).length).toBeGreaterThan(0);
    for (const file of files.filter((one) => /^dist\/.*\.js$/u.test(one))) {
      expect(files).toContain(file.replace(/\.js$/u, ".d.ts"));
      const { sources } = JSON.parse(readFileSync(join(root, `${file}.map`), "utf8")) as { sources: string[] };
      for (const source of sources) expect(files).toContain(posix.join(posix.dirname(file), source));
    }
  });

  test("has no build info, no test, no settings of the compiler, and nothing installed", () => {
    const excluded = /\.tsbuildinfo$|\.test\.|(^|\/)(test|test-workers|node_modules)\/|tsconfig\.json$/u;
    // A starter holds the tests and settings of the project that it writes.
    const own = files.filter((file) => !/^templates?\//u.test(file));
    expect(own.filter((file) => excluded.test(file))).toEqual([]);
  });

  test("names only files that it has, and no package of the workspace by its place", () => {
    const { manifest } = packed;
    const named = JSON.stringify([manifest.exports ?? {}, (manifest as { readonly bin?: unknown }).bin ?? {}]);
    for (const [file] of named.matchAll(/(?<=")\.\/[^"]*(?="[,}\]])/gu)) expect(files).toContain(posix.normalize(file));
    expect(named).not.toContain("./src/");
    expect(JSON.stringify(manifest)).not.toContain("workspace:");
  });
});

test("a built file without a source, and a source that is not built, are found", () => {
  const one = join(folder, "one");
  for (const path of ["src", "dist"]) mkdirSync(join(one, path), { recursive: true });
  for (const file of ["src/a.ts", "src/b.ts", "dist/a.js", "dist/a.d.ts", "dist/old.js", "dist/old.js.map"])
    writeFileSync(join(one, file), "");
  expect(findStale(one).toSorted()).toEqual(["dist/old.js", "dist/old.js.map"]);
  expect(findMissing(one)).toEqual(["dist/b.js"]);
});
