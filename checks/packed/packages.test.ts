/** The published packages as they are packed: what each tarball holds, what its package.json says, and its README. */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, posix } from "node:path";
import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findBlocks } from "../pages/page.ts";
import { REPOSITORY, readFiles, readManifest } from "../source-files.ts";
import { findMissing, findStale } from "./build.ts";
import { installPacked } from "./installed.ts";
import { readRoot, sharedFields } from "./metadata.ts";
import { type PackedPackage, packPackages } from "./pack.ts";
import { publishedFolders } from "./published.ts";

const folder = mkdtempSync(join(tmpdir(), "holdfast-packages-"));
let packages: readonly PackedPackage[];

beforeAll(() => {
  packages = packPackages(join(folder, "tarballs"));
  installPacked(packages, folder, ["@cloudflare/workers-types"]);
  writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module" }));
}, 120_000);

afterAll(() => rmSync(folder, { recursive: true }));

const PUBLISHED = publishedFolders().map((path) => ({ path, name: readManifest(path).name }));

/** Code that a build makes from files which are no source of the package. Only the package imports it. */
const MADE: ReadonlySet<string> = new Set(["dist/dashboard/files.js"]);

describe.each(PUBLISHED)("$name", ({ path, name }) => {
  const root = join(folder, "node_modules", name);
  let packed: PackedPackage;

  beforeAll(() => {
    packed = packages.find((one) => one.name === name) ?? expect.unreachable();
  });

  test("has README, licence, code, types, and the source of every map", () => {
    const { files } = packed;
    expect(files).toEqual(expect.arrayContaining(["LICENSE", "README.md", "package.json"]));
    // The rules for coding agents, which docs/for-coding-agents.md names by this path.
    if (name === "@holdfast/workflows") expect(files).toContain("AGENTS.md");
    const built = files.filter((file) => /^dist\/.*\.js$/u.test(file));
    expect(built.length).toBeGreaterThan(0);
    for (const file of built.filter((one) => !MADE.has(one))) {
      const types = file.replace(/\.js$/u, ".d.ts");
      for (const one of [file, types]) {
        expect(files).toContain(one);
        const { sources } = JSON.parse(readFileSync(join(root, `${one}.map`), "utf8")) as { sources: string[] };
        for (const source of sources) expect(files).toContain(posix.join(posix.dirname(one), source));
      }
    }
  });

  test("has no build info, no test, no settings of the compiler, and nothing installed", () => {
    const excluded = /\.tsbuildinfo$|\.test\.|(^|\/)(test|test-workers|node_modules)\/|tsconfig\.json$/u;
    // A starter holds the tests and settings of the project that it writes.
    const own = packed.files.filter((file) => !/^templates?\//u.test(file));
    expect(own.filter((file) => excluded.test(file))).toEqual([]);
  });

  test("names only files that it has, and no package by its place in the workspace", () => {
    const { files, manifest } = packed;
    const named = JSON.stringify([manifest.exports ?? {}, manifest.bin ?? {}]);
    for (const [file] of named.matchAll(/(?<=")\.\/[^"]*(?="[,}\]])/gu)) expect(files).toContain(posix.normalize(file));
    expect(named).not.toContain("./src/");
    expect(JSON.stringify(manifest)).not.toContain("workspace:");
  });

  test("has the metadata that a registry shows", () => {
    const { manifest } = packed;
    expect(manifest).toMatchObject(sharedFields(readRoot(), path));
    expect(manifest.description).toMatch(/^[A-Z].{20,}\.$/u);
    expect(manifest.keywords?.length).toBeGreaterThan(3);
    // 22.12 is the oldest Node on which .ci/packed runs the packages: the first that lets a service in CommonJS load them.
    expect(manifest.engines?.node).toMatch(/^>=22\.(1[2-9]|[2-9]\d)$/u);
    expect(readManifest(path)).toMatchObject({ publishConfig: { access: "public" } });
  });

  test("has no complaint of publint --strict", async () => {
    const tarball = new Uint8Array(readFileSync(packed.tarball)).buffer;
    const { messages, pkg } = await publint({ pack: { tarball }, strict: true });
    expect(messages.map((message) => formatMessage(message, pkg))).toEqual([]);
  });

  test("has types for every entry, as are-the-types-wrong sees them with the profile esm-only", async () => {
    const found = await checkPackage(createPackageFromTarballData(readFileSync(packed.tarball)));
    const problems = found.types === false ? [] : found.problems;
    const ignored = new Set(["node10", "node16-cjs"]);
    expect(problems.filter((one) => !("resolutionKind" in one && ignored.has(one.resolutionKind)))).toEqual([]);
    expect(found.types !== false || !Object.hasOwn(packed.manifest.exports ?? {}, ".")).toBe(true);
  });

  test("has a README that says what it is, how it is installed, and where to read on", () => {
    const text = readFileSync(join(root, "README.md"), "utf8");
    expect(text).toMatch(/^# \S+\n\n\S/u);
    expect(text).toMatch(/```sh\nnpm (install|create) /u);
    expect(text).toMatch(/\]\(\.\.\/\.\.\/\w+/u);
  });
});

/** The options of a strict consumer. Workers' types declare their own web platform. */
const OPTIONS = {
  target: "es2022",
  lib: ["ES2022"],
  types: ["@cloudflare/workers-types"],
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  isolatedModules: true,
  verbatimModuleSyntax: true,
  skipLibCheck: false,
  noEmit: true,
};

test.each([
  { module: "nodenext", moduleResolution: "nodenext" },
  { module: "esnext", moduleResolution: "bundler" },
])("the code of the READMEs compiles under $moduleResolution with ES2022", (resolution) => {
  const root = join(folder, resolution.moduleResolution);
  mkdirSync(root);
  for (const { path } of PUBLISHED)
    for (const { language, lines, line } of findBlocks(readFiles(`${path}/README.md`)[0]?.text ?? ""))
      if (language === "ts") writeFileSync(join(root, `${posix.basename(path)}-${line}.ts`), lines.join("\n"));
  const compilerOptions = { ...OPTIONS, ...resolution };
  writeFileSync(join(root, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["*.ts"] }));
  const { stdout } = spawnSync(join(REPOSITORY, "node_modules/.bin/tsc"), ["-p", root], { encoding: "utf8" });
  expect(stdout).toBe("");
});

test("a built file without a source, and a source that is not built, are found", () => {
  const one = join(folder, "one");
  for (const path of ["src", "dist"]) mkdirSync(join(one, path), { recursive: true });
  for (const file of [
    "src/a.ts",
    "src/b.ts",
    "src/types.d.ts",
    "dist/a.js",
    "dist/a.d.ts",
    "dist/old.js",
    "dist/old.js.map",
  ])
    writeFileSync(join(one, file), "");
  expect(findStale(one).toSorted()).toEqual(["dist/old.js", "dist/old.js.map"]);
  expect(findMissing(one)).toEqual(["dist/b.js"]);
});
