/**
 * Two Node processes that execute steps, and the proxy before them.
 *
 * Owns: the start of the processes and of the proxy, the restart of a process that died or ended, and the kill of a process
 * that no longer answers, as an orchestrator of containers does it.
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { findFreePort } from "@holdfast/cli/free-port";
import { StepProxy } from "./step-proxy.ts";

const INSTANCES = 2;
const PROBE_EVERY_MS = 1_000;
/** A process that does not answer for this time is killed, ms. Freezes are shorter, except one. */
const PROBE_MS_MAX = 8_000;
/** A process that ends gently is killed after this time, ms. The longest body takes less. */
const TERMINATE_MS_MAX = 10_000;

interface Instance {
  readonly port: number;
  process: ChildProcess;
  /** When it last answered a probe, ms on the monotonic clock. */
  answeredAt: number;
  frozen: boolean;
}

export class StepInstances {
  /** How often a process was killed because it did not answer, and how often one ended by itself. */
  readonly counts = { unresponsive: 0, ended: 0 };
  readonly #instances: Instance[];
  readonly #arguments: readonly string[];
  readonly proxy: StepProxy;
  readonly #probe: NodeJS.Timeout;
  readonly #killed = new WeakSet<ChildProcess>();
  #ending = false;

  private constructor(instances: Instance[], given: readonly string[], proxy: StepProxy) {
    this.#instances = instances;
    this.#arguments = given;
    this.proxy = proxy;
    this.#probe = setInterval(() => this.#probeAll(), PROBE_EVERY_MS);
    for (const instance of instances) this.#watch(instance);
  }

  /** `given`: the arguments of each process after its port. `port`: where the proxy listens. */
  static async start(port: number, given: readonly string[]): Promise<StepInstances> {
    const instances: Instance[] = [];
    for (let count = 0; count < INSTANCES; count++) {
      const own = await findFreePort();
      const process = startProcess(own, given);
      await once(process, "message");
      instances.push({ port: own, process, answeredAt: performance.now(), frozen: false });
    }
    let next = 0;
    const proxy = await StepProxy.start(port, () => (instances[next++ % INSTANCES] as Instance).port);
    return new StepInstances(instances, given, proxy);
  }

  /** Kills one process, which is then restarted. `position`: any number. */
  async kill(position: number): Promise<void> {
    const { process } = this.#at(position);
    const gone = once(process, "exit");
    this.#killProcess(process);
    await gone;
  }

  /** Ends one process gently, as a deploy does. It is then restarted. */
  async terminate(position: number): Promise<void> {
    const { process } = this.#at(position);
    const gone = once(process, "exit");
    this.#killed.add(process);
    process.kill("SIGTERM");
    const timer = setTimeout(() => process.kill("SIGKILL"), TERMINATE_MS_MAX);
    await gone;
    clearTimeout(timer);
  }

  /** Stops one process for `ms`, as an overloaded machine does. */
  async freeze(position: number, ms: number): Promise<void> {
    const instance = this.#at(position);
    instance.frozen = true;
    instance.process.kill("SIGSTOP");
    await delay(ms);
    instance.process.kill("SIGCONT");
    instance.answeredAt = performance.now();
    instance.frozen = false;
  }

  end(): void {
    this.#ending = true;
    clearInterval(this.#probe);
    for (const { process } of this.#instances) process.kill("SIGKILL");
    this.proxy.end();
  }

  #at(position: number): Instance {
    return this.#instances[position % INSTANCES] as Instance;
  }

  #killProcess(process: ChildProcess): void {
    this.#killed.add(process);
    process.kill("SIGKILL");
  }

  #watch(instance: Instance): void {
    const { process } = instance;
    process.on("message", () => (instance.answeredAt = performance.now()));
    process.once("exit", () => {
      if (this.#ending) return;
      if (!this.#killed.has(process)) this.counts.ended += 1;
      instance.process = startProcess(instance.port, this.#arguments);
      instance.answeredAt = performance.now();
      this.#watch(instance);
    });
  }

  #probeAll(): void {
    for (const { process, answeredAt, frozen } of this.#instances) {
      if (frozen || !process.connected) continue;
      process.send("probe", () => {});
      if (performance.now() - answeredAt < PROBE_MS_MAX) continue;
      this.counts.unresponsive += 1;
      this.#killProcess(process);
    }
  }
}

function startProcess(port: number, given: readonly string[]): ChildProcess {
  const file = fileURLToPath(new URL("steps-process.ts", import.meta.url));
  return fork(file, [String(port), ...given], { stdio: ["ignore", "ignore", "ignore", "ipc"] });
}
