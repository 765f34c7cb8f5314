/**
 * Executes every shell command of every document, in order, against the answers that the documents show. The pages of the
 * examples are executed by examples.test.ts, which starts the examples, how-to pages with a program by programs.test.ts, and
 * pages that a reader follows from an empty folder by tutorial.test.ts and `.ci/packed`. These are the project `readers`.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type LocalRuntime, startLocalRuntime } from "@holdfast/local-runtime";
import { afterEach, expect, test } from "vitest";
import { REPOSITORY, readFiles } from "../source-files.ts";
import { isFollowed } from "../packed/readme.ts";
import { findBlocks, withoutComment } from "./page.ts";
import { PROGRAMS } from "./program.ts";
import { NOT_EXECUTED, isExecuted, readPage, runPage } from "./run-page.ts";

const DOCUMENTS = readFiles("*.md", "docs/**/*.md", "{packages,apps,examples,deploy}/*/*.md");
const COMMANDS = DOCUMENTS.flatMap(({ path }) => readPage(path).map((command) => ({ path, command })));
const EXECUTED = COMMANDS.filter(({ command }) => isExecuted(command));
const PAGES = [...new Set(EXECUTED.map(({ path }) => path))].filter(
  (path) => !path.startsWith("examples/") && !isFollowed(path) && !PROGRAMS.includes(path),
);

let runtime: LocalRuntime | undefined;

afterEach(() => runtime?.dispose());

test.each(PAGES)("every command of %s does what the page shows", { timeout: 240_000 }, async (page) => {
  runtime = await startLocalRuntime();
  expect(await runPage(page, runtime.url)).toEqual([]);
});

test("commands are in blocks of the language sh, which the test reads", () => {
  const others = DOCUMENTS.flatMap(({ path, text }) =>
    findBlocks(text)
      .filter(({ language, lines }) => language !== "sh" && lines.some((line) => /^(\$ |curl |npx |sudo )/.test(line)))
      .map(({ line }) => `${path}:${line}`),
  );
  expect(others).toEqual([]);
  expect(PAGES).toContain("docs/reference/http-guide.md");
});

test("each row of the table of commands that are not executed stands for a command of a document", () => {
  const left = COMMANDS.filter(({ command }) => !isExecuted(command)).map(({ command }) =>
    withoutComment(command.text),
  );
  const unused = NOT_EXECUTED.filter(({ commands }) => !left.some((text) => commands.test(text)));
  expect(unused).toEqual([]);
});

test("every script that a document starts exists", () => {
  const missing = COMMANDS.filter(({ command }) => {
    const [, folder, name] = /^npx -y pnpm@\S+ (?:--filter @holdfast\/(\S+) )?(\S+)/.exec(command.text) ?? [];
    return name !== undefined && name !== "install" && !hasScript(folder, name);
  });
  expect(missing.map(({ path, command }) => `${path}:${command.line}`)).toEqual([]);
});

function hasScript(name: string | undefined, script: string): boolean {
  const manifests = readFiles("package.json", "{packages,apps,examples,deploy}/*/package.json").map(({ text }) => {
    return JSON.parse(text) as { readonly name: string; readonly scripts?: object };
  });
  const wanted = name === undefined ? "holdfast-repo" : `@holdfast/${name}`;
  return manifests.some((one) => one.name === wanted && Object.hasOwn(one.scripts ?? {}, script));
}

test("every route in the table of docs/reference/http-guide.md has a command on that page", () => {
  const page = readFileSync(join(REPOSITORY, "docs/reference/http-guide.md"), "utf8");
  const requests = readPage("docs/reference/http-guide.md").flatMap(({ text }) => {
    const [, path] = /"\$API(\/[^"?]*)/.exec(text) ?? [];
    const [, method = "GET"] = / -X ([A-Z]+)/.exec(text) ?? [];
    return path === undefined ? [] : [`${method} ${path}`];
  });
  const routes = [...page.matchAll(/^\| `([A-Z]+ \/[^`]+)` +\|/gm)].map(([, route = ""]) => route);
  const missing = routes.filter((route) => {
    const pattern = new RegExp(`^${route.replaceAll(/:\w+|…/g, "[^/]+").replaceAll("/", "\\/")}$`);
    return !requests.some((request) => pattern.test(request));
  });
  expect(routes.length).toBeGreaterThan(20);
  expect(missing).toEqual([]);
});
