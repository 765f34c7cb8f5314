/**
 * The signatures of an entry's exports: the declarations that tsc emits, joined into one text.
 *
 * Owns: the resolution of `export { … } from` to the declaration. A type that is not exported appears only as a name in the
 * declarations that use it. Comments are dropped.
 */
import { readFileSync } from "node:fs";
import { posix } from "node:path";
import { type Syntax, type SyntaxNode, isNode, parseSource } from "./syntax.ts";

interface Declarations extends Syntax {
  readonly path: string;
  /** The source with blanks instead of comments. */
  readonly text: string;
}

/** Returns the declarations of one emitted entry (`dist/index.d.ts`), sorted by exported name. */
export function reportSignatures(path: string, read: (path: string) => string = readText): string {
  const entry = parseDeclarations(path, read);
  const exported = entry.module.staticExports.flatMap(({ entries }) => entries);
  const parts = exported.map(({ exportName, importName, localName, moduleRequest }) => {
    const name = exportName.name ?? "default";
    const [from, local] = [moduleRequest?.value, importName.name ?? localName.name ?? "default"];
    return [name, from === undefined ? declarationOf(entry, local, read) : follow(entry, from, local, read)] as const;
  });
  return parts
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, text]) => `// ${name}\n${text}\n`)
    .join("\n");
}

/** Returns the declaration that a relative module exports under a name. For another package, returns the export statement. */
function follow(from: Declarations, specifier: string, name: string, read: (path: string) => string): string {
  if (!specifier.startsWith(".")) return `export { ${name} } from "${specifier}";`;
  const path = posix.join(posix.dirname(from.path), specifier.replace(/\.[jt]s$/, ".d.ts"));
  const module = parseDeclarations(path, read);
  const reexported = module.module.staticExports
    .flatMap(({ entries }) => entries)
    .find(({ exportName, moduleRequest }) => exportName.name === name && moduleRequest !== null);
  if (reexported?.moduleRequest != null)
    return follow(module, reexported.moduleRequest.value, reexported.importName.name ?? name, read);
  return declarationOf(module, name, read);
}

function declarationOf(module: Declarations, name: string, read: (path: string) => string): string {
  const imported = module.module.staticImports.find(({ entries }) =>
    entries.some((one) => one.localName.value === name),
  );
  if (imported !== undefined) return follow(module, imported.moduleRequest.value, name, read);
  const found = module.nodes.filter((node) => node.type !== "VariableDeclarator" && declares(node, name));
  if (found.length === 0) throw new Error(`${module.path} does not declare ${name}.`);
  return found.map(({ start, end }) => module.text.slice(start, end).replaceAll(/\n\s*(?=\n)/g, "")).join("\n");
}

function declares({ type, id, declarations }: SyntaxNode, name: string): boolean {
  if (type === "VariableDeclaration") return (declarations as SyntaxNode[]).some((one) => declares(one, name));
  return (
    (/Declaration$|^TSDeclareFunction$/.test(type) && isNode(id) && id["name"] === name) ||
    (type === "VariableDeclarator" && isNode(id) && id["name"] === name)
  );
}

function parseDeclarations(path: string, read: (path: string) => string): Declarations {
  const source = read(path);
  const { comments } = parseSource({ path, text: source });
  const text = comments.reduce(
    (rest, { start, end }) => rest.slice(0, start) + rest.slice(start, end).replaceAll(/[^\n]/g, " ") + rest.slice(end),
    source,
  );
  return { ...parseSource({ path, text }), path, text };
}

function readText(path: string): string {
  return readFileSync(path, "utf8");
}
