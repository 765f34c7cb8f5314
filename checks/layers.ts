/**
 * Who may know whom: a table, held by imports in `src` and by dependencies in package.json.
 *
 * Owns: the table and its reading. Tests (`test`, `test-workers`) may import anything of the workspace; the rule that no
 * relative import leaves its package holds for them too. `checks`, `demo`, `deploy` and `benchmarks` may import
 * everything; nothing may import them.
 */
import { posix } from "node:path";
import type { PackageManifest, SourceFile } from "./source-files.ts";
import { blankText, lineAt } from "./source-text.ts";

interface Layer {
  /** A folder, or all folders inside one (`examples/*`). */
  readonly folder: string;
  /** Packages that it may import and depend on. */
  readonly may: readonly string[];
  /** What only a part of it may import, by the part's folder. The package may depend on it. */
  readonly inside?: Readonly<Record<string, readonly string[]>>;
  /** Set where every package that is not of this workspace is allowed as well. */
  readonly anyOutside?: boolean;
}

const LAYERS: readonly Layer[] = [
  { folder: "packages/protocol", may: ["devalue"] },
  { folder: "packages/orchestrator", may: ["@holdfast/protocol"] },
  {
    folder: "packages/workflows",
    may: ["@holdfast/protocol", "@standard-schema/spec", "eventsource-parser"],
    inside: { "packages/workflows/src/testing": ["@holdfast/orchestrator"] },
  },
  {
    folder: "packages/orchestrator-cloudflare",
    may: ["@holdfast/protocol", "@holdfast/orchestrator", "hono", "jose", "ulid", "valibot"],
    inside: { "packages/orchestrator-cloudflare/src/deployment": ["cloudflare:workers"] },
  },
  {
    folder: "packages/cli",
    may: ["node:*", "esbuild", "miniflare", "wrangler"],
  },
  // It may see everything; nothing that is published sees it.
  { folder: "packages/proof", may: ["@holdfast/*", "cloudflare:workers"], anyOutside: true },
  { folder: "examples/*", may: ["@holdfast/workflows", "@holdfast/orchestrator-cloudflare"], anyOutside: true },
  {
    folder: "apps/orchestrator-worker",
    may: ["@holdfast/orchestrator-cloudflare", "@holdfast/example-*"],
  },
];

interface Import {
  readonly specifier: string;
  readonly line: number;
}

/** What the imports of one file break, as messages. */
export function checkImports(file: SourceFile): readonly string[] {
  const folder = file.path.split("/").slice(0, 2).join("/");
  const isSource = file.path.startsWith(`${folder}/src/`);
  return findImports(file.text).flatMap(({ specifier, line }) => {
    const where = `${file.path}:${line} imports "${specifier}"`;
    if (!specifier.startsWith(".")) return isSource ? checkUse(folder, packageOf(specifier), where, file.path) : [];
    const target = posix.join(posix.dirname(file.path), specifier);
    if (target.startsWith(`${folder}/`)) return [];
    return [`${where}, which leaves ${folder}. Import the package by its name instead.`];
  });
}

/** What the dependencies of one package break, as messages. Development dependencies are for tests and are free. */
export function checkDependencies(folder: string, manifest: PackageManifest): readonly string[] {
  const { dependencies, optionalDependencies, peerDependencies } = manifest;
  const names = Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies });
  return names.flatMap((name) => checkUse(folder, name, `${folder}/package.json depends on "${name}"`));
}

/** Every specifier of `import … from`, `export … from`, `import "…"` and `import("…")`. */
export function findImports(source: string): readonly Import[] {
  const code = blankText(source);
  return [...code.matchAll(/(?:\bfrom\s*|\bimport\s*\(?\s*|\brequire\s*\(\s*)(["'`] *["'`])/dg)].map((match) => {
    const [start, end] = match.indices?.[1] ?? [match.index, match.index];
    return { specifier: source.slice(start + 1, end - 1), line: lineAt(code, start) };
  });
}

function checkUse(folder: string, name: string, where: string, path?: string): readonly string[] {
  const layer = LAYERS.find((one) => one.folder === folder || one.folder === `${posix.dirname(folder)}/*`);
  if (layer === undefined) return [`${where}, but ${folder} has no row in the table of checks/layers.ts. Add one.`];
  if (layer.may.some((allowed) => posix.matchesGlob(name, allowed))) return [];
  const inside = Object.entries(layer.inside ?? {}).filter(
    ([part]) => path === undefined || path.startsWith(`${part}/`),
  );
  if (inside.some(([, may]) => may.includes(name))) return [];
  if (layer.anyOutside === true && !name.startsWith("@holdfast/")) return [];
  const outside = layer.anyOutside === true ? ", and packages from outside" : "";
  return [`${where}. ${folder} may use: ${layer.may.join(", ")}${outside} (checks/layers.ts).`];
}

function packageOf(specifier: string): string {
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}
