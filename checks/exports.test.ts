/**
 * Checks the exported names and signatures of the packages against snapshots, so that they change only on purpose.
 *
 * After a change on purpose: `vitest run --project node checks/exports.test.ts --update`.
 */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { findExports } from "./exported-names.ts";
import { reportSignatures } from "./signatures.ts";
import { REPOSITORY, packageFolders, readFiles, readManifest } from "./source-files.ts";

// This module exists only in workerd.
vi.mock("cloudflare:workers", () => ({ DurableObject: class {} }));

const ENTRIES = packageFolders().flatMap((folder) => {
  const { name, private: isPrivate = false, exports = {} } = readManifest(folder);
  if (isPrivate) return [];
  return Object.entries(exports).map(([path, file]) => ({
    entry: `${name}${path.slice(1)}`,
    file: join(folder, sourceOf(file)),
    declarations: join(REPOSITORY, folder, sourceOf(file).replace("./src/", "dist/").replace(/\.ts$/, ".d.ts")),
  }));
});

test.each(ENTRIES)("$entry exports what the snapshot lists", async ({ file }) => {
  const names = readFiles(file).flatMap(findExports);
  expect(names.join("\n")).toMatchSnapshot();
  const atRunTime: object = await import(pathToFileURL(join(REPOSITORY, file)).href);
  expect(Object.keys(atRunTime).toSorted()).toEqual(names.filter((name) => !name.startsWith("type ")));
});

describe("signatures", () => {
  beforeAll(() => {
    const { status, stdout } = spawnSync(join(REPOSITORY, "node_modules/.bin/tsc"), ["-b"], {
      cwd: REPOSITORY,
      encoding: "utf8",
    });
    expect(status, stdout).toBe(0);
  }, 120_000);

  test.each(ENTRIES)("$entry has the signatures of its report", async ({ entry, declarations }) => {
    const report = `__snapshots__/signatures/${entry.slice(1).replaceAll("/", "-")}.txt`;
    await expect(reportSignatures(declarations)).toMatchFileSnapshot(report);
  });

  test("the report follows a declaration through the modules that export it, and drops its comments", () => {
    const files: Readonly<Record<string, string>> = {
      "d/index.d.ts": 'import { d } from "x";\nexport { a as b, type C } from "./a.ts";\nexport { d };',
      "d/a.d.ts":
        'export { C } from "./c.ts";\n/** What a is. */\nexport declare function a(e: number): void;\nexport declare function a(): string;',
      "d/c.d.ts": "export interface C {\n  /** One. */\n  f: 1;\n}",
    };
    expect(reportSignatures("d/index.d.ts", (path) => files[path] ?? "")).toBe(
      `// C\ninterface C {\n  f: 1;\n}\n
// b\ndeclare function a(e: number): void;\ndeclare function a(): string;\n
// d\nexport { d } from "x";\n`,
    );
  });
});

test("every form of export is read", () => {
  const source = `export { a, type B, c as d } from "./a.ts"; export type { E } from "./b.ts"; // export { no }
export const f = 1; export async function g() {} export interface H {} export default a;`;
  expect(findExports({ path: "a.ts", text: source })).toEqual([
    "a",
    "d",
    "default",
    "f",
    "g",
    "type B",
    "type E",
    "type H",
  ]);
  expect(() => findExports({ path: "a.ts", text: 'export * from "./a.ts";' })).toThrow("by hand");
});

/** An entry of `exports`: a file, or conditions of which the last is the default. */
function sourceOf(file: unknown): string {
  if (typeof file === "string") return file;
  return sourceOf(Object.values(file as Record<string, unknown>).at(-1));
}
