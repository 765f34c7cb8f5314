/**
 * The platform under measurement: one workerd with the measured Worker, its sibling and the peer's engine, storage on
 * disk, and one Node process.
 *
 * Owns: the start and the end of both, requests to the Worker with a time limit, and the memory of workerd as the operating
 * system reports it.
 */
import { type ChildProcess, fork } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundleWorker } from "@holdfast/cli/bundle";
import { watchWorkerd } from "@holdfast/local-runtime/workerd-process";
import { Miniflare, convertV4MiniflareOptions } from "miniflare";

const REQUEST_MS_MAX = 60_000;
const COMPATIBILITY = { compatibilityDate: "2026-10-01", compatibilityFlags: ["nodejs_compat"] };

/** One for all platforms: each watcher listens to every process. */
const workerd = watchWorkerd();

export interface BenchPlatform {
  readonly directory: string;
  /** Sends a request. Rejects if the answer is not a success or takes longer than 60 s. */
  ask<T>(path: string, init?: { readonly json?: unknown; readonly wait?: number }): Promise<T>;
  /** Drops the run's object from memory. */
  evict(id: string): Promise<void>;
  /** Resident memory of workerd, bytes. */
  memory(): number;
  inspector(): Promise<URL>;
  /** `keep`: the stored objects stay, for another platform. */
  dispose(options?: { readonly keep?: boolean }): Promise<void>;
}

export interface PlatformOptions {
  readonly inspectorPort?: number;
  /** Where an earlier platform stored its objects. Default: a new directory. */
  readonly directory?: string;
  /** The limit of the heap of each isolate, MiB. If more is live, the process ends. Default: the limit of V8. */
  readonly heapMiB?: number;
}

export async function startPlatform({
  inspectorPort,
  directory = mkdtempSync(join(tmpdir(), "holdfast-bench-")),
  heapMiB,
}: PlatformOptions = {}): Promise<BenchPlatform> {
  // Miniflare reads the flags of V8 from the environment only.
  process.env["MINIFLARE_WORKERD_V8_FLAGS"] = heapMiB === undefined ? "" : `--max-heap-size=${heapMiB}`;
  const key = randomBytes(16).toString("hex");
  const { node, port } = await startNode(key);
  const runtime = new Miniflare(await describe(directory, key, port, inspectorPort));
  const removeState = (): void => {
    node.kill("SIGKILL");
    rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
  };
  process.on("exit", removeState);
  const url = (await runtime.ready).origin;
  return {
    directory,
    async ask(path, init) {
      const response = await send(url + path, init);
      const text = await response.text();
      if (!response.ok) throw new Error(`${path} answered ${response.status}: ${text.slice(0, 300)}`);
      return JSON.parse(text);
    },
    async evict(id) {
      const response = await send(`${url}/bench/evict?id=${id}`);
      await response.text();
      if (response.ok) throw new Error("the object answered, so it was not dropped from memory");
    },
    memory: () => residentBytes(workerd()?.pid),
    inspector: () => runtime.getInspectorURL(),
    async dispose({ keep = false } = {}) {
      await runtime.dispose();
      if (keep) node.kill("SIGKILL");
      else removeState();
      process.off("exit", removeState);
    },
  };
}

async function send(url: string, { json, wait }: { json?: unknown; wait?: number } = {}): Promise<Response> {
  const headers = { "Content-Type": "application/json", ...(wait === undefined ? {} : { Prefer: `wait=${wait}` }) };
  const body = json === undefined ? {} : { method: "POST", body: JSON.stringify(json) };
  return fetch(url, { ...body, headers, signal: AbortSignal.timeout(REQUEST_MS_MAX) });
}

async function startNode(key: string): Promise<{ readonly node: ChildProcess; readonly port: number }> {
  const node = fork(join(import.meta.dirname, "node-side.ts"), [key], {
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const [message] = (await once(node, "message", { signal: AbortSignal.timeout(REQUEST_MS_MAX) })) as [
    { port: number },
  ];
  return { node, port: message.port };
}

async function describe(directory: string, key: string, port: number, inspectorPort: number | undefined) {
  const [main, sibling] = await Promise.all([
    bundleWorker(join(import.meta.dirname, "workers/main.ts")),
    bundleWorker(join(import.meta.dirname, "workers/sibling.ts")),
  ]);
  return convertV4MiniflareOptions({
    cf: false,
    telemetry: { enabled: false },
    resourcePersistencePath: directory,
    // Objects that are dropped on purpose write log lines.
    handleStructuredLogs: () => {},
    ...(inspectorPort === undefined ? {} : { inspectorPort }),
    workers: [measuredWorker(main, key, port), { ...COMPATIBILITY, name: "sibling", modules: true, script: sibling }],
  });
}

function measuredWorker(script: string, key: string, port: number) {
  return {
    ...COMPATIBILITY,
    name: "bench",
    modules: true as const,
    script,
    bindings: {
      STEP_HANDLER_URL: `http://127.0.0.1:${port}/holdfast`,
      STEP_HANDLER_FLOOR: `http://127.0.0.1:${port}/floor`,
      STEP_HANDLER_KEY: key,
    },
    serviceBindings: {
      SIBLING: "sibling",
      SIBLING_RPC: { name: "sibling", entrypoint: "Workflows" },
      SIBLING_FLOOR: { name: "sibling", entrypoint: "Floor" },
    },
    durableObjects: {
      WORKFLOW_RUN_DO: { className: "WorkflowRunDO", useSQLite: true },
      FLOOR: { className: "FloorDO", useSQLite: true },
    },
    workflows: { PEER: { name: "peer", className: "Peer" } },
  };
}

/** Reads the resident memory from /proc, bytes. NaN on systems without /proc. */
function residentBytes(pid: number | undefined): number {
  try {
    const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return Number(kilobytes) * 1_024;
  } catch {
    return Number.NaN;
  }
}
