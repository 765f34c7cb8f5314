/**
 * The names that an entry file exports, types included.
 *
 * Owns: the reading of `export { … }` and of exported declarations. `export *` is an error: exports are listed by hand.
 */
import type { SourceFile } from "./source-files.ts";
import { parseSource } from "./syntax.ts";

/** Returns the exported names, sorted. A type is returned as `type Name`. */
export function findExports(file: SourceFile): readonly string[] {
  const entries = parseSource(file).module.staticExports.flatMap((statement) => statement.entries);
  return entries
    .map(({ exportName: { name, start, end }, isType }) => {
      if (start !== null && file.text.slice(start, end ?? start) === "default") return "default";
      if (name === null) throw new Error("An entry lists its exports by hand: `export *` is not allowed.");
      return isType ? `type ${name}` : name;
    })
    .toSorted();
}
