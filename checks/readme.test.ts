/**
 * README.md and the pages of the other ways to begin: their files compile strictly, and the README shows what the starter
 * writes. `.ci/packed` does what they say in an empty folder, line by line, with packed packages.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { findBlocks } from "./pages/page.ts";
import { readPaths, readReadme } from "./packed/readme.ts";
import { REPOSITORY, readFiles } from "./source-files.ts";

const read = (path: string): string => readFileSync(join(REPOSITORY, path), "utf8");
const TEMPLATE = "packages/create-holdfast/template";

const OPTIONS = {
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  noUnusedLocals: true,
  verbatimModuleSyntax: true,
  allowImportingTsExtensions: true,
  skipLibCheck: true,
  target: "es2023",
  lib: ["ES2024", "DOM", "DOM.Iterable", "DOM.AsyncIterable"],
  types: ["node"],
  typeRoots: [join(REPOSITORY, "node_modules/@types")],
  module: "esnext",
  moduleResolution: "bundler",
  noEmit: true,
};

const folder = mkdtempSync(join(tmpdir(), "holdfast-readme-"));
afterAll(() => rmSync(folder, { recursive: true }));

const PATHS = readReadme().map((path) => ({ ...path, name: path.variant ?? path.title }));

test("there are three ways to begin, the last one with four frameworks", () => {
  expect(PATHS.map(({ name }) => name)).toEqual([
    "Start from nothing",
    "Add it to your Worker",
    "Hono",
    "Express",
    "Fastify",
    "Next.js",
  ]);
  for (const { acts } of PATHS) {
    expect(acts.filter(({ kind }) => kind === "serve").length).toBeGreaterThan(0);
    expect(acts.at(-1)).toMatchObject({ kind: "run", answer: { language: "json" } });
  }
});

// Fastify is not installed in the workspace: `.ci/packed` compiles its file.
test.each(PATHS.filter(({ name }) => !["Start from nothing", "Fastify"].includes(name)))(
  "the files of $name compile strictly",
  { timeout: 180_000 },
  ({ name, acts }) => {
    const files = acts.flatMap((act) => (act.kind === "file" ? [act] : []));
    expect(compile(name, Object.fromEntries(files.map(({ path, text }) => [path, text])))).toBe("");
  },
);

test("the program of README.md has at most 12 lines and compiles with the starter's shop", { timeout: 180_000 }, () => {
  const readme = read("README.md");
  const program = findBlocks(readme).find(({ language }) => language === "ts");
  expect(program?.lines.length).toBeLessThanOrEqual(13);
  const files = { "order.ts": program?.lines.join("\n") ?? "", "shop.ts": read(`${TEMPLATE}/src/shop.ts`) };
  expect(compile("program", files)).toBe("");
  expect(readme.trimEnd().split("\n").length).toBeLessThanOrEqual(90);
});

test("README.md has the command that .ci/run executes, and names the proofs that it leaves out", () => {
  const readme = read("README.md");
  const command = /npx -y pnpm@\S+ test/u.exec(read(".ci/run"))?.[0];
  expect(findBlocks(readme).flatMap(({ lines }) => lines)).toContainEqual(expect.stringContaining(`${command} `));
  const { scripts } = JSON.parse(read("package.json")) as { readonly scripts: Readonly<Record<string, string>> };
  for (const proof of ["simulate", "soak", "mutate", "bench"]) {
    expect(scripts).toHaveProperty(proof);
    expect(readme).toContain(`\`${proof}\``);
  }
  expect(readme).toContain("`.ci/packed`");
});

/** Returns what the compiler prints. */
function compile(name: string, files: Readonly<Record<string, string>>): string {
  const root = join(folder, name);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  symlinkSync(join(REPOSITORY, "examples/node-steps/node_modules"), join(root, "node_modules"));
  const platform = join(REPOSITORY, "packages/orchestrator-cloudflare/src/deployment/cloudflare-workers.d.ts");
  const sources = Object.keys(files).filter((path) => path.endsWith(".ts"));
  expect(sources).not.toEqual([]);
  writeFileSync(
    join(root, "tsconfig.json"),
    JSON.stringify({ compilerOptions: OPTIONS, files: [...sources, platform] }),
  );
  return spawnSync(join(REPOSITORY, "node_modules/.bin/tsc"), ["-p", root], { encoding: "utf8" }).stdout;
}

test("the README of a package has at most 40 lines", () => {
  const long = readFiles("packages/*/README.md").filter(({ text }) => text.trimEnd().split("\n").length > 40);
  expect(long.map(({ path }) => path)).toEqual([]);
});

test("the README of an example shows how it is started, and what a kill does to it", () => {
  const wrong = readFiles("examples/*/README.md").filter(
    ({ text }) => !/npx -y pnpm/u.test(text) || !/\*\*(Now kill it|kills)/u.test(text),
  );
  expect(wrong.map(({ path }) => path)).toEqual([]);
});

test("the page for a Worker has the starter's bindings", () => {
  for (const path of [`${TEMPLATE}/wrangler.jsonc`, `${TEMPLATE}/wrangler.both.jsonc`]) {
    const shown = /^ *"durable_objects"[^]*?"migrations".*\n/mu.exec(read(path))?.[0];
    expect(shown).toContain("new_sqlite_classes");
    for (const page of ["docs/how-to/add-to-your-worker.md", "docs/tutorial/1-first-run.md"])
      expect(read(page)).toContain(shown);
  }
});

test("files, servers, restarts, answers and variants of a page are found", () => {
  const page = `## Other

## One
\`\`\`sh
cd a
npm run dev   # leave it running
\`\`\`
<details>
<summary>X</summary>

\`\`\`ts
// src/[x].ts
let a;
\`\`\`
</details>
<details open>
<summary>Y</summary>
</details>
\`\`\`sh
npm run dev   # again, after Ctrl-C
ask '# it'
\`\`\`
\`\`\`json
{}
\`\`\`
## Two
`;
  const shared = { answer: undefined };
  const first = [
    { kind: "run", command: "cd a", ...shared },
    { kind: "serve", command: "npm run dev", ...shared },
  ];
  const last = [
    { kind: "again", command: "npm run dev", ...shared },
    { kind: "run", command: "ask '# it'", answer: { language: "json", text: "{}" } },
  ];
  const file = { kind: "file", path: "src/[x].ts", text: "// src/[x].ts\nlet a;\n" };
  expect(readPaths(page, "One")).toEqual([
    { title: "One", variant: "X", acts: [...first, file, ...last] },
    { title: "One", variant: "Y", acts: [...first, ...last] },
  ]);
  expect(readPaths(page, "Two")).toEqual([{ title: "Two", variant: undefined, acts: [] }]);
  expect(() => readPaths(page, "Three")).toThrow('no section "Three"');
});
