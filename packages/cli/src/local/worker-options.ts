/** The esbuild options for workerd. `cloudflare:*` and `node:*` stay imports: the runtime provides them. */
import type { BuildOptions } from "esbuild";

export const WORKER: BuildOptions = {
  bundle: true,
  format: "esm",
  target: "es2024",
  conditions: ["workerd", "worker", "browser"],
  external: ["cloudflare:*", "node:*"],
};
