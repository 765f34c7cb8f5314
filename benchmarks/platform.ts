/**
 * The platform under measurement: one plain workerd with the measured Worker and its sibling, storage on disk, and one Node
 * process with a step handler.
 *
 * Owns: the start, the kill and the end of both, requests to the Worker with a time limit, and the memory of workerd as the
 * operating system reports it. No development server is between the client and the Worker: it would add milliseconds.
 */
import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, readdirSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundleWorker } from "@holdfast/cli/bundle";
import { findFreePort } from "@holdfast/cli/free-port";
import { Processes } from "./processes.ts";
import { type Bindings, describeWorkerd } from "./workerd-config.ts";

const REQUEST_MS_MAX = 60_000;

// The processes and folders are removed when this process exits, also if it is interrupted.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));

export interface BenchPlatform {
  readonly directory: string;
  /** Sends a request. Rejects if the answer is not a success or takes longer than 60 s. */
  ask<T>(path: string, init?: { readonly json?: unknown; readonly wait?: number }): Promise<T>;
  /** Drops the run's object from memory. */
  evict(id: string): Promise<void>;
  /** Kills workerd and the Node process with SIGKILL, and starts both. Resolves when both serve. */
  restart(): Promise<void>;
  /** The process of workerd. */
  pid(): number | undefined;
  /** Resident memory of workerd, bytes. */
  memory(): number;
  /** The number of objects in the memory of workerd. */
  loaded(): number;
  inspector(): Promise<URL>;
  /** `keep`: the stored objects stay, for another platform. */
  dispose(options?: { readonly keep?: boolean }): Promise<void>;
}

export interface PlatformOptions {
  /** `0`: any port. */
  readonly inspectorPort?: number;
  /** Where an earlier platform stored its objects. Default: a new directory. */
  readonly directory?: string;
  /** The limit of the heap of each isolate, MiB. If more is live, the process ends. Default: the limit of V8. */
  readonly heapMiB?: number;
}

export async function startPlatform(options: PlatformOptions = {}): Promise<BenchPlatform> {
  const { directory = mkdtempSync(join(tmpdir(), "holdfast-bench-")), heapMiB } = options;
  const key = randomBytes(16).toString("hex");
  const nodePort = await findFreePort();
  const config = await writeConfig(heapMiB, {
    STEP_HANDLER_URL: `http://127.0.0.1:${nodePort}/holdfast`,
    STEP_HANDLER_FLOOR: `http://127.0.0.1:${nodePort}/floor`,
    STEP_HANDLER_KEY: key,
  });
  const url = `http://127.0.0.1:${await findFreePort()}`;
  const inspector = options.inspectorPort === undefined ? undefined : options.inspectorPort || (await findFreePort());
  const workerd = { config, directory, url, inspector };
  const processes = new Processes({ workerd, node: { key, port: nodePort } });
  const remove = (): void => {
    processes.kill();
    rmSync(config, { recursive: true, force: true });
    rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
  };
  process.on("exit", remove);
  await processes.start();
  return {
    directory,
    ask: (path, init) => ask(url + path, init),
    evict: (id) => evict(`${url}/bench/evict?id=${id}`),
    async restart() {
      await processes.end();
      await processes.start();
    },
    pid: () => processes.workerdPid,
    memory: () => residentBytes(processes.workerdPid),
    loaded: () => openDatabases(processes.workerdPid),
    inspector: async () => new URL(`ws://127.0.0.1:${inspector}`),
    async dispose({ keep = false } = {}) {
      await processes.end();
      if (!keep) remove();
      rmSync(config, { recursive: true, force: true });
      process.off("exit", remove);
    },
  };
}

async function send(url: string, { json, wait }: { json?: unknown; wait?: number } = {}): Promise<Response> {
  const headers = { "Content-Type": "application/json", ...(wait === undefined ? {} : { Prefer: `wait=${wait}` }) };
  const body = json === undefined ? {} : { method: "POST", body: JSON.stringify(json) };
  return fetch(url, { ...body, headers, signal: AbortSignal.timeout(REQUEST_MS_MAX) });
}

async function ask<T>(url: string, init?: Parameters<typeof send>[1]): Promise<T> {
  const response = await send(url, init);
  const text = await response.text();
  if (!response.ok) throw new Error(`${new URL(url).pathname} answered ${response.status}: ${text.slice(0, 300)}`);
  return JSON.parse(text) as T;
}

async function evict(url: string): Promise<void> {
  const response = await send(url);
  await response.text();
  if (response.ok) throw new Error("the object answered, so it was not dropped from memory");
}

/** Writes the configuration and the Workers that it embeds. Returns their folder. */
async function writeConfig(heapMiB: number | undefined, bindings: Bindings): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-bench-config-"));
  for (const name of ["main", "sibling"]) {
    writeFileSync(join(folder, `${name}.js`), await bundleWorker(join(import.meta.dirname, `workers/${name}.ts`)));
  }
  writeFileSync(join(folder, "config.capnp"), describeWorkerd(bindings, heapMiB));
  return folder;
}

/** Reads the resident memory from /proc, bytes. NaN on systems without /proc. */
export function residentBytes(pid: number | undefined): number {
  try {
    const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return Number(kilobytes) * 1_024;
  } catch {
    return Number.NaN;
  }
}

/** Counts the databases that a process has open: each object in memory has one. */
function openDatabases(pid: number | undefined): number {
  const folder = `/proc/${pid}/fd`;
  return readdirSync(folder).filter((file) => linkOf(join(folder, file)).endsWith(".sqlite")).length;
}

/** A file may be closed meanwhile. */
function linkOf(file: string): string {
  try {
    return readlinkSync(file);
  } catch {
    return "";
  }
}
