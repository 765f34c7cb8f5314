/**
 * A reader of a page, who begins in an empty folder and does what the page says.
 *
 * Owns: the folder, and the terminals in which servers run. The port 3000 of the page is replaced by a free one. Of the
 * commands that need an account, `wrangler deploy` is a dry run, and the others are not typed.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { findFreePort } from "@holdfast/cli/free-port";
import type { Act, CommandAct } from "../pages/acts.ts";
import { compareAnswer } from "../pages/compare.ts";
import { type Place, type Server, execute, launch, run } from "./processes.ts";

const ENDED_MS = 5_000;
const ASK_AGAIN_MS = 200;

export class Reader {
  /** The folder in which the next command is typed. */
  cwd: string;
  /** The folder in which the reader began. */
  readonly folder: string;
  readonly #env: Readonly<Record<string, string>>;
  readonly #port: string;
  readonly #servers: Server[] = [];
  readonly #install: ((folder: string) => void) | undefined;

  private constructor(env: Readonly<Record<string, string>>, port: number, install?: (folder: string) => void) {
    this.#install = install;
    this.folder = mkdtempSync(join(tmpdir(), "holdfast-reader-"));
    this.cwd = this.folder;
    this.#port = String(port);
    this.#env = { ...env, PORT: this.#port };
  }

  /** `install` replaces the command `npm install`: it gets the folder of the project. */
  static async begin(env: Readonly<Record<string, string>>, install?: (folder: string) => void): Promise<Reader> {
    return new Reader(env, await findFreePort(), install);
  }

  get place(): Place {
    return { cwd: this.cwd, env: this.#env };
  }

  async does(acts: readonly Act[]): Promise<void> {
    for (const act of acts) {
      if (act.kind === "file") this.#write(act.path, act.text);
      else if (act.kind === "see") await this.#servers.at(-1)?.writes(act.text);
      else await this.#type(act);
    }
  }

  /** Stops the servers, the last one first. Throws if any process is left that was started in the folder. */
  async ends(): Promise<void> {
    for (const server of this.#servers.splice(0).toReversed()) await server.interrupt();
    const left = await this.#processesLeft();
    if (left.length > 0) throw new Error(`Processes are left after Ctrl-C:\n${left.join("\n")}`);
  }

  /** A process that ends after a signal needs a moment. */
  async #processesLeft(): Promise<readonly string[]> {
    for (const end = Date.now() + ENDED_MS; ; await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MS))) {
      const { stdout } = spawnSync("ps", ["-eo", "args"], { encoding: "utf8" });
      const left = stdout.split("\n").filter((line) => line.includes(this.folder));
      if (left.length === 0 || Date.now() > end) return left;
    }
  }

  #write(path: string, text: string): void {
    const file = join(this.cwd, path);
    mkdirSync(dirname(file), { recursive: true });
    this.#servers.at(-1)?.skip(); // what it writes after a save counts
    writeFileSync(file, this.#withPort(text));
  }

  async #type({ kind, command, answer }: CommandAct): Promise<void> {
    const [, folder] = /^cd (\S+)$/u.exec(command) ?? [];
    if (folder !== undefined) {
      this.cwd = join(this.cwd, folder);
      return;
    }
    if (this.#install !== undefined && command.startsWith("npm install")) return this.#install(this.cwd);
    const words = ["sh", "-c", this.#withPort(command)];
    if (kind === "again") await this.#servers.pop()?.interrupt();
    if (kind === "serve" || kind === "again") this.#servers.push(await launch(words, this.place));
    else if (kind === "cloud") await this.#tryWithoutAccount(command);
    else
      this.#check({ kind, command, answer }, kind === "fail" ? await this.#fails(words) : await run(words, this.place));
  }

  async #tryWithoutAccount(command: string): Promise<void> {
    if (/^npx wrangler deploy\b/u.test(command))
      await run(["sh", "-c", `${command} --dry-run --outdir dist`], this.place);
  }

  async #fails(words: readonly string[]): Promise<string> {
    const { status, stdout, stderr } = await execute(words, this.place);
    if (status === 0) throw new Error(`${words.join(" ")} does not fail:\n${stdout}${stderr}`);
    return `${stdout}${stderr}`;
  }

  #check({ command, answer }: CommandAct, printed: string): void {
    const wrong = answer === undefined ? [] : compareAnswer(answer, printed);
    if (wrong.length > 0) throw new Error(`${command} prints something else than the page shows:\n${wrong.join("\n")}`);
  }

  #withPort(text: string): string {
    return text.replaceAll(/\b3000\b/gu, this.#port);
  }
}
