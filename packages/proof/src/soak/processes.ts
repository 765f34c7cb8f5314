/**
 * The processes of the soak test: workerd with storage on disk, a Node process that executes steps, and the recorder.
 *
 * Owns: the start of the processes, the restart of a process that died, and the faults of processes and disk.
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
import { Miniflare, convertV4MiniflareOptions } from "miniflare";
import { killAndAwaitNext, watchWorkerd } from "@holdfast/cli/workerd-process";
import type { Effect } from "./effects.ts";

export class SoakProcesses {
  readonly url: string;
  readonly #workerd: ReturnType<typeof watchWorkerd>;
  readonly #runtime: Miniflare;
  readonly #folder: string;
  readonly #recorder: ChildProcess;
  readonly #stepsArguments: readonly string[];
  #steps: ChildProcess;
  #ending = false;

  private constructor(parts: {
    readonly url: string;
    readonly workerd: ReturnType<typeof watchWorkerd>;
    readonly runtime: Miniflare;
    readonly folder: string;
    readonly recorder: ChildProcess;
    readonly steps: ChildProcess;
    readonly stepsArguments: readonly string[];
  }) {
    this.url = parts.url;
    this.#workerd = parts.workerd;
    this.#runtime = parts.runtime;
    this.#folder = parts.folder;
    this.#recorder = parts.recorder;
    this.#steps = parts.steps;
    this.#stepsArguments = parts.stepsArguments;
    this.#watchSteps();
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
    const stepsArguments = [String(port), key, recorderUrl];
    const steps = startSteps(stepsArguments);
    await once(steps, "message");
    const workerd = watchWorkerd();
    const bindings = { RECORDER_URL: recorderUrl, STEPS_URL: `http://127.0.0.1:${port}/holdfast`, STEPS_KEY: key };
    const runtime = new Miniflare(
      convertV4MiniflareOptions({
        cf: false,
        telemetry: { enabled: false },
        resourcePersistencePath: join(folder, "storage"),
        // Processes that are killed on purpose write long logs.
        handleStructuredLogs: () => {},
        workers: [await mainWorker(bindings), await siblingWorker(bindings)],
      }),
    );
    const url = (await runtime.ready).origin;
    return new SoakProcesses({ url, workerd, runtime, folder, recorder, steps, stepsArguments });
  }

  async killWorkerd(): Promise<void> {
    await killAndAwaitNext(this.#workerd, this.url);
  }

  /** Kills the Node process, which is then restarted. */
  async killSteps(): Promise<void> {
    const gone = once(this.#steps, "exit");
    this.#steps.kill("SIGKILL");
    await gone;
  }

  /** Stops a process for `ms`, as an overloaded machine does. */
  async freeze(which: "workerd" | "steps", ms: number): Promise<void> {
    const process = which === "workerd" ? this.#workerd() : this.#steps;
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
    this.#ending = true;
    this.#steps.kill("SIGKILL");
    await this.#runtime.dispose();
    this.#recorder.disconnect();
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }

  #watchSteps(): void {
    this.#steps.once("exit", () => {
      if (this.#ending) return;
      this.#steps = startSteps(this.#stepsArguments);
      this.#watchSteps();
    });
  }
}

function startSteps(given: readonly string[]): ChildProcess {
  return fork(fileOf("steps-process.ts"), given, { stdio: ["ignore", "ignore", "ignore", "ipc"] });
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
