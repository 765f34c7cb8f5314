/**
 * The orchestrator Worker on a local workerd, with storage on disk.
 *
 * Owns: bundling, starting, killing. workerd is the runtime of Cloudflare Workers; miniflare starts it, and starts it
 * again on the same address with the same storage whenever it dies. What the runtime logs is kept, not printed.
 */
import type { ChildProcess } from "node:child_process";
import diagnostics from "node:diagnostics_channel";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { Miniflare, convertV4MiniflareOptions } from "miniflare";
import { unstable_getMiniflareWorkerOptions, unstable_readConfig } from "wrangler";
import { until } from "./until.ts";

const APP = fileURLToPath(new URL("../apps/orchestrator-worker/", import.meta.url));
const RESTART_MS_MAX = 20_000;
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
  const bundle = await build({
    entryPoints: [config.main ?? join(APP, "src/worker.ts")],
    bundle: true,
    write: false,
    format: "esm",
    target: "es2024",
    conditions: ["workerd", "worker", "browser"],
    external: ["cloudflare:*", "node:*"],
    logLevel: "silent",
  });
  return {
    ...workerOptions,
    name: config.name ?? "holdfast",
    modules: true as const,
    script: bundle.outputFiles[0]?.text ?? "",
    bindings: { ...(workerOptions.bindings as object), AUTH: "off" },
  };
}

export type CurrentWorkerd = () => ChildProcess | undefined;

/** Notes each workerd that this process starts from now on. */
export function watchWorkerd(): CurrentWorkerd {
  let newest: ChildProcess | undefined;
  diagnostics.subscribe("child_process", (message) => {
    const { process: child } = message as { process: ChildProcess };
    // What it executes is known only once it was spawned.
    child.once("spawn", () => {
      if (basename(child.spawnfile).startsWith("workerd")) newest = child;
    });
  });
  return () => (newest !== undefined && isAlive(newest) ? newest : undefined);
}

function isAlive(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null;
}

export async function killAndAwaitNext(workerd: CurrentWorkerd, url: string): Promise<void> {
  const victim = workerd();
  if (victim === undefined) throw new Error("There is no workerd to kill.");
  const gone = once(victim, "exit");
  victim.kill("SIGKILL");
  await gone;
  await until("a new workerd answers", RESTART_MS_MAX, async () => {
    if (workerd() === undefined) return false;
    const response = await fetch(`${url}/healthz`).catch(() => undefined);
    await response?.body?.cancel();
    return response?.ok ?? false;
  });
}
