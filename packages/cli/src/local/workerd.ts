/**
 * One process of workerd that ends with this process, however this process ends.
 *
 * Owns: the start, the reading of its output, and the stop. workerd is in a session of its own, so Ctrl-C in a terminal
 * reaches only this process, which stops workerd in order. A shell beside workerd reads a pipe that only this process has
 * open: if the pipe ends without a line, this process was killed, and the shell kills workerd.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";

/**
 * The shell becomes workerd (exec), so both have one process id. workerd opens three files for each run in memory: the
 * soft limit of open files is raised to the hard one.
 */
const SCRIPT = `ulimit -S -n "$(ulimit -H -n)" 2>/dev/null
exec 9<&0
(read -r _ <&9 || kill -KILL $$) >/dev/null 2>&1 3>&- &
exec "$@" </dev/null 9<&-`;

/** The number of lines of stderr that explain an end. */
const REASON_LINES_MAX = 20;

export interface WorkerdExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The last lines that workerd wrote to stderr. */
  readonly stderr: readonly string[];
}

export class Workerd {
  readonly #child: ChildProcess;
  readonly #stderr: string[] = [];
  /** Settles when the process is gone. */
  readonly exited: Promise<WorkerdExit>;
  /** The port on 127.0.0.1; `undefined` if the process ended before it listened. */
  readonly port: Promise<number | undefined>;

  /** `onLine` gets each line that workerd writes. */
  constructor(executable: string, config: string, onLine: (line: string) => void) {
    this.#child = spawn("/bin/sh", ["-c", SCRIPT, "sh", executable, "serve", "--control-fd", "3", config], {
      detached: true,
      stdio: ["pipe", "pipe", "pipe", "pipe"],
    });
    const { stdin, stdout, stderr, stdio } = this.#child;
    // Writing to a process that is gone is no failure.
    stdin?.on("error", () => {});
    if (stdout !== null) createInterface({ input: stdout }).on("line", onLine);
    if (stderr !== null) {
      createInterface({ input: stderr }).on("line", (line) => {
        this.#stderr.push(line);
        if (this.#stderr.length > REASON_LINES_MAX) this.#stderr.shift();
        onLine(line);
      });
    }
    this.exited = this.#watch();
    this.port = Promise.race([readPort(stdio[3] as Readable), this.exited.then(() => undefined)]);
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Asks the process to finish its requests, and kills it after `graceMs`. Resolves when it is gone. */
  async stop(graceMs: number): Promise<void> {
    this.#child.kill("SIGTERM");
    const timer = setTimeout(() => this.kill(), graceMs);
    await this.exited;
    clearTimeout(timer);
  }

  /** Kills the process at once. */
  kill(): void {
    this.#child.kill("SIGKILL");
  }

  async #watch(): Promise<WorkerdExit> {
    const [code, signal] = (await once(this.#child, "close")) as [number | null, NodeJS.Signals | null];
    // The shell beside workerd ends without killing the process that may have got this id.
    this.#child.stdin?.end("ended\n");
    return { code, signal, stderr: this.#stderr };
  }
}

/** Resolves with the port that workerd reports when it listens. */
async function readPort(control: Readable): Promise<number> {
  for await (const line of createInterface({ input: control })) {
    const { event, port } = JSON.parse(line) as { readonly event: string; readonly port: number };
    if (event === "listen") return port;
  }
  // The process ended: the other promise of the race settles.
  return new Promise(() => {});
}
