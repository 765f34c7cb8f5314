/**
 * The world of one call of the command: streams, environment, clock, folders.
 *
 * Owns: the interface, and the real one. Tests pass their own, so every verb runs in their process. The first Ctrl-C
 * aborts `signal`; the second ends the process at once.
 */
import { homedir } from "node:os";
import { EXIT, Interrupted } from "./exit.ts";

export interface Sink {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  /** Returns `false` if the reader is slow: then wait for `drain`. */
  write(text: string): boolean;
  once(event: "drain", listener: () => void): unknown;
}

interface Source extends AsyncIterable<Uint8Array | string> {
  readonly isTTY?: boolean | undefined;
}

export interface Io {
  readonly stdin: Source;
  readonly stdout: Sink;
  readonly stderr: Sink;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly home: string;
  readonly signal: AbortSignal;
  /** Milliseconds since the epoch. */
  now(): number;
}

/** Waits. Throws if the call ends meanwhile. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  await new Promise<void>((resolve) => {
    const timer = setTimeout(done, ms);
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    }
    signal.addEventListener("abort", done);
  });
  signal.throwIfAborted();
}

/** How long a verb may take to end after Ctrl-C, ms. */
const UNWIND_MS_MAX = 1_000;

export function processIo(): Io {
  const interrupt = new AbortController();
  process.on("SIGINT", () => {
    if (interrupt.signal.aborted) process.exit(EXIT.interrupted);
    interrupt.abort(new Interrupted("interrupted"));
    // Work that cannot be aborted, such as a read of a terminal, must not hold up the end.
    setTimeout(() => process.exit(EXIT.interrupted), UNWIND_MS_MAX).unref();
  });
  // A reader that has seen enough, such as head, closes the pipe: that is no failure.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    process.exit(EXIT.done);
  });
  process.stderr.on("error", () => {});
  return {
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    cwd: process.cwd(),
    home: homedir(),
    signal: interrupt.signal,
    now: Date.now,
  };
}
