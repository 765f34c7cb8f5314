/**
 * A deployment on plain workerd that tests kill and start again: storage in a folder of its own, one port for its whole life.
 *
 * Owns: the process, the folder, and the tokens of its callers.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Client, createClient } from "@holdfast/workflows/client";

/** Who calls. `admin` may do everything, in all tenants; `ada` everything in the tenant acme. */
export const TOKENS = {
  admin: "admin-token-0123456789",
  ada: "ada-token-0123456789",
  reader: "reader-token-0123456789",
  deliverer: "deliverer-token-0123456789",
  starter: "starter-token-0123456789",
  other: "other-tenant-token-0123456789",
} as const;

export type Caller = keyof typeof TOKENS;

const PRINCIPALS = [
  { token: TOKENS.admin, subject: "admin", scopes: ["read", "trigger", "deliver", "operate", "admin"] },
  { token: TOKENS.ada, subject: "ada", tenantId: "acme", scopes: ["read", "trigger", "deliver", "operate"] },
  { token: TOKENS.reader, subject: "rita", tenantId: "acme", scopes: ["read"] },
  { token: TOKENS.deliverer, subject: "dora", tenantId: "acme", scopes: ["read", "deliver"] },
  { token: TOKENS.starter, subject: "stan", tenantId: "acme", scopes: ["trigger"] },
  { token: TOKENS.other, subject: "otto", tenantId: "globex", scopes: ["read", "trigger", "deliver", "operate"] },
];

export interface ServerOptions {
  /** Default: `tokens`. `open`: every caller may do everything. */
  readonly access?: "tokens" | "open";
  /** Default: `true`. */
  readonly hasIndex?: boolean;
}

/** The executable itself: the command of the package is a script, whose child would survive a kill. */
const { default: WORKERD } = createRequire(import.meta.url)("workerd") as { readonly default: string };
const START_MS_MAX = 15_000;
const ERRORS_MAX = 20;

export class Server {
  readonly #options: ServerOptions;
  readonly #data = mkdtempSync(join(tmpdir(), "holdfast-runs-"));
  #process: ChildProcess | undefined;
  #workerFolder = "";
  #port = 0;
  /** The newest texts that workerd wrote, for a failure. */
  readonly errors: string[] = [];

  constructor(options: ServerOptions = {}) {
    this.#options = options;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Resolves when it serves. After the first start the port and the folder of the Worker stay the same. */
  async start(workerFolder: string = this.#workerFolder): Promise<void> {
    this.#workerFolder = workerFolder;
    const { access = "tokens", hasIndex = true } = this.#options;
    const config = join(workerFolder, hasIndex ? "index.capnp" : "no-index.capnp");
    const args = ["serve", config, "--socket-addr", `http=127.0.0.1:${this.#port}`, "--directory-path"];
    const child = spawn(WORKERD, [...args, `data=${this.#data}`, "--control-fd=3"], {
      env: access === "open" ? { AUTH: "open" } : { API_TOKENS: JSON.stringify(PRINCIPALS) },
      stdio: ["ignore", "ignore", "pipe", "pipe"],
    });
    this.#process = child;
    child.stderr?.on("data", (text: Buffer) => {
      this.errors.push(text.toString());
      if (this.errors.length > ERRORS_MAX) this.errors.shift();
    });
    const ready = once(child.stdio[3] as NodeJS.ReadableStream, "data", { signal: AbortSignal.timeout(START_MS_MAX) });
    const [message] = await (ready as Promise<[Buffer]>).catch((cause: unknown) => {
      throw new Error(`workerd does not start: ${this.errors.join("")}`, { cause });
    });
    this.#port = (JSON.parse(message.toString()) as { readonly port: number }).port;
  }

  /** Kills workerd with SIGKILL, and resolves when it is gone. */
  async kill(): Promise<void> {
    const child = this.#process;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, "exit");
    child.kill("SIGKILL");
    await gone;
  }

  async dispose(): Promise<void> {
    await this.kill();
    rmSync(this.#data, { recursive: true, force: true, maxRetries: 5 });
  }

  client(caller: Caller = "ada"): Client {
    return createClient({ url: this.url, token: TOKENS[caller] });
  }
}
