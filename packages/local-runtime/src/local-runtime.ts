/**
 * Runs the orchestrator Worker on a local workerd, with storage on disk.
 *
 * Owns: the bundling, the start and the kill. workerd is the runtime of Cloudflare Workers. miniflare starts it, and
 * restarts it on the same address with the same storage when it dies. The runtime's log is stored, not printed.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Miniflare, convertV4MiniflareOptions } from "miniflare";
import { unstable_getMiniflareWorkerOptions, unstable_readConfig } from "wrangler";
import { bundleWorker } from "@holdfast/cli/bundle";
import { killAndAwaitNext, watchWorkerd } from "./workerd-process.ts";

const APP = fileURLToPath(new URL("../../../apps/orchestrator-worker/", import.meta.url));
const LOG_LINES_MAX = 40;

export interface LocalRuntime {
  readonly url: string;
  /** The folder with the state. It is removed by `dispose`, and when this process exits. */
  readonly directory: string;
  /** The newest lines of the runtime's log. */
  readonly log: readonly string[];
  /** The process id of the current workerd; `undefined` while none runs. */
  pid(): number | undefined;
  /** Kills workerd with SIGKILL. Resolves when the next workerd answers. */
  kill(): Promise<void>;
  /** The names of the objects in a bound R2 bucket. */
  listBucket(binding: string): Promise<readonly string[]>;
  dispose(): Promise<void>;
}

/** `config`: the wrangler.jsonc of the Worker. Default: that of apps/orchestrator-worker. */
export async function startLocalRuntime(config: string = join(APP, "wrangler.jsonc")): Promise<LocalRuntime> {
  const worker = await describeWorker(config);
  const directory = mkdtempSync(join(tmpdir(), "holdfast-"));
  const log: string[] = [];
  const workerd = watchWorkerd();
  const runtime = new Miniflare(
    convertV4MiniflareOptions({
      cf: false,
      telemetry: { enabled: false },
      resourcePersistencePath: directory,
      handleStructuredLogs: ({ level, message }) => {
        // A local runtime has no authentication, on purpose.
        if (message.includes("AUTH is off")) return;
        log.push(`${level}: ${message}`);
        if (log.length > LOG_LINES_MAX) log.shift();
      },
      workers: [worker],
    }),
  );
  // This hook runs after miniflare's hook, which kills workerd. So the state is removed however this process ends.
  const removeState = (): void => rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
  process.on("exit", removeState);

  const url = (await runtime.ready).origin;
  return {
    url,
    directory,
    log,
    pid: () => workerd()?.pid,
    kill: () => killAndAwaitNext(workerd, url),
    listBucket: (binding) => namesIn(runtime, binding),
    async dispose() {
      await runtime.dispose();
      removeState();
      process.off("exit", removeState);
    },
  };
}

async function namesIn(runtime: Miniflare, binding: string): Promise<readonly string[]> {
  const { objects } = await (await runtime.getR2Bucket(binding)).list();
  return objects.map(({ key }) => key);
}

/** Returns the settings of wrangler.jsonc in miniflare's form, with the code as one module. */
async function describeWorker(file: string) {
  const config = unstable_readConfig({ config: file });
  // Module rules apply to Workers with several files; this one is bundled, and its bundle has the files of the dashboard.
  const {
    modulesRules: _rules,
    assets: _assets,
    ...workerOptions
  } = unstable_getMiniflareWorkerOptions(config).workerOptions;
  return {
    ...workerOptions,
    name: config.name ?? "holdfast",
    modules: true as const,
    script: await bundleWorker(config.main ?? join(APP, "src/worker.ts")),
    bindings: { ...(workerOptions.bindings as object), AUTH: "off" },
  };
}
