/**
 * The programs "before" of docs/coming-from: what users of other products have now.
 *
 * Owns: where these programs are. A page has one in a block of the language `typescript`, which no other check reads, because it
 * imports packages that are not installed. The services that it calls are `src/shop.ts` of docs/coming-from.md.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { findBlocks } from "../pages/page.ts";
import { readFiles } from "../source-files.ts";

export interface Before {
  /** The page without its ending. */
  readonly name: string;
  readonly text: string;
}

/** Returns the program of each page. */
export function readBefore(): readonly Before[] {
  return readFiles("docs/coming-from/*.md").map(({ path, text }) => {
    const [program, ...more] = findBlocks(text).filter(({ language }) => language === "typescript");
    if (program === undefined || more.length > 0) throw new Error(`${path} has not one block "typescript".`);
    return { name: basename(path, ".md"), text: `${program.lines.join("\n")}\n` };
  });
}

/** Writes the programs and their services into a folder, and returns the paths of the programs. */
export function writeBefore(folder: string): readonly string[] {
  mkdirSync(folder, { recursive: true });
  const shop = findBlocks(readFiles("docs/coming-from.md")[0]?.text ?? "").find(({ title }) => title === "src/shop.ts");
  writeFileSync(join(folder, "shop.ts"), `${shop?.lines.join("\n")}\n`);
  return readBefore().map(({ name, text }) => {
    const path = join(folder, `${name}.ts`);
    writeFileSync(path, text);
    return path;
  });
}

/** The settings with which a user of these products compiles. */
export const SETTINGS = {
  target: "ES2024",
  module: "esnext",
  moduleResolution: "bundler",
  lib: ["ESNEXT", "DOM"],
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  noImplicitOverride: true,
  noImplicitReturns: true,
  noUnusedLocals: true,
  noUnusedParameters: true,
  verbatimModuleSyntax: true,
  allowImportingTsExtensions: true,
  skipLibCheck: true,
  noEmit: true,
};
