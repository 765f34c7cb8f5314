/** Builds the site into `.vitepress/dist`, or into the folder that the first argument names. Needs no network. */
import { resolve } from "node:path";
import { build } from "vitepress";

const [outDir] = process.argv.slice(2);
await build(import.meta.dirname, outDir === undefined ? {} : { outDir: resolve(outDir) });
