/**
 * The processes of the platform: workerd and the Node process with the step handler.
 *
 * Owns: their start and their kill. They are started on the same ports and the same storage again.
 */
import { type ChildProcess, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { join } from "node:path";
import { until } from "@holdfast/local-runtime/until";

const START_MS_MAX = 30_000;

export interface ProcessOptions {
  readonly workerd: WorkerdOptions;
  readonly node: { readonly key: string; readonly port: number };
}

interface WorkerdOptions {
  readonly config: string;
  readonly directory: string;
  readonly url: string;
  readonly inspector: number | undefined;
}

export class Processes {
  readonly #options: ProcessOptions;
  #all: { readonly node: ChildProcess; readonly workerd: ChildProcess } | undefined;

  constructor(options: ProcessOptions) {
    this.#options = options;
  }

  /** Resolves when both serve. */
  async start(): Promise<void> {
    const { key, port } = this.#options.node;
    this.#all = { node: await startNode(key, port), workerd: await startWorkerd(this.#options.workerd) };
  }

  get workerdPid(): number | undefined {
    return this.#all?.workerd.pid;
  }

  /** Kills both with SIGKILL. */
  kill(): void {
    for (const one of Object.values(this.#all ?? {})) one.kill("SIGKILL");
  }

  /** Kills both, and resolves when both are gone. */
  async end(): Promise<void> {
    const alive = Object.values(this.#all ?? {}).filter((one) => one.exitCode === null && one.signalCode === null);
    const gone = Promise.all(alive.map((one) => once(one, "exit")));
    this.kill();
    await gone;
  }
}

async function startNode(key: string, port: number): Promise<ChildProcess> {
  const node = fork(join(import.meta.dirname, "node-side.ts"), [key, String(port)], {
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  await once(node, "message", { signal: AbortSignal.timeout(START_MS_MAX) });
  return node;
}

async function startWorkerd({ config, directory, url, inspector }: WorkerdOptions): Promise<ChildProcess> {
  const args = ["--socket-addr", `http=${new URL(url).host}`, "--directory-path", `data=${directory}`];
  if (inspector !== undefined) args.push("--inspector-addr", `127.0.0.1:${inspector}`);
  const workerd = spawn(workerdFile(), ["serve", join(config, "config.capnp"), ...args], {
    // Objects that are dropped on purpose write log lines.
    stdio: ["ignore", "ignore", "pipe"],
  });
  let log = "";
  workerd.stderr?.on("data", (text: Buffer) => (log = (log + text.toString()).slice(-2_000)));
  await until("workerd serves", START_MS_MAX, async () => {
    if (workerd.exitCode !== null) throw new Error(`workerd ended: ${log}`);
    const response = await fetch(`${url}/healthz`).catch(() => undefined);
    await response?.body?.cancel();
    return response?.ok ?? false;
  });
  return workerd;
}

/** The path of the executable itself, so that the process is workerd and no script that starts it. */
function workerdFile(): string {
  return (createRequire(import.meta.url)("workerd") as { readonly default: string }).default;
}
