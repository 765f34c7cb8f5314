/**
 * The pages of docs/ that are generated, as they are formatted.
 *
 * Owns: their list. `pnpm docs:generate` writes them, and a test compares them.
 */
import { format } from "oxfmt";
import { writeErrorPages } from "./errors.ts";
import { writePackagesPage } from "./packages.ts";
import { writeTypePages } from "./types.ts";

/** Returns the text of each page by its path in docs/. */
export async function writtenPages(): Promise<ReadonlyMap<string, string>> {
  const written = [...writeErrorPages(), ...writeTypePages(), ["reference/packages.md", writePackagesPage()] as const];
  return new Map(await Promise.all(written.map(async ([path, text]) => [path, await tidy(path, text)] as const)));
}

async function tidy(path: string, text: string): Promise<string> {
  const { code, errors } = await format(path, text, { printWidth: 120 });
  if (errors.length > 0) throw new Error(`${path}: ${errors.map(({ message }) => message).join("\n")}`);
  return code;
}
