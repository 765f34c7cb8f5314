/**
 * The processes of the packed test.
 *
 * Owns: each process and all that it starts: a process group, which ends with `stopAll`, whatever happened before.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { StringDecoder } from "node:string_decoder";
import { compareAnswer } from "../pages/compare.ts";

export interface Place {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

export interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The longest time of one command, ms. */
const COMMAND_MS = 240_000;
const READY_MS = 60_000;
const ASK_AGAIN_MS = 100;
/** How much of the output of a failed command is shown, characters. */
const SHOWN_CHARS = 4_000;

const running = new Set<ChildProcess>();

/** Runs a command to its end. */
export async function execute(command: readonly string[], place: Place): Promise<Ended> {
  const child = start(command, place);
  const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)];
  const timer = setTimeout(() => kill(child), COMMAND_MS);
  const status = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  clearTimeout(timer);
  running.delete(child);
  return { status, stdout: stdout(), stderr: stderr() };
}

/** Runs a command that must succeed. Returns what it writes to stdout. */
export async function run(command: readonly string[], place: Place): Promise<string> {
  const { status, stdout, stderr } = await execute(command, place);
  if (status === 0) return stdout;
  const output = `${stdout}${stderr}`.slice(-SHOWN_CHARS);
  throw new Error(`${command.join(" ")} ended with ${status ?? "a signal"}:\n${output}`);
}

/** Starts a server, and returns when its address answers with a status below 500. */
export async function serve(command: readonly string[], place: Place, url: string): Promise<void> {
  const child = start(command, place);
  const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)];
  const end = Date.now() + READY_MS;
  for (;;) {
    const status = await fetch(url).then(
      (response) => response.status,
      () => 503,
    );
    if (status < 500) return;
    if (Date.now() > end || child.exitCode !== null)
      throw new Error(`${command.join(" ")} does not answer:\n${`${stdout()}${stderr()}`.slice(-SHOWN_CHARS)}`);
    await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MS));
  }
}

export interface Server {
  /** Forgets what the server has written so far: `writes` waits for later lines. */
  skip(): void;
  /** Waits until the server has written these lines, in this order. Throws if it does not. */
  writes(lines: string): Promise<void>;
  /** Presses Ctrl-C, and returns what the server wrote when it and all that it started have ended. */
  interrupt(): Promise<string>;
}

/** Starts a server in a terminal, and returns when it has written that it is ready. */
export async function launch(command: readonly string[], place: Place): Promise<Server> {
  const child = start(command, place);
  const text = collect(child.stdout, child.stderr);
  await until(() => /\bready\b/iu.test(text()) || child.exitCode !== null, READY_MS);
  if (!/\bready\b/iu.test(text()) || child.exitCode !== null)
    throw new Error(`${command.join(" ")} is not ready:\n${text().slice(-SHOWN_CHARS)}`);
  let seen = 0;
  return {
    skip: () => {
      seen = text().length;
    },
    writes: async (lines) => {
      const shown = { language: "text", text: lines };
      const missing = (): readonly string[] => compareAnswer(shown, text().slice(seen));
      await until(() => missing().length === 0, READY_MS);
      if (missing().length > 0) throw new Error(`${command.join(" ")}: ${missing().join("\n")}`);
      seen = endOf(text(), seen, (printed) => compareAnswer(shown, printed).length === 0);
    },
    interrupt: async () => {
      if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, "SIGINT");
      await until(() => child.exitCode !== null || child.signalCode !== null, READY_MS);
      if (child.exitCode === null && child.signalCode === null)
        throw new Error(`${command.join(" ")} does not end after Ctrl-C:\n${text().slice(-SHOWN_CHARS)}`);
      running.delete(child);
      return text();
    },
  };
}

/** Returns the end of the first line after `from` up to which the text is enough. */
function endOf(text: string, from: number, isEnough: (text: string) => boolean): number {
  for (let end = from; end < text.length;) {
    end = text.indexOf("\n", end) + 1 || text.length;
    if (isEnough(text.slice(from, end))) return end;
  }
  return text.length;
}

async function until(condition: () => boolean, ms: number): Promise<void> {
  for (const end = Date.now() + ms; !condition() && Date.now() < end;)
    await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MS));
}

/** Ends every process that is left, and what it started. */
export async function stopAll(): Promise<void> {
  await Promise.all(
    [...running].map(async (child) => {
      const closed = new Promise((resolve) => child.once("close", resolve));
      kill(child);
      if (child.exitCode === null && child.signalCode === null) await closed;
      running.delete(child);
    }),
  );
}

function start([command = "", ...args]: readonly string[], { cwd, env }: Place) {
  const child = spawn(command, args, { cwd, env: { ...env }, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  running.add(child);
  return child;
}

function kill({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // All of the group have ended.
  }
}

function collect(...streams: readonly NodeJS.ReadableStream[]): () => string {
  let text = "";
  for (const stream of streams) {
    const decoder = new StringDecoder("utf8");
    stream.on("data", (chunk: Buffer) => (text += decoder.write(chunk)));
  }
  return () => text;
}
