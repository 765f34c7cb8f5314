/**
 * Checks the exported names and signatures of the packages against snapshots, so that they change only on purpose.
 *
 * After a change on purpose: `vitest run --project node checks/exports.test.ts --update`.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
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

beforeAll(() => {
  const { status, stdout } = spawnSync(join(REPOSITORY, "node_modules/.bin/tsc"), ["-b"], {
    cwd: REPOSITORY,
    encoding: "utf8",
  });
  expect(status, stdout).toBe(0);
}, 120_000);

test("every published entry of a package has a report here", () => {
  const published = packageFolders().flatMap((folder) => {
    const { name, private: isPrivate, publishConfig = {} } = readManifest(folder);
    const paths = Object.keys(publishConfig.exports ?? {}).filter((path) => path !== "./package.json");
    return isPrivate === true ? [] : paths.map((path) => `${name}${path.slice(1)}`);
  });
  const reported = new Set(ENTRIES.map(({ entry }) => entry));
  expect(published.filter((entry) => !reported.has(entry))).toEqual([]);
});

test.each(ENTRIES)("$entry exports what the snapshot lists", async ({ file }) => {
  const names = readFiles(file).flatMap(findExports);
  expect(names.join("\n")).toMatchSnapshot();
  const atRunTime: object = await import(pathToFileURL(join(REPOSITORY, file)).href);
  expect(Object.keys(atRunTime).toSorted()).toEqual(names.filter((name) => !name.startsWith("type ")));
});

describe("signatures", () => {
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

/** Libraries of a consumer: of Node without a DOM, and of a browser or a Worker without Node. */
const CONSUMERS = [
  { name: "Node", lib: ["ES2022"], types: ["node"] },
  { name: "the web platform", lib: ["ES2022", "DOM", "DOM.Iterable"], types: [] },
];

test.each(CONSUMERS)(
  "the declarations compile for a consumer with the libraries ES2022 and $name",
  { timeout: 240_000 },
  ({ lib, types }) => {
    const folder = mkdtempSync(join(REPOSITORY, "node_modules/.consumer-"));
    try {
      const paths = Object.fromEntries(ENTRIES.map(({ entry, declarations }) => [entry, [declarations]]));
      const options = { target: "es2022", lib, types, paths, module: "nodenext", strict: true, noEmit: true };
      const compilerOptions = { ...options, skipLibCheck: false, allowImportingTsExtensions: true };
      writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["index.ts"] }));
      const lines = ENTRIES.map(({ entry }, at) => `export * as entry${at} from ${JSON.stringify(entry)};`);
      writeFileSync(join(folder, "index.ts"), lines.join("\n"));
      const { stdout } = spawnSync(join(REPOSITORY, "node_modules/.bin/tsc"), ["-p", folder], { encoding: "utf8" });
      expect(stdout).toBe("");
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);

test("RUN7 each optional field of the exported options may be undefined", () => {
  // The options of the orchestrator and of MemoryHost are ports for hosts, which pass what they have.
  const strict = ENTRIES.filter(({ entry }) => entry !== "@holdfast/orchestrator").flatMap(({ entry, declarations }) =>
    [
      ...reportSignatures(declarations).matchAll(/^interface (\w+(?<!MemoryHost)(?:Options|Config))\b.*?^\}/gmsu),
    ].flatMap(([text, name]) =>
      [...text.matchAll(/^ {4}readonly (\w+)\?: (.*?);(?=\n(?: {4}readonly |\}))/gmsu)]
        .filter(([, , type = ""]) => type !== "unknown" && !type.includes("undefined"))
        .map(([, field]) => `${entry} ${name}.${field}`),
    ),
  );
  expect(strict).toEqual([]);
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
