/**
 * One shell, which executes the commands of a page one after the other, as a reader does in a terminal.
 *
 * Owns: the process. Variables, exports and the folder stay from command to command. An unset variable ends the shell.
 * `holdfast` is the command of this repository. `curl` is silent, takes an answer of 400 or above for a failure (exit status 22), and gives up after 60 s.
 */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { REPOSITORY } from "../source-files.ts";

export interface Executed {
  /** The exit status; `undefined` if the shell itself ended. */
  readonly status: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

const PREAMBLE = `set -u
curl() { command curl --silent --show-error --fail-with-body --max-time 60 "$@"; }
holdfast() { "${process.execPath}" "${join(REPOSITORY, "packages/cli/src/bin.ts")}" "$@"; }
`;

export class Shell {
  /** Whether the shell itself has ended, so that it executes nothing more. */
  hasEnded = false;
  /** The settings of commands are those of the page, not of the user. */
  readonly #settings = mkdtempSync(join(tmpdir(), "holdfast-page-"));
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #closed: Promise<void>;
  #stdout = "";
  #stderr = "";
  #check = (): void => {};

  /** `folder`: where the first command is executed. `more`: variables of its environment. */
  constructor(folder: string, more: Readonly<Record<string, string | undefined>> = {}) {
    const env = { ...process.env, ...more, XDG_CONFIG_HOME: this.#settings };
    this.#child = spawn("sh", [], { cwd: folder, stdio: "pipe", env });
    this.#child.stdout.setEncoding("utf8").on("data", (text: string) => {
      this.#stdout += text;
      this.#check();
    });
    this.#child.stderr.setEncoding("utf8").on("data", (text: string) => (this.#stderr += text));
    // A shell that has ended cannot be written to.
    this.#child.stdin.on("error", () => {});
    this.#closed = new Promise((resolve) => {
      this.#child.once("close", () => {
        this.hasEnded = true;
        this.#check();
        resolve();
      });
    });
    this.#child.stdin.write(PREAMBLE);
  }

  /** Executes one command. Its standard input is empty. */
  async execute(command: string): Promise<Executed> {
    const mark = randomUUID();
    [this.#stdout, this.#stderr] = ["", ""];
    this.#child.stdin.write(`{ ${command}\n} </dev/null; printf '%s %d\\n' ${mark} $?\n`);
    return new Promise((resolve) => {
      this.#check = () => {
        const at = this.#stdout.indexOf(mark);
        const [, status] = /^\S+ (\d+)\n/.exec(at < 0 ? "" : this.#stdout.slice(at)) ?? [];
        if (status === undefined && !this.hasEnded) return;
        const stdout = at < 0 ? this.#stdout : this.#stdout.slice(0, at);
        resolve({ status: status === undefined ? undefined : Number(status), stdout, stderr: this.#stderr });
      };
      this.#check();
    });
  }

  async close(): Promise<void> {
    this.#child.stdin.end();
    await this.#closed;
    rmSync(this.#settings, { recursive: true, force: true });
  }
}
