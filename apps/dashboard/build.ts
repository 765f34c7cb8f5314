/**
 * `pnpm --filter @holdfast/dashboard build`: bundles the pages to static files in `dist`.
 *
 * Owns: the names and the headers of the files. The names of code and styles contain a hash of their content, so that they
 * may be cached forever. `dist` is what the assets of a Worker hold: files below `/ui`, and the two files that give
 * Cloudflare their headers and the paths of pages. Nothing in index.html is inline, as the policy in it demands.
 */
import { existsSync, globSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { build } from "esbuild";
import { ASSET_CACHE, PAGE_CACHE, SECURITY_HEADERS } from "./headers.ts";
import { moduleText } from "./module.ts";

const HERE = import.meta.dirname;
const DIST: string = join(HERE, "dist");

/** The files of the dashboard by their path below the origin. */
export type DashboardFiles = Readonly<Record<string, Uint8Array>>;

/** Returns the files without writing them. */
export async function bundleDashboard(): Promise<DashboardFiles> {
  const { outputFiles } = await build({
    entryPoints: { app: join(HERE, "src/main.tsx"), style: join(HERE, "src/style.css") },
    outdir: "/ui/assets",
    entryNames: "[name]-[hash]",
    chunkNames: "part-[hash]",
    bundle: true,
    splitting: true,
    format: "esm",
    target: ["es2023", "chrome120", "firefox121", "safari17.4"],
    jsx: "automatic",
    jsxImportSource: "preact",
    minify: true,
    legalComments: "none",
    write: false,
    logLevel: "warning",
    absWorkingDir: HERE,
    define: { "process.env.NODE_ENV": '"production"' },
  });
  const files = Object.fromEntries(outputFiles.map(({ path, contents }) => [`/ui/assets/${basename(path)}`, contents]));
  const named = (begin: string): string =>
    Object.keys(files).find((path) => path.startsWith(`/ui/assets/${begin}-`)) ?? "";
  return { "/ui/index.html": new TextEncoder().encode(pageText(named("app"), named("style"))), ...files };
}

/** Addresses of pages. All of them are index.html, which shows the page of the address. `:name` stands for one segment. */
export const PAGES: readonly string[] = [
  "/ui/",
  "/ui/runs",
  "/ui/runs/:id",
  "/ui/approvals",
  "/ui/limits",
  "/ui/limits/:id",
  "/ui/limits/:id/:key",
  "/ui/schedules",
  "/ui/schedules/:id",
  "/ui/events",
  "/ui/events/:id",
  "/ui/topics/:id/:key",
  "/ui/workflows",
  "/ui/start",
  "/ui/compare",
  "/ui/open",
];

/** The folders of `@holdfast/orchestrator-cloudflare` that hold the files as a module. */
const MODULE_FOLDERS = ["src", "dist"].map((folder) =>
  join(HERE, "../../packages/orchestrator-cloudflare", folder, "dashboard"),
);

/** Writes `dist` and the module, and returns the files. Each file is replaced at once: several builds may run. */
export async function buildDashboard(): Promise<DashboardFiles> {
  const files = await bundleDashboard();
  const all = { ...files, "/_headers": headersText(), "/_redirects": redirectsText() };
  for (const [path, content] of Object.entries(all)) write(join(DIST, path), content);
  for (const file of globSync("ui/assets/*", { cwd: DIST }))
    if (!Object.hasOwn(files, `/${file}`) && !UNFINISHED.test(file)) rmSync(join(DIST, file), { force: true });
  const text = moduleText(files, PAGES);
  for (const folder of MODULE_FOLDERS) if (existsSync(folder)) write(join(folder, "files.js"), text);
  return files;
}

/** What another build writes at this moment. */
const UNFINISHED = /\.\d+$/;

function write(file: string, content: string | Uint8Array): void {
  mkdirSync(dirname(file), { recursive: true });
  const unfinished = `${file}.${process.pid}`;
  writeFileSync(unfinished, content);
  renameSync(unfinished, file);
}

function pageText(script: string, style: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>Holdfast</title>
<link rel="icon" href="data:image/svg+xml,${encodeURIComponent(ICON)}">
<link rel="stylesheet" href="${style}">
<script type="module" src="${script}"></script>
</head>
<body><div id="app"></div><noscript>This page needs JavaScript. The same data is at /api/runs.</noscript></body>
</html>
`;
}

const ICON =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect width="16" height="16" rx="4" fill="#0b6e69"/><path d="M5 3.5v9M11 3.5v9M5 8h6" stroke="#fff" stroke-width="2" stroke-linecap="round"/></svg>';

/** Cloudflare answers the addresses of pages with index.html. The Worker answers what has no file and is no page. */
function redirectsText(): string {
  const pages = PAGES.filter((path) => path !== "/ui/").map((path) => `${path} /ui/ 200\n`);
  return ["/ui /ui/ 308\n", ...pages].join("");
}

function headersText(): string {
  const headers: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
    ["/ui/*", SECURITY_HEADERS],
    ["/ui/assets/*", { "Cache-Control": ASSET_CACHE }],
    ["/ui/", { "Cache-Control": PAGE_CACHE }],
  ];
  return headers.map(([path, values]) => `${path}\n${lines(values)}`).join("\n");
}

function lines(headers: Readonly<Record<string, string>>): string {
  return Object.entries(headers)
    .map(([name, value]) => `  ${name}: ${value}\n`)
    .join("");
}

if (import.meta.main) {
  const files = await buildDashboard();
  console.log(`Built ${Object.keys(files).length} files in ${DIST}`);
}
