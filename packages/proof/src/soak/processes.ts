/**
 * The processes of the soak test: workerd with storage on disk, two Node processes that execute steps, and the recorder.
 *
 * Owns: the start of the processes, and the faults of workerd, its clock, its deployments and its disk.
 */
import { type ChildProcess, fork } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { bundleWorker } from "@holdfast/cli/bundle";
import { findFreePort } from "@holdfast/cli/free-port";
import { Miniflare, type MiniflareOptions, convertV4MiniflareOptions } from "miniflare";
import { killAndAwaitNext, watchWorkerd } from "@holdfast/local-runtime/workerd-process";
import type { Effect } from "./effects.ts";
import { StepInstances } from "./step-instances.ts";

export class SoakProcesses {
  readonly url: string;
  readonly #workerd: ReturnType<typeof watchWorkerd>;
  readonly #runtime: Miniflare;
  readonly #folder: string;
  readonly #recorder: ChildProcess;
  readonly #optionsOf: (version: number) => MiniflareOptions;
  #version = 1;
  readonly #steps: StepInstances;

  private constructor(parts: {
    readonly url: string;
    readonly workerd: ReturnType<typeof watchWorkerd>;
    readonly runtime: Miniflare;
    readonly folder: string;
    readonly recorder: ChildProcess;
    readonly optionsOf: (version: number) => MiniflareOptions;
    readonly steps: StepInstances;
  }) {
    this.url = parts.url;
    this.#workerd = parts.workerd;
    this.#runtime = parts.runtime;
    this.#folder = parts.folder;
    this.#recorder = parts.recorder;
    this.#optionsOf = parts.optionsOf;
    this.#steps = parts.steps;
  }

  static async start(): Promise<SoakProcesses> {
    const folder = mkdtempSync(join(tmpdir(), "holdfast-soak-"));
    const recorder = fork(fileOf("recorder-process.ts"), [join(folder, "effects.log")], {
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
    const [recorderPort] = (await once(recorder, "message")) as [number];
    const [port, key, recorderUrl] = [
      await findFreePort(),
      randomBytes(16).toString("hex"),
      `http://127.0.0.1:${recorderPort}`,
    ];
    const steps = await StepInstances.start(port, [key, recorderUrl]);
    const workerd = watchWorkerd();
    const bindings = { RECORDER_URL: recorderUrl, STEPS_URL: `http://127.0.0.1:${port}/holdfast`, STEPS_KEY: key };
    // A redeployed Worker keeps its address.
    const ownPort = await findFreePort();
    const workers = [await mainWorker(bindings), await siblingWorker(bindings)] as const;
    const optionsOf = (version: number): MiniflareOptions =>
      convertV4MiniflareOptions({
        cf: false,
        port: ownPort,
        telemetry: { enabled: false },
        resourcePersistencePath: join(folder, "storage"),
        // Processes that are killed on purpose write long logs.
        handleStructuredLogs: () => {},
        workers: [workers[0], { ...workers[1], bindings: { ...bindings, VERSION: String(version) } }],
      });
    const runtime = new Miniflare(optionsOf(1));
    const url = (await runtime.ready).origin;
    return new SoakProcesses({ url, workerd, runtime, folder, recorder, steps, optionsOf });
  }

  /** Deploys the sibling again. All Workers start again on the same address. */
  async redeploySibling(): Promise<void> {
    this.#version += 1;
    await this.#runtime.setOptions(this.#optionsOf(this.#version));
  }

  /** Shifts the clock of the runs' objects by `ms` against the clock of the machine. */
  async shiftClock(ms: number): Promise<void> {
    await fetch(`${this.url}/soak/clock?ms=${Math.round(ms)}`).then((response) => response.arrayBuffer());
  }

  /** How often step processes stopped without a fault. */
  get stepProcesses(): StepInstances["counts"] {
    return this.#steps.counts;
  }

  async killWorkerd(): Promise<void> {
    await killAndAwaitNext(this.#workerd, this.url);
  }

  /** The proxy before the Node processes. */
  get proxy(): StepInstances["proxy"] {
    return this.#steps.proxy;
  }

  /** Ends one of the Node processes gently, which is then restarted. */
  async terminateSteps(position: number): Promise<void> {
    await this.#steps.terminate(position);
  }

  /** Kills one of the Node processes, which is then restarted. */
  async killSteps(position: number): Promise<void> {
    await this.#steps.kill(position);
  }

  /** Stops a process for `ms`, as an overloaded machine does. */
  async freezeSteps(position: number, ms: number): Promise<void> {
    await this.#steps.freeze(position, ms);
  }

  async freezeWorkerd(ms: number): Promise<void> {
    const process = this.#workerd();
    process?.kill("SIGSTOP");
    await delay(ms);
    process?.kill("SIGCONT");
  }

  async fillDisk(ms: number): Promise<void> {
    await fetch(`${this.url}/soak/disk-full?ms=${ms}`).then((response) => response.arrayBuffer());
  }

  effects(): Effect[] {
    const lines = readFileSync(join(this.#folder, "effects.log"), "utf8").split("\n");
    return lines.filter((line) => line !== "").map((line) => JSON.parse(line) as Effect);
  }

  async end(): Promise<void> {
    this.#steps.end();
    await this.#runtime.dispose();
    this.#recorder.disconnect();
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function mainWorker(bindings: Record<string, string>) {
  return {
    name: "soak",
    modules: true as const,
    script: await bundleWorker(fileOf("worker/worker.ts")),
    compatibilityDate: "2026-10-01",
    compatibilityFlags: ["nodejs_compat"],
    bindings,
    durableObjects: {
      WORKFLOW_RUN_DO: { className: "WorkflowRunDO", useSQLite: true },
      RUN_INDEX_DO: { className: "RunIndexDO", useSQLite: true },
      COORDINATOR_DO: { className: "CoordinatorDO", useSQLite: true },
    },
    serviceBindings: { SIBLING: "sibling", SIBLING_RPC: { name: "sibling", entrypoint: "Workflows" } },
  };
}

async function siblingWorker(bindings: Record<string, string>) {
  return {
    name: "sibling",
    modules: true as const,
    script: await bundleWorker(fileOf("worker/sibling.ts")),
    compatibilityDate: "2026-10-01",
    compatibilityFlags: ["nodejs_compat"],
    bindings,
  };
}

function fileOf(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}
