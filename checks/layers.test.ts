/** Checks that packages and their folders import only what checks/layers.ts allows. */
import { expect, test } from "vitest";
import { checkDependencies, checkImports, findImports } from "./layers.ts";
import { packageFolders, readFiles, readManifest } from "./source-files.ts";

const SOURCES = readFiles("{packages,apps,examples}/*/{src,test,test-workers}/**/*.{ts,tsx}");

const example = (specifier: string) => checkImports({ path: "examples/x/src/a.ts", text: `import "${specifier}";` });

/** Allowed imports from a lower folder to a higher one. The list only shrinks: an entry that is not needed fails a test. */
const EXCEPTIONS: readonly { readonly start: string; readonly why: string }[] = [];

const PROBLEMS = SOURCES.flatMap(checkImports);

test("every import is allowed for its package and its folder", () => {
  expect(SOURCES.length).toBeGreaterThan(0);
  expect(PROBLEMS.filter((problem) => !EXCEPTIONS.some(({ start }) => problem.startsWith(start)))).toEqual([]);
});

test("every exception is needed", () => {
  expect(EXCEPTIONS.filter(({ start }) => !PROBLEMS.some((problem) => problem.startsWith(start)))).toEqual([]);
});

test("an import of a higher folder and an import of a neighbour are found", () => {
  const imports = (path: string, specifier: string) =>
    checkImports({ path: `packages/workflows/src/${path}`, text: `import type { A } from "${specifier}";` });
  expect(imports("replay/a.ts", "../authoring/steps.ts")).toEqual([
    'packages/workflows/src/replay/a.ts:1 imports "../authoring/steps.ts": authoring/** is above replay/** in the order of checks/layers.ts.',
  ]);
  expect(imports("client/a.ts", "../handler/b.ts")).toHaveLength(1);
  expect(imports("new/a.ts", "../replay/b.ts")).toHaveLength(1);
  expect(imports("authoring/a.ts", "../replay/b.ts")).toEqual([]);
  expect(imports("authoring/a.ts", "./b.ts")).toEqual([]);
});

test("every dependency is allowed for its package", () => {
  expect(packageFolders().flatMap((folder) => checkDependencies(folder, readManifest(folder)))).toEqual([]);
});

test("an import of the wrong layer is found, with the file, the specifier and the allowed packages", () => {
  const text = 'import { a } from "@holdfast/protocol";\nexport type { B } from "@holdfast/orchestrator/deep";\n';
  expect(checkImports({ path: "packages/protocol/src/a.ts", text })).toEqual([
    'packages/protocol/src/a.ts:1 imports "@holdfast/protocol". packages/protocol may use: devalue (checks/layers.ts).',
    'packages/protocol/src/a.ts:2 imports "@holdfast/orchestrator/deep". packages/protocol may use: devalue (checks/layers.ts).',
  ]);
  const adapter = { path: "packages/orchestrator-cloudflare/src/a.ts", text: 'await import("@holdfast/workflows");' };
  expect(checkImports(adapter)).toHaveLength(1);
  expect(checkImports({ ...adapter, path: "packages/orchestrator-cloudflare/test-workers/a.ts" })).toEqual([]);
});

test("an example may import external libraries, and only the author's package of the workspace", () => {
  expect(example("zod")).toEqual([]);
  expect(example("@holdfast/workflows")).toEqual([]);
  expect(example("@holdfast/protocol")).toHaveLength(1);
});

test("a relative import that leaves its package is found, also in tests", () => {
  const text = 'import { a } from "../../protocol/src/ids.ts";';
  expect(checkImports({ path: "packages/proof/test/a.test.ts", text })).toHaveLength(1);
  expect(checkImports({ path: "packages/proof/test/deep/er/a.test.ts", text })).toEqual([]);
});

test("a dependency of the wrong layer and a package without a row in the table are found", () => {
  const manifest = { name: "x", dependencies: { hono: "1" }, peerDependencies: { devalue: "1" } };
  expect(checkDependencies("packages/protocol", manifest)).toHaveLength(1);
  expect(checkDependencies("packages/new", manifest)).toHaveLength(2);
});

test("dynamic imports and type imports are found; specifiers in comments and strings are not", () => {
  const text = `// import "a";
import type { C } from 'c'; import "d"; const s = 'from "b"'; Array.from("b2"); type E = import("e").E; export * from "f"; /* from "g" */`;
  expect(findImports({ path: "a.ts", text }).map(({ specifier }) => specifier)).toEqual(["c", "d", "e", "f"]);
});
