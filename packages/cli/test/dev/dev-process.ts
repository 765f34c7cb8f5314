/**
 * A project in a folder of its own, and `holdfast dev` as a process in it.
 *
 * Owns: the folder, the process, and the requests to the server. All waiting has a bound.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, expect, vi } from "vitest";

const PACKAGES = join(import.meta.dirname, "../../..");
/** The command. */
export const MAIN: string = join(PACKAGES, "cli/src/main.ts");
const BOUND_MS = 45_000;

const cleanUps: (() => void | Promise<void>)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp();
});

/** Waits until the condition holds. */
export async function until(condition: () => unknown): Promise<void> {
  await vi.waitFor(async () => expect(await condition()).toBeTruthy(), { timeout: BOUND_MS, interval: 20 });
}

/** Makes a project with these files, which can import the packages of the workspace. */
export function makeProject(files: Readonly<Record<string, string>>): Project {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-dev-"));
  cleanUps.push(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  const scope = join(folder, "node_modules/@holdfast");
  mkdirSync(scope, { recursive: true });
  for (const name of ["workflows", "orchestrator-cloudflare"]) symlinkSync(join(PACKAGES, name), join(scope, name));
  const project = new Project(folder);
  project.write({ "package.json": '{ "type": "module" }', ...files });
  return project;
}

export class Project {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  write(files: Readonly<Record<string, string>>): void {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(this.folder, name)), { recursive: true });
      writeFileSync(join(this.folder, name), text);
    }
  }

  /** Starts the server without waiting for it. */
  launch(args: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Dev {
    const dev = new Dev(this.folder, args, env);
    cleanUps.push(() => dev.kill());
    return dev;
  }

  /** Starts the server, and waits until it serves. */
  async start(...args: readonly string[]): Promise<Dev> {
    const dev = this.launch(args);
    await dev.says("Ready.");
    return dev;
  }
}

export interface Run {
  readonly status: string;
  readonly output?: unknown;
  readonly error?: { readonly code?: string };
}

export class Dev {
  readonly folder: string;
  readonly child: ChildProcess;
  /** What the server says about itself. */
  err = "";
  /** Lines of runs and of the user's code. */
  out = "";
  readonly #ended: Promise<readonly [number | null, NodeJS.Signals | null]>;

  constructor(folder: string, args: readonly string[], env: NodeJS.ProcessEnv) {
    this.folder = folder;
    const { PATH, NODE_COMPILE_CACHE } = process.env;
    this.child = spawn(process.execPath, [MAIN, "dev", ...args], {
      cwd: folder,
      env: { PATH, HOME: folder, NODE_COMPILE_CACHE, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.child.stdout?.on("data", (chunk) => (this.out += String(chunk)));
    this.child.stderr?.on("data", (chunk) => (this.err += String(chunk)));
    this.#ended = once(this.child, "close") as Promise<[number | null, NodeJS.Signals | null]>;
  }

  /** Waits until the server has said this. `times`: so often. */
  async says(text: string, times = 1): Promise<void> {
    await this.#has(() => this.err, text, times);
  }

  /** Waits until a line of a run has this text. */
  async prints(text: string, times = 1): Promise<void> {
    await this.#has(() => this.out, text, times);
  }

  async #has(read: () => string, text: string, times: number): Promise<void> {
    await vi.waitFor(
      () =>
        expect(read().split(text).length - 1, `${text}\n--- in ---\n${this.err}\n${this.out}`).toBeGreaterThanOrEqual(
          times,
        ),
      { timeout: BOUND_MS, interval: 20 },
    );
  }

  get server(): { readonly url: string; readonly token: string; readonly pid: number } {
    return this.#read("dev.json") as Dev["server"];
  }

  /** The process id of workerd. */
  get workerd(): number {
    return (this.#read("lock") as { readonly workerd: { readonly pid: number } }).workerd.pid;
  }

  #read(name: string): unknown {
    return JSON.parse(readFileSync(join(this.folder, ".holdfast", name), "utf8"));
  }

  async ask(path: string, body?: object): Promise<Response> {
    const { url, token } = this.server;
    return fetch(url + path, {
      headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
      signal: AbortSignal.timeout(BOUND_MS),
      ...(body === undefined ? {} : { method: "POST", body: JSON.stringify(body) }),
    });
  }

  async begin(runId: string, workflowId = "order"): Promise<void> {
    expect((await this.ask("/api/runs", { workflowId, runId })).status).toBe(201);
  }

  async signal(runId: string, name = "approval"): Promise<void> {
    expect((await this.ask(`/api/runs/${runId}/signals`, { name, payload: true })).status).toBe(202);
  }

  async run(runId: string): Promise<Run> {
    return (await (await this.ask(`/api/runs/${runId}`)).json()) as Run;
  }

  /** Resolves with the exit code, or the signal that ended the process. */
  async exit(): Promise<number | NodeJS.Signals | null> {
    const [code, signal] = await this.#ended;
    return code ?? signal;
  }

  async kill(): Promise<void> {
    const workerd = existsSync(join(this.folder, ".holdfast/lock")) ? this.#workerdIfAny() : undefined;
    this.child.kill("SIGKILL");
    await this.#ended;
    if (workerd !== undefined) await until(() => !isAlive(workerd));
  }

  /** Another server may have the lock. */
  #workerdIfAny(): number | undefined {
    const { pid, workerd } = this.#read("lock") as {
      readonly pid: number;
      readonly workerd?: { readonly pid: number };
    };
    return pid === this.child.pid ? workerd?.pid : undefined;
  }
}

/** Whether a process runs. A zombie does not. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  if (process.platform !== "linux") return true;
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}

/** The code of a workflow that reserves, waits for an approval, and ships. */
export function orderCode({ first = "reserve", result = "shipped" } = {}): string {
  return `import { workflow } from "@holdfast/workflows";

export const order = workflow({
  id: "order",
  run: async (_input, ctx) => {
    await ctx.step("${first}", () => console.log("in a step"));
    await ctx.waitForSignal("approval");
    return ctx.step("ship", () => "${result}");
  },
});
`;
}
