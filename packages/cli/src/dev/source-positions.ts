/**
 * Positions in the user's files, in place of positions in the bundle.
 *
 * Owns: the forms in which stacks and workerd name a position of the bundle.
 */
import { readFileSync } from "node:fs";
import { SourceMap } from "node:module";
import { join } from "node:path";

const POSITION = /\bworker\.js:(\d+):(\d+)/g;

export type Locate = (text: string) => string;

/**
 * Returns a function that replaces the positions in a text, by a source map of the bundle. The map is read for the first
 * position: that takes longer than a start of workerd, and most code fails nowhere.
 */
export function locator(sourceMap: string): Locate {
  let map: SourceMap | undefined;
  return (text) =>
    text.replace(POSITION, (position, line: string, column: string) => {
      map ??= new SourceMap(JSON.parse(sourceMap) as ConstructorParameters<typeof SourceMap>[0]);
      const found = map.findEntry(Number(line) - 1, Number(column) - 1);
      if (!("originalSource" in found)) return position;
      return `${found.originalSource}:${found.originalLine + 1}:${found.originalColumn + 1}`;
    });
}

/** Removes the lines of a stack that are in packages or in this command's own code. */
export function ownFrames(text: string): string {
  return text
    .split("\n")
    .filter((line) => !/^\s+at .*(?:node_modules|holdfast-dev:|\/src\/dev\/worker\/)/.test(line))
    .join("\n");
}

/** Returns the line at the first position of a text in a file of the user, with a mark under the column. */
export function quoteSource(text: string, folder: string): string | undefined {
  for (const [, file = "", line, column] of text.matchAll(/([^\s()]+):(\d+):(\d+)/g)) {
    if (/node_modules|^worker\.js$/.test(file)) continue;
    const source = readLine(join(folder, file), Number(line));
    if (source === undefined) continue;
    const [gutter, at] = [`    ${line} │ `, Number(column) - 1];
    return `${gutter}${source}\n${" ".repeat(gutter.length - 2)}╵ ${source.slice(0, at).replaceAll(/\S/g, " ")}^`;
  }
  return undefined;
}

function readLine(file: string, line: number): string | undefined {
  try {
    return readFileSync(file, "utf8").split("\n")[line - 1];
  } catch {
    return undefined;
  }
}
