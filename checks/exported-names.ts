/**
 * The names that an entry file exports, types included.
 *
 * Owns: reading `export { … }` and exported declarations. `export *` is refused: exports are listed by hand.
 */
import { blankText } from "./source-text.ts";

const DECLARATION =
  /\bexport\s+(?:declare\s+)?(?:abstract\s+)?(?:async\s+)?(const|let|var|function\*?|class|enum|type|interface)\s+([\w$]+)/g;

/** Sorted; a type stands as `type Name`. */
export function findExports(source: string): readonly string[] {
  const code = blankText(source);
  if (/\bexport\s*\*/.test(code)) throw new Error("An entry lists its exports by hand: `export *` is not allowed.");
  const names = [...code.matchAll(/\bexport\s+(type\s+)?\{([^}]*)\}/g)].flatMap(([, type = "", list = ""]) =>
    list
      .split(",")
      .map((item) => item.trim())
      .filter((item) => item !== "")
      .map((item) => exportedAs(item, type !== "")),
  );
  for (const [, kind, name] of code.matchAll(DECLARATION)) {
    names.push(kind === "type" || kind === "interface" ? `type ${name}` : `${name}`);
  }
  if (/\bexport\s+default\b/.test(code)) names.push("default");
  return names.toSorted();
}

function exportedAs(item: string, listIsOfTypes: boolean): string {
  const isType = listIsOfTypes || item.startsWith("type ");
  const name = item.replace(/^type\s+/, "").replace(/^.*\sas\s+/, "");
  return isType ? `type ${name}` : name;
}
