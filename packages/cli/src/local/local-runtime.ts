/**
 * The orchestrator Worker on a local workerd, with storage on disk.
 *
 * Owns: bundling, starting, killing. workerd is the runtime of Cloudflare Workers; miniflare starts it, and starts it
 * again on the same address with the same storage whenever it dies. What the runtime logs is kept, not printed.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Miniflare, convertV4MiniflareOptions } from "miniflare";
import { unstable_getMiniflareWorkerOptions, unstable_readConfig } from "wrangler";
import { bundleWorker } from "./bundle.ts";
import { killAndAwaitNext, watchWorkerd } from "./workerd-process.ts";

const APP = fileURLToPath(new URL("../../../../apps/orchestrator-worker/", import.meta.url));
const LOG_LINES_MAX = 40;

export interface LocalRuntime {
  readonly url: string;
  /** Where the state is. Removed by `dispose`, and when this process exits. */
  readonly directory: string;
  /** The newest lines that the runtime logged. */
  readonly log: readonly string[];
  /** Of the workerd that runs now; undefined while there is none. */
  pid(): number | undefined;
  /** kill -9. Resolves when a new workerd answers. */
  kill(): Promise<void>;
  dispose(): Promise<void>;
}

export async function startLocalRuntime(): Promise<LocalRuntime> {
  const worker = await describeWorker();
  const directory = mkdtempSync(join(tmpdir(), "holdfast-"));
  const log: string[] = [];
  const workerd = watchWorkerd();
  const runtime = new Miniflare(
    convertV4MiniflareOptions({
      cf: false,
      telemetry: { enabled: false },
      resourcePersistencePath: directory,
      handleStructuredLogs: ({ level, message }) => {
        // That is as it should be here.
        if (message.includes("AUTH is off")) return;
        log.push(`${level}: ${message}`);
        if (log.length > LOG_LINES_MAX) log.shift();
      },
      workers: [worker],
    }),
  );
  // After miniflare's own hook, which kills workerd: whatever ends this process, nothing stays behind.
  const removeState = (): void => rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
  process.on("exit", removeState);

  const url = (await runtime.ready).origin;
  return {
    url,
    directory,
    log,
    pid: () => workerd()?.pid,
    kill: () => killAndAwaitNext(workerd, url),
    async dispose() {
      await runtime.dispose();
      removeState();
      process.off("exit", removeState);
    },
  };
}

/** What wrangler.jsonc says, as miniflare wants it, with the code in one file. */
async function describeWorker() {
  const config = unstable_readConfig({ config: join(APP, "wrangler.jsonc") });
  // The rules are for a Worker of many files; this one is bundled.
  const { modulesRules: _rules, ...workerOptions } = unstable_getMiniflareWorkerOptions(config).workerOptions;
  return {
    ...workerOptions,
    name: config.name ?? "holdfast",
    modules: true as const,
    script: await bundleWorker(config.main ?? join(APP, "src/worker.ts")),
    bindings: { ...(workerOptions.bindings as object), AUTH: "off" },
  };
}
