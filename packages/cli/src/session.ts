/**
 * What a verb works with: its output, its notes, its deployment and the client for it.
 *
 * Owns: the choice of the format, and the one client of a call. The client is loaded when a verb first needs it.
 */
import type { Client } from "@holdfast/workflows/client";
import { isToken } from "./connect/token-command.ts";
import { type Target, findTarget } from "./connect/target.ts";
import { TimedOut, UsageError } from "./exit.ts";
import type { Globals } from "./globals.ts";
import type { Io } from "./io.ts";
import { hasColours, painter } from "./output/colours.ts";
import { Notes } from "./output/notes.ts";
import { type Format, Printer } from "./output/printer.ts";
import { safe } from "./output/safe-text.ts";
import { parseDuration } from "./output/times.ts";

/** With the pauses of the client: a wrong address is reported after two seconds. */
const ATTEMPTS = 4;

export interface FormatChoice {
  /** `--columns`: it asks for a table, also in a pipe. */
  readonly columns?: string | undefined;
}

export class Session {
  readonly io: Io;
  readonly globals: Globals;
  readonly out: Printer;
  readonly notes: Notes;
  #target: Promise<Target> | undefined;
  #client: Promise<Client> | undefined;
  /** Where the token of the requests comes from; `undefined`: none was needed, or there is none. */
  tokenFrom: string | undefined;
  /** The limit of `--timeout` counts from its first use in a call. */
  #limit: AbortSignal | undefined;

  constructor(io: Io, globals: Globals, choice: FormatChoice = {}) {
    this.io = io;
    this.globals = globals;
    this.notes = new Notes(io, !globals.color);
    this.out = new Printer(io.stdout, {
      format: formatOf(io, globals, choice),
      paint: painter(hasColours({ isTTY: io.stdout.isTTY, env: io.env, off: !globals.color })),
      beforeWrite: () => this.notes.clear(),
      say: (text) => this.notes.say(safe`${text}`),
    });
  }

  /** Whether a person can be asked. */
  get canAsk(): boolean {
    return this.globals.input && this.io.stdin.isTTY === true && this.io.stderr.isTTY === true;
  }

  target(): Promise<Target> {
    this.#target ??= this.#findTarget();
    return this.#target;
  }

  /** The client of the deployment. Aborts with the call of the command. */
  client(): Promise<Client> {
    this.#client ??= this.connect();
    return this.#client;
  }

  /** Makes a client with other settings. */
  async connect(settings: { readonly attempts?: number; readonly timeoutMs?: number } = {}): Promise<Client> {
    const { url, token, tokenFrom } = await this.target();
    this.tokenFrom = tokenFrom;
    // Now, so that an error of a token command is not taken for one of the connection.
    const secret = (typeof token === "function" ? await token() : token)?.trim();
    if (secret !== undefined && !isToken(secret))
      throw new UsageError(`The token from ${tokenFrom ?? "there"} is not one word of ASCII. It is not shown here.`);
    const { createClient } = await import("@holdfast/workflows/client");
    return createClient({ url, token: secret, signal: this.io.signal, attempts: ATTEMPTS, ...settings });
  }

  async #findTarget(): Promise<Target> {
    const target = await findTarget(this.io, this.globals);
    for (const remark of target.remarks) {
      const [, warning] = /^warning: ([\s\S]*)$/.exec(remark) ?? [];
      if (warning === undefined) this.notes.say(this.notes.paint("dim", remark));
      else this.notes.warn(safe`${warning}`);
    }
    return target;
  }

  /**
   * Runs `work` with a signal that aborts when the time of `--timeout` has passed.
   * @throws TimedOut
   */
  async within<T>(timeout: string | undefined, work: (signal: AbortSignal | undefined) => Promise<T>): Promise<T> {
    if (timeout === undefined) return work(undefined);
    const ms = parseDuration(timeout);
    if (ms === undefined || ms <= 0 || ms > 2_147_483_647)
      throw new UsageError(
        `--timeout: ${JSON.stringify(timeout)} is not a duration, such as 500ms, 30s, 5m, 2h or 7d.`,
      );
    this.#limit ??= abortedAfter(ms, new TimedOut(`This did not end within ${timeout} (--timeout).`));
    return work(this.#limit);
  }
}

function abortedAfter(ms: number, reason: Error): AbortSignal {
  const limit = new AbortController();
  setTimeout(() => limit.abort(reason), ms).unref();
  return limit.signal;
}

function formatOf({ stdout }: Io, { output }: Globals, { columns }: FormatChoice): Format {
  if (output === undefined) return stdout.isTTY === true || columns !== undefined ? "table" : "ndjson";
  if (columns !== undefined && output !== "table")
    throw new UsageError(`--columns is for tables, not for --output ${output}.`);
  return output;
}
