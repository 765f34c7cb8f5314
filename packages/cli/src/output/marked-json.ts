/**
 * JSON with remarks at the places that they are about.
 *
 * Owns: which line a place is on. A remark about a part that is not there, such as a missing field, is below the nearest
 * part that contains it.
 */
import { Text, safe, safeJson } from "./safe-text.ts";

export interface Remark {
  /** A JSON pointer; `""`: the whole value. */
  readonly path: string;
  readonly message: string;
}

interface Line {
  readonly text: string;
  /** The column of the value. */
  readonly at: number;
  /** The pointer of the value that begins here; `undefined`: it ends here. */
  readonly pointer: string | undefined;
}

/** Lines around a remark that are shown of a long value. */
const CONTEXT_LINES = 3;

/** Returns the lines of the value, with a line for each remark below the beginning of its part. */
export function markedJson(value: unknown, remarks: readonly Remark[]): readonly Text[] {
  const lines = linesOf(value, "", "", 0);
  const known = new Set(lines.map(({ pointer }) => pointer));
  const placed = remarks.map((remark) => ({ ...remark, at: nearest(remark.path, known) }));
  const marked = lines.map(({ pointer }) => placed.filter(({ at }) => at === pointer));
  const isNear = (index: number): boolean =>
    marked.slice(Math.max(0, index - CONTEXT_LINES), index + CONTEXT_LINES + 1).some(({ length }) => length > 0);
  return lines.flatMap(({ text, at }, index) => {
    if (!isNear(index)) return index > 0 && isNear(index - 1) ? [safe`…`] : [];
    const indent = new Text(" ".repeat(at));
    return [
      safe`${text}`,
      ...(marked[index] ?? []).map(({ path, message, at: found }) => {
        const missing = found === path ? "" : `${path}: `;
        return safe`${indent}^ ${missing}${message}`;
      }),
    ];
  });
}

/** Returns the pointer of the innermost part that exists. */
function nearest(path: string, known: ReadonlySet<string | undefined>): string {
  let at = path;
  while (at !== "" && !known.has(at)) at = at.slice(0, Math.max(0, at.lastIndexOf("/")));
  return at;
}

function linesOf(value: unknown, pointer: string, label: string, depth: number): readonly Line[] {
  const indent = " ".repeat(depth * 2);
  const line = (text: string): Line => ({ text: indent + label + text, at: indent.length + label.length, pointer });
  const isList = Array.isArray(value);
  if (!isList && (typeof value !== "object" || value === null)) return [line(safeJson(value))];
  const parts: readonly (readonly [string, unknown])[] = Object.entries(value);
  const [begin, end] = isList ? "[]" : "{}";
  if (parts.length === 0) return [line(`${begin}${end}`)];
  const inner = parts.flatMap(([name, part], index) => {
    const shown = linesOf(part, `${pointer}/${escaped(name)}`, isList ? "" : `${safeJson(name)}: `, depth + 1);
    return index === parts.length - 1 ? shown : withComma(shown);
  });
  return [line(begin ?? ""), ...inner, { text: `${indent}${end}`, at: indent.length, pointer: undefined }];
}

function withComma(lines: readonly Line[]): readonly Line[] {
  return lines.map((line, index) => (index === lines.length - 1 ? { ...line, text: `${line.text},` } : line));
}

function escaped(name: string): string {
  return name.replaceAll("~", "~0").replaceAll("/", "~1");
}
