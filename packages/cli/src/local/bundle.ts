/**
 * Bundles a Worker into one module, as wrangler does for a deployment.
 *
 * Owns: the esbuild options for workerd. `cloudflare:*` and `node:*` stay imports: the runtime provides them.
 */
import { type BuildOptions, build } from "esbuild";

const WORKER: BuildOptions = {
  bundle: true,
  format: "esm",
  target: "es2024",
  conditions: ["workerd", "worker", "browser"],
  external: ["cloudflare:*", "node:*"],
};

/** Returns the text of the module. */
export async function bundleWorker(entry: string): Promise<string> {
  const { outputFiles } = await build({ ...WORKER, entryPoints: [entry], write: false, logLevel: "silent" });
  return outputFiles?.[0]?.text ?? "";
}

/** Writes the module to `file`, and warnings to the terminal. */
export async function bundleWorkerTo(file: string, entry: string): Promise<void> {
  await build({ ...WORKER, entryPoints: [entry], outfile: file, logLevel: "warning" });
}
