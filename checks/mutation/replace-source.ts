/**
 * `node --import replace-source.ts`: loads one source file from another place.
 *
 * Owns: the environment variables. MUTATED_FILE is the path of the source file, MUTATED_TEXT that of its replacement.
 */
import { readFileSync } from "node:fs";
import { registerHooks } from "node:module";
import { pathToFileURL } from "node:url";

const { MUTATED_FILE = "", MUTATED_TEXT = "" } = process.env;
const url = pathToFileURL(MUTATED_FILE).href;

registerHooks({
  load: (loaded, context, next) =>
    loaded === url
      ? { format: "module-typescript", source: readFileSync(MUTATED_TEXT, "utf8"), shortCircuit: true }
      : next(loaded, context),
});
