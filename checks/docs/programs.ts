/**
 * The programs of a page: its blocks in the language `ts` or `tsx` as files.
 *
 * Owns: what the files are. A block with a title is that file, and a block without one is a module of its own. The same title
 * again replaces the file, so that a page has states, each a project that compiles. A page whose front matter has
 * `continues` begins with the last state of that page.
 */
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { type Block, findBlocks } from "../pages/page.ts";
import { REPOSITORY } from "../source-files.ts";
import type { Page } from "../../site/pages.ts";

/** The text of each file by its path. */
export type Files = ReadonlyMap<string, string>;

const CODE = new Set(["ts", "tsx"]);

/** The packages that programs may import, with the folder that has them. */
const PACKAGES: Readonly<Record<string, string>> = {
  "@holdfast/workflows": "packages/workflows",
  "@holdfast/orchestrator": "packages/orchestrator",
  "@holdfast/orchestrator-cloudflare": "packages/orchestrator-cloudflare",
  "@holdfast/protocol": "packages/protocol",
  "@cloudflare/workers-types": "node_modules/@cloudflare/workers-types",
  "@hono/node-server": "examples/node-steps/node_modules/@hono/node-server",
  "@types/express": "examples/node-steps/node_modules/@types/express",
  "@types/node": "node_modules/@types/node",
  express: "examples/node-steps/node_modules/express",
  hono: "examples/node-steps/node_modules/hono",
  vitest: "node_modules/vitest",
  wrangler: "node_modules/wrangler",
  zod: "examples/order/node_modules/zod",
};

/** Returns the states of a page, oldest first: a new one begins where a title comes again. */
export function findStates(page: Page, pages: readonly Page[]): readonly Files[] {
  const states: Map<string, string>[] = [];
  let files = new Map(lastState(page, pages));
  let written = new Set<string>();
  for (const block of findBlocks(page.text)) {
    const path = pathOf(block);
    if (path === undefined) continue;
    if (written.has(path)) {
      states.push(files);
      files = new Map(files);
      written = new Set();
    }
    files.set(path, `${block.lines.join("\n")}\n`);
    written.add(path);
  }
  return files.size === 0 ? states : [...states, files];
}

/** The files with which a page begins. */
function lastState(page: Page, pages: readonly Page[]): Files {
  const path = page.front?.continues;
  if (path === undefined) return new Map();
  const before = pages.find((one) => one.path === path);
  if (before === undefined) throw new Error(`${page.path} continues ${path}, which does not exist.`);
  return findStates(before, pages).at(-1) ?? new Map();
}

function pathOf({ language, title, line }: Block): string | undefined {
  if (title !== undefined) return posix.normalize(title);
  return CODE.has(language) ? `block-${line}.${language}` : undefined;
}

/** An empty folder below the repository, in which programs find the packages. */
export function makeProgramFolder(name: string): string {
  const root = join(REPOSITORY, ".pages", name);
  rmSync(root, { recursive: true, force: true });
  for (const [specifier, folder] of Object.entries(PACKAGES)) {
    const link = join(root, "node_modules", specifier);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(REPOSITORY, folder), link);
  }
  return root;
}

/** Writes files below a folder, and returns their paths. */
export function writeFiles(folder: string, files: Files): readonly string[] {
  return [...files].map(([path, text]) => {
    const target = join(folder, path);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, text);
    return target;
  });
}
