/**
 * The allowed imports between packages, and the order of the folders inside a package. Every import in `src` and every
 * dependency in package.json is checked against this table.
 *
 * Owns: the table. Tests (`test`, `test-workers`) may import any package of the workspace, but their relative imports must
 * stay in the package too. `checks`, `demo`, `deploy` and `benchmarks` may import everything, and must not be imported.
 */
import { posix } from "node:path";
import type { PackageManifest, SourceFile } from "./source-files.ts";
import { parseSource } from "./syntax.ts";

interface Layer {
  /** A folder, or all folders inside one (`examples/*`). */
  readonly folder: string;
  /** Packages that the folder may import and depend on. */
  readonly may: readonly string[];
  /** Packages that only a subfolder may import, by subfolder. The package may depend on them. */
  readonly inside?: Readonly<Record<string, readonly string[]>>;
  /** `true`: every external package is allowed too. */
  readonly anyOutside?: boolean;
  /**
   * The order of places, lowest first. A file may import from its own place and from lower places. Places in one row are
   * neighbours, which must not import each other. The place of a file is the first whose pattern matches.
   */
  readonly order?: readonly (readonly string[])[];
}

const LAYERS: readonly Layer[] = [
  { folder: "packages/protocol", may: ["devalue"], order: [["*.ts"], ["messages/**"], ["transport/**"]] },
  {
    folder: "packages/orchestrator",
    may: ["@holdfast/protocol", "@noble/hashes"],
    inside: { "packages/orchestrator/src/schedule/times": ["croner"] },
    order: [
      ["json-schema/**"],
      ["where/**"],
      ["host/**"],
      ["gate/**", "topic/**"],
      ["flow/**"],
      ["run/state/**"],
      ["run/draft/**"],
      ["run/{*.ts,why/**}"],
      ["run/host/**"],
      ["schedule/**", "event/**", "window/**"],
      ["index.ts"],
    ],
  },
  {
    folder: "packages/workflows",
    may: ["@holdfast/protocol", "@noble/ciphers", "@standard-schema/spec", "eventsource-parser"],
    inside: { "packages/workflows/src/testing": ["@holdfast/orchestrator"], "packages/workflows/src/node": ["ws"] },
    order: [
      ["{errors,platform-check,step-context}.ts"],
      ["replay/**"],
      ["authoring/**"],
      ["client/**", "handler/**"],
      ["testing/**"],
      ["{bun,deno,node}/**"],
      ["index.ts"],
    ],
  },
  {
    folder: "packages/orchestrator-cloudflare",
    may: ["@holdfast/protocol", "@holdfast/orchestrator", "jose", "ulid", "valibot"],
    inside: { "packages/orchestrator-cloudflare/src/deployment": ["cloudflare:workers"] },
    order: [
      ["answer.ts"],
      ["platform-types.ts", "refusal.ts", "rest.ts", "token-urls.ts", "dashboard/**"],
      ["options.ts", "request-body.ts"],
      ["auth/**", "dispatch/**", "feed/**", "index-object/**", "telemetry/**"],
      ["run-object/**"],
      ["coordinator/**"],
      ["api/answers/**", "api/openapi-text.ts"],
      ["api/call/**"],
      ["api/routes/**"],
      ["api/*.ts"],
      ["worker.ts"],
      ["deployment/**"],
      ["index.ts"],
    ],
  },
  {
    folder: "packages/cli",
    may: ["node:*", "@bomb.sh/tab", "@clack/prompts", "@holdfast/workflows", "commander"],
    // `holdfast dev` bundles and starts a Worker. It loads both tools when it runs.
    inside: {
      "packages/cli/src/local": ["@holdfast/orchestrator-cloudflare", "esbuild", "workerd"],
      "packages/cli/src/dev": ["@holdfast/orchestrator-cloudflare", "esbuild", "workerd"],
    },
    order: [
      [
        "local/**",
        "make-folder.ts",
        "version.ts",
        "output/{safe-text,width,colours,times,table}.ts",
        "select/json-error.ts",
      ],
      ["exit.ts"],
      ["io.ts"],
      ["output/**"],
      ["globals.ts", "connect/**", "select/**"],
      ["session.ts"],
      ["verb.ts"],
      ["show-run.ts", "act/**", "tail/**", "doctor/**"],
      ["collected.ts"],
      ["verbs/**", "dev/**"],
      ["verbs.ts"],
      ["command.ts"],
      ["main.ts"],
      ["bin.ts"],
    ],
  },
  // A starter. What its template imports is installed in the project that it writes.
  { folder: "packages/create-holdfast", may: ["node:*", "@clack/prompts"] },
  // Not published: it may start miniflare, which restarts a workerd that was killed.
  { folder: "packages/local-runtime", may: ["node:*", "@holdfast/cli", "miniflare", "wrangler"] },
  // This package may import everything. No published package may import it.
  {
    folder: "packages/proof",
    may: ["@holdfast/*", "cloudflare:workers"],
    anyOutside: true,
    order: [
      ["catalogue/**", "fuzz/**", "simulator/**"],
      ["conformance/**", "contracts/**", "crash/**", "soak/**", "stored-runs/**"],
      ["index.ts"],
    ],
  },
  { folder: "examples/*", may: ["@holdfast/workflows", "@holdfast/orchestrator-cloudflare"], anyOutside: true },
  // The pages: the client of the API, and nothing else of ours.
  { folder: "apps/dashboard", may: ["@holdfast/workflows", "@preact/signals", "preact"] },
  {
    folder: "apps/orchestrator-worker",
    may: ["@holdfast/orchestrator-cloudflare", "@holdfast/example-*"],
  },
];

interface Import {
  readonly specifier: string;
  readonly line: number;
}

/** Returns a message for each import of a file that is not allowed. */
export function checkImports(file: SourceFile): readonly string[] {
  const folder = file.path.split("/").slice(0, 2).join("/");
  const isSource = file.path.startsWith(`${folder}/src/`);
  return findImports(file).flatMap(({ specifier, line }) => {
    const where = `${file.path}:${line} imports "${specifier}"`;
    if (!specifier.startsWith(".")) return isSource ? checkUse(folder, packageOf(specifier), where, file.path) : [];
    const target = posix.join(posix.dirname(file.path), specifier);
    if (target.startsWith(`${folder}/`)) return isSource ? checkOrder(folder, file.path, target, where) : [];
    return [`${where}, which leaves ${folder}. Import the package by its name instead.`];
  });
}

/** Returns a message for each dependency of a package that is not allowed. Development dependencies are not checked. */
export function checkDependencies(folder: string, manifest: PackageManifest): readonly string[] {
  const { dependencies, optionalDependencies, peerDependencies } = manifest;
  const names = Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies });
  return names.flatMap((name) => checkUse(folder, name, `${folder}/package.json depends on "${name}"`));
}

/** Returns every specifier of `import … from`, `export … from`, `import "…"` and `import("…")`, including type imports. */
export function findImports(file: SourceFile): readonly Import[] {
  const { nodes, lineAt } = parseSource(file);
  return nodes.flatMap(({ type, source, start }) => {
    if (!/^(?:Import|Export\w+Declaration|ImportDeclaration|ImportExpression|TSImportType)/.test(type)) return [];
    const { value } = (source ?? {}) as { readonly value?: unknown };
    return typeof value === "string" ? [{ specifier: value, line: lineAt(start) }] : [];
  });
}

function checkUse(folder: string, name: string, where: string, path?: string): readonly string[] {
  const layer = layerOf(folder);
  if (layer === undefined) return [`${where}, but ${folder} has no row in the table of checks/layers.ts. Add one.`];
  if (layer.may.some((allowed) => posix.matchesGlob(name, allowed))) return [];
  const inside = Object.entries(layer.inside ?? {}).filter(
    ([part]) => path === undefined || path.startsWith(`${part}/`),
  );
  if (inside.some(([, may]) => may.includes(name))) return [];
  if (layer.anyOutside === true && !name.startsWith("@holdfast/")) return [];
  const outside = layer.anyOutside === true ? ", and external packages" : "";
  return [`${where}. ${folder} may use: ${layer.may.join(", ")}${outside} (checks/layers.ts).`];
}

function checkOrder(folder: string, path: string, target: string, where: string): readonly string[] {
  const order = layerOf(folder)?.order;
  if (order === undefined) return [];
  const [from, to] = [placeOf(order, folder, path), placeOf(order, folder, target)];
  if (from === undefined || to === undefined)
    return [`${where}, but one of the two files has no place in the order of checks/layers.ts. Add it.`];
  if (to.height < from.height || to.pattern === from.pattern) return [];
  const what = to.height > from.height ? `above ${from.pattern}` : `beside ${from.pattern}`;
  return [`${where}: ${to.pattern} is ${what} in the order of checks/layers.ts.`];
}

function placeOf(order: readonly (readonly string[])[], folder: string, path: string) {
  const inSource = path.slice(`${folder}/src/`.length);
  const places = order.flatMap((patterns, height) => patterns.map((pattern) => ({ pattern, height })));
  return places.find(({ pattern }) => posix.matchesGlob(inSource, pattern));
}

function layerOf(folder: string): Layer | undefined {
  return LAYERS.find((one) => one.folder === folder || one.folder === `${posix.dirname(folder)}/*`);
}

function packageOf(specifier: string): string {
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}
