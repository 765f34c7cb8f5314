/**
 * Bundles a Worker into one module, as wrangler does for a deployment.
 *
 * Owns: the text, and the file, of a bundle that is made once.
 */
import { build } from "esbuild";
import { WORKER } from "./worker-options.ts";

/** Returns the text of the module. */
export async function bundleWorker(entry: string): Promise<string> {
  const { outputFiles } = await build({ ...WORKER, entryPoints: [entry], write: false, logLevel: "silent" });
  return outputFiles?.[0]?.text ?? "";
}

/** Writes the module to `file`, and warnings to the terminal. */
export async function bundleWorkerTo(file: string, entry: string): Promise<void> {
  await build({ ...WORKER, entryPoints: [entry], outfile: file, logLevel: "warning" });
}
