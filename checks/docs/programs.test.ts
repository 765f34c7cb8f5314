/**
 * The code of every page compiles strictly as the page shows it, against the declarations that are published, and every test
 * that a page shows passes.
 */
import { spawnSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { packageFolders, readManifest, REPOSITORY } from "../source-files.ts";
import { type Page, readPages } from "../../site/pages.ts";
import { PROGRAMS } from "../pages/program.ts";
import { findStates, makeProgramFolder, writeFiles } from "./programs.ts";

const PAGES = readPages();
/** readme.test.ts and `.ci/packed` compile its variants, each with its framework. */
const VARIANTS = "how-to/add-to-a-node-service.md";
const COMPLETE = PAGES.filter(({ path, front }) => front !== undefined && path !== VARIANTS);

const compiled = makeProgramFolder("compiled");
const tested = makeProgramFolder("tested");
afterAll(() => {
  for (const folder of [compiled, tested]) rmSync(folder, { recursive: true });
});

/** The settings of the starter, and those of the repository. */
const SETTINGS = {
  target: "ES2024",
  module: "nodenext",
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  noImplicitOverride: true,
  noImplicitReturns: true,
  noFallthroughCasesInSwitch: true,
  noUnusedLocals: true,
  noUnusedParameters: true,
  verbatimModuleSyntax: true,
  erasableSyntaxOnly: true,
  allowImportingTsExtensions: true,
  skipLibCheck: true,
  noEmit: true,
  jsx: "react-jsx",
};

beforeAll(() => {
  const { status, stdout } = spawnSync(join(REPOSITORY, "node_modules/.bin/tsc"), ["-b"], {
    cwd: REPOSITORY,
    encoding: "utf8",
  });
  expect(status, stdout).toBe(0);
}, 120_000);

test("the code of every page compiles", { timeout: 240_000 }, () => {
  writeFiles(compiled, new Map([["package.json", '{ "type": "module" }']]));
  const files = COMPLETE.flatMap((page) => writeStates(compiled, page));
  expect(compile(files)).toEqual([]);
});

/** Compiles all modules at once: modules of the platform beside those of Node. */
function compile(files: readonly string[]): readonly string[] {
  const isOfPlatform = (path: string): boolean => PLATFORM.has(path);
  return [
    { name: "node", types: ["node"], files: files.filter((path) => !isOfPlatform(path)) },
    { name: "platform", types: ["@cloudflare/workers-types"], lib: ["ES2024"], files: files.filter(isOfPlatform) },
  ].flatMap(({ name, files: some, ...options }) => {
    const config = join(compiled, `tsconfig.${name}.json`);
    writeFileSync(
      config,
      JSON.stringify({ compilerOptions: { ...SETTINGS, ...options, paths: declarations() }, files: some }),
    );
    const { stdout } = spawnSync(join(REPOSITORY, "node_modules/.bin/tsc"), ["-p", config, "--pretty", "false"], {
      cwd: compiled,
      encoding: "utf8",
    });
    return some.length === 0 ? [] : stdout.split("\n").filter((line) => line !== "");
  });
}

/** The modules of states that use modules of workerd. */
const PLATFORM = new Set<string>();

function writeStates(root: string, page: Page): readonly string[] {
  return findStates(page, PAGES).flatMap((files, state) => {
    const paths = writeFiles(join(root, page.path, String(state)), files).filter((path) => /\.tsx?$/u.test(path));
    const usesPlatform = [...files.values()].some((text) =>
      /from "cloudflare:|types="@cloudflare\/workers-types"/u.test(text),
    );
    if (usesPlatform) for (const path of paths) PLATFORM.add(path);
    return paths;
  });
}

/** Where the compiler finds each published entry: in its declarations, as a user does. */
function declarations(): Readonly<Record<string, readonly string[]>> {
  const entries = packageFolders().flatMap((folder) => {
    const { name, publishConfig = {} } = readManifest(folder);
    return Object.entries(publishConfig.exports ?? {}).flatMap(([path, target]) => {
      const types = (target as { readonly types?: string }).types;
      return types === undefined ? [] : [[`${name}${path.slice(1)}`, [join(REPOSITORY, folder, types)]] as const];
    });
  });
  expect(entries.length).toBeGreaterThan(5);
  return Object.fromEntries(entries);
}

test("a title that comes again begins another state of the page", () => {
  const page = ['```ts title="a.ts"', "1", "```", '```ts title="a.ts"', "2", "```"].join("\n");
  const states = findStates({ path: "a.md", front: undefined, text: page }, []);
  expect(states.map((files) => [...files])).toEqual([[["a.ts", "1\n"]], [["a.ts", "2\n"]]]);
});

/** checks/pages/programs.test.ts follows the how-to pages with `node --test`, as they say. */
const FOLLOWED: ReadonlySet<string> = new Set(PROGRAMS);

for (const page of COMPLETE.filter(({ path }) => !FOLLOWED.has(`docs/${path}`))) {
  const paths = writeTests(page);
  if (paths.length === 0) continue;
  describe(page.path, async () => {
    for (const path of paths) await import(pathToFileURL(path).href);
  });
}

/** Writes the last state of a page, and returns its tests. Those of `node:test` are executed by a command of their page. */
function writeTests(page: Page): readonly string[] {
  const files = findStates(page, PAGES).at(-1);
  if (files === undefined) return [];
  const isOfNode = [...files.values()].some((text) => text.includes('from "node:test"'));
  if (isOfNode) expect(page.text, page.path).toMatch(/^(?:node --test|npm test)\b/mu);
  return writeFiles(join(tested, page.path), isOfNode ? new Map() : files).filter((path) =>
    /\.test\.tsx?$/u.test(path),
  );
}
