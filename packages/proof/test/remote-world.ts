/** A Worker on real workerd whose workflow code is in a Node process. Both can be ended and started again. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundleWorker } from "@holdfast/cli/bundle";
import { findFreePort } from "@holdfast/cli/free-port";
import { Miniflare, convertV4MiniflareOptions } from "miniflare";

const KEY = "a-key-for-the-steps-of-this-test";

export class RemoteWorld {
  readonly #port: number;
  readonly #script: string;
  readonly #folder = mkdtempSync(join(tmpdir(), "holdfast-remote-"));
  #runtime: Miniflare | undefined;
  #steps: ChildProcess | undefined;
  #origin = "";

  private constructor(port: number, script: string) {
    this.#port = port;
    this.#script = script;
  }

  static async start(): Promise<RemoteWorld> {
    const script = await bundleWorker(join(import.meta.dirname, "../src/soak/worker/remote.ts"));
    const world = new RemoteWorld(await findFreePort(), script);
    await world.startWorkerd();
    return world;
  }

  /** Starts workerd again, with the storage that it has. Its memory is lost, and with it every list of workflows. */
  async startWorkerd(): Promise<void> {
    await this.#runtime?.dispose();
    this.#runtime = new Miniflare(
      convertV4MiniflareOptions({
        cf: false,
        telemetry: { enabled: false },
        resourcePersistencePath: this.#folder,
        // The step handler is down on purpose.
        handleStructuredLogs: () => {},
        workers: [
          {
            name: "remote",
            modules: true,
            script: this.#script,
            compatibilityDate: "2026-10-01",
            compatibilityFlags: ["nodejs_compat"],
            bindings: { STEPS_URL: `http://127.0.0.1:${this.#port}/holdfast`, STEPS_KEY: KEY },
            durableObjects: {
              WORKFLOW_RUN_DO: { className: "WorkflowRunDO", useSQLite: true },
              RUN_INDEX_DO: { className: "RunIndexDO", useSQLite: true },
              COORDINATOR_DO: { className: "CoordinatorDO", useSQLite: true },
            },
          },
        ],
      }),
    );
    this.#origin = (await this.#runtime.ready).origin;
  }

  async startSteps(): Promise<ChildProcess> {
    const steps = fork(join(import.meta.dirname, "../src/soak/limits/remote-process.ts"), [String(this.#port), KEY]);
    this.#steps = steps;
    await once(steps, "message");
    return steps;
  }

  /** The largest number of bodies that executed at the same time. */
  async most(): Promise<number> {
    const answer = once(this.#steps as ChildProcess, "message");
    this.#steps?.send("most");
    return ((await answer)[0] as { readonly most: number }).most;
  }

  async ask<T>(path: string, json?: object, headers: Record<string, string> = {}): Promise<T> {
    const body = json === undefined ? {} : { method: "POST", body: JSON.stringify(json) };
    const type = { "Content-Type": "application/json", ...headers };
    return (await (await fetch(this.#origin + path, { ...body, headers: type })).json()) as T;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#steps?.kill("SIGKILL");
    await this.#runtime?.dispose();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
