/** The weight of the files that the browser loads, and which of them it loads before it shows anything. */
import { gzipSync } from "node:zlib";
import { posix } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { type DashboardFiles, bundleDashboard } from "../build.ts";

const ALL_BYTES_MAX = 150_000;
const FIRST_SCREEN_BYTES_MAX = 60_000;
/** The timeline is the largest part of any page. */
const OTHER_SCREEN_BYTES_MAX = 70_000;

let files: DashboardFiles;

beforeAll(async () => {
  files = await bundleDashboard();
});

/** `import … from "./x.js"`, `import "./x.js"` and `export … from "./x.js"`; not `import("./x.js")`. */
const STATIC_IMPORT = /\b(?:import|export)\b(?:[\w$\s{},*]*\bfrom)?\s*["'](\.[^"']+)["']/gu;
const DYNAMIC_IMPORT = /\bimport\(\s*["'](\.[^"']+)["']/gu;
/** What index.html loads. */
const LOADED = /(?:href|src)="(\/ui\/[^"]+)"/gu;

function textOf(path: string): string {
  const content = files[path];
  if (content === undefined) throw new Error(`${path} is loaded and not built`);
  return new TextDecoder().decode(content);
}

function importsOf(code: string, pattern = STATIC_IMPORT): readonly string[] {
  return [...code.matchAll(pattern)].map(([, path = ""]) => path);
}

/** The files, and what they import statically. */
function withImports(paths: readonly string[]): ReadonlySet<string> {
  const found = new Set<string>();
  const left = [...paths];
  for (let path = left.pop(); path !== undefined; path = left.pop()) {
    if (found.has(path)) continue;
    found.add(path);
    const imported = path.endsWith(".js") ? importsOf(textOf(path)) : [];
    left.push(...imported.map((one) => posix.join("/ui/assets", one)));
  }
  return found;
}

const PAGE = "/ui/index.html";

/** The page, what it names, and what that imports statically: the list of runs. */
function firstScreen(): ReadonlySet<string> {
  return withImports([PAGE, ...importsOf(textOf(PAGE), LOADED)]);
}

/** The first screen of each other page: that of the list, and a part that it loads when it is shown. */
function otherScreens(): readonly ReadonlySet<string>[] {
  const first = [...firstScreen()];
  const parts = new Set(first.flatMap((path) => (path.endsWith(".js") ? importsOf(textOf(path), DYNAMIC_IMPORT) : [])));
  return [...parts].map((part) => withImports([...first, posix.join("/ui/assets", part)]));
}

function weigh(paths: Iterable<string>): number {
  return [...paths].reduce((sum, path) => sum + gzipSync(files[path] ?? "", { level: 9 }).length, 0);
}

test("DASH4 all files weigh at most 150 kB gzipped, and those of the first screen 60 kB", () => {
  const first = firstScreen();
  const [all, begin] = [weigh(Object.keys(files)), weigh(first)];
  console.log(`apps/dashboard: ${all} bytes gzipped, ${begin} of them in the ${first.size} files of the first screen`);
  expect(first.size).toBeGreaterThan(2);
  expect(all).toBeLessThanOrEqual(ALL_BYTES_MAX);
  expect(begin).toBeLessThanOrEqual(FIRST_SCREEN_BYTES_MAX);
});

test("DASH4 a page that is opened by its address loads at most 70 kB gzipped before it shows anything", () => {
  const sizes = otherScreens().map(weigh);
  console.log(`apps/dashboard: the other pages load ${sizes.toSorted((one, other) => one - other).join(", ")} bytes`);
  expect(sizes.length).toBeGreaterThan(3);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(OTHER_SCREEN_BYTES_MAX);
});

test("DASH4 static imports are found in minified code, and dynamic ones are left out", () => {
  const code =
    'import{a as b}from"./part-1.js";import"./part-2.js";import*as c from"./part-3.js";export{d}from"./part-4.js";' +
    'const e=()=>import("./part-5.js");f("import","./part-6.js");import g,{h}from"./part-7.js";';
  expect(importsOf(code)).toEqual(["./part-1.js", "./part-2.js", "./part-3.js", "./part-4.js", "./part-7.js"]);
});
