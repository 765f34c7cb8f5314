/**
 * The exports of a published entry with their comments, from the declarations that the compiler emits.
 *
 * Owns: the resolution of `export { … } from` to the declaration, also into the package of the contract.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isNode, parseSource } from "../../checks/syntax.ts";
import { REPOSITORY } from "../pages.ts";

export interface Declared {
  readonly name: string;
  /** The declaration, below its comment. */
  readonly text: string;
}

type Module = ReturnType<typeof parseSource> & { readonly path: string; readonly text: string };

const PROTOCOL = "packages/protocol/dist/index.d.ts";

/** Returns the exports of an emitted entry, sorted by name. `path`: relative to the root, such as `packages/x/dist/index.d.ts`. */
export function readExports(path: string): readonly Declared[] {
  const entries = parse(path).module.staticExports.flatMap((statement) => statement.entries);
  return entries
    .map(({ exportName }) => exportName.name ?? "default")
    .toSorted()
    .map((name) => ({ name, text: find(path, name) }));
}

/** Returns the declaration that a module exports under a name. */
function find(path: string, name: string): string {
  const module = parse(path);
  const exported = module.module.staticExports
    .flatMap(({ entries }) => entries)
    .find((one) => (one.exportName.name ?? "default") === name);
  const local = exported?.importName.name ?? exported?.localName.name ?? name;
  if (exported?.moduleRequest != null) return follow(path, exported.moduleRequest.value, local);
  const imported = module.module.staticImports.find(({ entries }) =>
    entries.some((one) => one.localName.value === local),
  );
  if (imported !== undefined) return follow(path, imported.moduleRequest.value, local);
  return declarationIn(module, local);
}

function follow(from: string, specifier: string, name: string): string {
  if (specifier === "@holdfast/protocol") return find(PROTOCOL, name);
  if (!specifier.startsWith(".")) return `export { ${name} } from "${specifier}";`;
  return find(join(from, "..", specifier.replace(/\.[jt]s$/u, ".d.ts")), name);
}

function declarationIn({ path, text, nodes, comments }: Module, name: string): string {
  const found = nodes.filter(
    ({ type, id, declarations }) =>
      (/Declaration$|^TSDeclareFunction$/u.test(type) && isNode(id) && id["name"] === name) ||
      (type === "VariableDeclaration" &&
        (declarations as readonly { readonly id: { readonly name?: string } }[]).some((one) => one.id.name === name)),
  );
  if (found.length === 0) throw new Error(`${path} does not declare ${name}.`);
  return found
    .map(({ start, end }) => {
      const before = comments.findLast(
        (one) => one.end <= start && /^\s*(export\s+)?$/u.test(text.slice(one.end, start)),
      );
      const comment = before === undefined ? "" : `${text.slice(before.start, before.end)}\n`;
      return `${comment}${text.slice(start, end).replace(/^declare /u, "")}`;
    })
    .join("\n");
}

const parsed = new Map<string, Module>();

function parse(path: string): Module {
  const known = parsed.get(path);
  if (known !== undefined) return known;
  const text = readFileSync(join(REPOSITORY, path), "utf8");
  const module = { ...parseSource({ path, text }), path, text };
  parsed.set(path, module);
  return module;
}
