/**
 * Keeps one workerd with the newest working code on the stored runs.
 *
 * Owns: the change to another build, and the restart of a workerd that ended by itself. A build is first started on its own,
 * without the stored runs: code that throws when it is imported never replaces code that serves. Then the old process ends,
 * and only then the next one starts: two of them would execute the same runs.
 */
import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { Workerd, type WorkerdExit } from "../local/workerd.ts";
import { makeFolder } from "../make-folder.ts";
import type { Build } from "./builder.ts";
import { unusable } from "./data-folder.ts";
import type { Gateway } from "./gateway.ts";

/** How long requests may take that are in progress when the code changes, ms. */
const RELOAD_GRACE_MS = 500;
/** The same when the server stops, ms. */
const STOP_GRACE_MS = 3_000;
/** Between the last request that got an address and the end of the process at that address, ms. */
const SETTLE_MS = 20;
const BACKOFF_MS = 200;
const BACKOFF_MS_MAX = 5_000;
/** A process that lived longer did not die at once, ms. */
const STABLE_MS = 5_000;
/** How long code may take until it serves, ms. A loop at the top level of a module never ends. */
const LOAD_MS = 10_000;
const NEVER_LOADS = `The code did not finish loading within ${LOAD_MS / 1_000} s. Look for a loop without an end, or for long work, outside the functions of the entry and of what it imports.`;

export interface SupervisorOptions {
  readonly executable: string;
  readonly gateway: Gateway;
  /** Returns the folder of a kind of build: its bundle and its configuration. */
  folder(kind: "next" | "current"): string;
  /** Returns the configuration, which has the bundle beside it. Without `stores` nothing is stored. */
  configure(build: Build, stores: boolean): string;
  /** In place of `LOAD_MS`. */
  readonly loadMs?: number | undefined;
  readonly events: SupervisorEvents;
}

interface SupervisorEvents {
  /** workerd serves a build on this port. `changedMs`: since the build was offered; `undefined`: it served before. */
  serves(build: Build, workerd: { readonly pid: number; readonly port: number }, changedMs: number | undefined): void;
  /** The build is the one that serves. */
  unchanged(): void;
  /** The build does not start. The code that served before still serves. */
  rejected(build: Build, exit: WorkerdExit): void;
  died(exit: WorkerdExit, retryMs: number): void;
  line(line: string): void;
}

interface Offer {
  readonly build: Build;
  readonly at: number;
}

export class Supervisor {
  readonly #options: SupervisorOptions;
  #offered: Offer | undefined;
  #served: Build | undefined;
  #workerd: Workerd | undefined;
  #checked: Workerd | undefined;
  #deaths = 0;
  #isStale = false;
  #stopping = false;
  #wake: () => void = () => {};

  constructor(options: SupervisorOptions) {
    this.#options = options;
  }

  /** Whether some code has ever served. */
  get hasServed(): boolean {
    return this.#served !== undefined;
  }

  /** Serves a build as soon as possible. Of several, only the newest counts. */
  offer(build: Build): void {
    this.#offered = { build, at: Date.now() };
    // The code that loads is old already, and may never finish.
    this.#checked?.kill();
    this.#wake();
  }

  /** Starts workerd again, if it serves: it read the times of alarms at its start, and the clock has jumped since. */
  restart(): void {
    this.#isStale = true;
    this.#wake();
  }

  /** Works until `stop`. */
  async run(): Promise<void> {
    while (!this.#stopping) {
      const offer = this.#offered;
      this.#offered = undefined;
      if (offer !== undefined) await this.#change(offer);
      else if (this.#isStale) await this.#endWorkerd();
      else if (this.#served !== undefined && this.#workerd === undefined) await this.#start(this.#served);
      else await this.#woken();
    }
  }

  /** Ends workerd: in order, or at once after `killAll`. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#options.gateway.hold();
    this.#checked?.kill();
    await this.#workerd?.stop(STOP_GRACE_MS);
    this.#wake();
  }

  /** Kills each process at once. Synchronous, for the end of this process. */
  killAll(): void {
    this.#checked?.kill();
    this.#workerd?.kill();
  }

  async #change({ build, at }: Offer): Promise<void> {
    if (this.#isServed(build)) return this.#options.events.unchanged();
    const failure = await this.#check(build);
    // Newer code is there already, or nothing is needed any more.
    if (this.#offered !== undefined || this.#stopping) return;
    if (failure !== undefined) return this.#options.events.rejected(build, failure);
    await this.#endWorkerd();
    this.#served = build;
    this.#deaths = 0;
    await this.#start(build, at);
  }

  /** Ends the process that serves, if there is one. Requests wait for the next one. */
  async #endWorkerd(): Promise<void> {
    this.#isStale = false;
    const old = this.#workerd;
    this.#options.gateway.hold();
    if (old === undefined) return;
    await delay(SETTLE_MS);
    this.#workerd = undefined;
    await old.stop(RELOAD_GRACE_MS);
  }

  #isServed(build: Build): boolean {
    const served = this.#served;
    return served !== undefined && this.#text(served) === this.#text(build);
  }

  #text(build: Build): string {
    return this.#options.configure(build, true) + build.code;
  }

  /** Starts a build without the stored runs. Returns why it ended, if it did not serve. */
  async #check(build: Build): Promise<WorkerdExit | undefined> {
    const workerd = new Workerd(this.#options.executable, this.#write("next", build, false), () => {});
    this.#checked = workerd;
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      workerd.kill();
    }, this.#options.loadMs ?? LOAD_MS);
    const port = await workerd.port;
    clearTimeout(timer);
    workerd.kill();
    const exit = await workerd.exited;
    this.#checked = undefined;
    if (port !== undefined) return undefined;
    return isLate ? { ...exit, stderr: [...exit.stderr, NEVER_LOADS] } : exit;
  }

  async #start(build: Build, at?: number): Promise<void> {
    if (this.#stopping) return;
    const { executable, events, gateway } = this.#options;
    const workerd = new Workerd(executable, this.#write("current", build, true), (line) => events.line(line));
    const startedAt = Date.now();
    this.#workerd = workerd;
    const port = await workerd.port;
    if (port !== undefined && workerd === this.#workerd) {
      gateway.open(port);
      events.serves(build, { pid: workerd.pid ?? 0, port }, at === undefined ? undefined : Date.now() - at);
    }
    void workerd.exited.then((exit) => this.#ended(workerd, exit, Date.now() - startedAt));
    // Its end is reported in a moment, and wakes.
    if (port === undefined) await this.#woken();
  }

  /** Starts workerd again after a moment, unless this process ended it. */
  async #ended(workerd: Workerd, exit: WorkerdExit, livedMs: number): Promise<void> {
    if (workerd !== this.#workerd || this.#stopping) return;
    this.#options.gateway.hold();
    this.#deaths = livedMs < STABLE_MS ? this.#deaths + 1 : 0;
    const retryMs = this.#deaths < 2 ? 0 : Math.min(BACKOFF_MS * 2 ** (this.#deaths - 2), BACKOFF_MS_MAX);
    this.#options.events.died(exit, retryMs);
    await delay(retryMs);
    // Another build may have replaced the process meanwhile.
    if (workerd !== this.#workerd) return;
    this.#workerd = undefined;
    this.#wake();
  }

  #write(kind: "next" | "current", build: Build, stores: boolean): string {
    const folder = this.#options.folder(kind);
    const config = join(folder, "config.capnp");
    const text = this.#options.configure(build, stores);
    try {
      makeFolder(folder);
      writeFileSync(join(folder, "worker.js"), build.code);
      // The variables are in it.
      writeFileSync(config, text, { mode: 0o600 });
    } catch (error) {
      throw unusable(error, dirname(folder));
    }
    return config;
  }

  /** Resolves when there may be work. After `stop` there is none. */
  async #woken(): Promise<void> {
    if (this.#stopping) return;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
  }
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
