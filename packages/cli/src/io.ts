/**
 * The world of one call of the command: streams, environment, clock, folders.
 *
 * Owns: the interface, and the real one. Tests pass their own, so every verb runs in their process. The first Ctrl-C
 * aborts `signal`; the second ends the process at once.
 */
import { homedir } from "node:os";
import { EXIT, type ExitCode, Interrupted } from "./exit.ts";

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
  /** Opens a page in place of the browser. Resolves with whether it could. */
  readonly openPage?: ((url: string, env: Io["env"]) => Promise<boolean>) | undefined;
  /** From now on the call ends by itself: output that nobody takes is left out. */
  outliveReader?(): void;
  /** The call ends by itself after the first Ctrl-C, however long that takes. The second one still ends it at once. */
  endsByItself?(): void;
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

/** How long a verb may take to end after Ctrl-C, ms. A verb that ends in an order of its own takes longer. */
const UNWIND_MS_MAX = 1_000;

/** Stdout. It ends the process when nobody takes its text, unless the call has more to do than to print. */
class Output implements Sink {
  readonly #stream = process.stdout;
  #ends = true;
  #closed = false;
  /** Whether text was lost although a reader may want it: a full disk. */
  #lost = false;

  constructor() {
    this.#stream.on("error", (error: NodeJS.ErrnoException) => this.#close(error));
  }

  get isTTY(): boolean {
    return this.#stream.isTTY;
  }

  get columns(): number | undefined {
    return this.#stream.columns;
  }

  write(text: string): boolean {
    return this.#closed || this.#stream.write(text);
  }

  once(event: "drain", listener: () => void): void {
    this.#stream.once(event, listener);
  }

  outliveReader(): void {
    this.#ends = false;
  }

  /** Ends the process when all text has arrived. */
  end(exit: ExitCode): void {
    const code = this.#lost && exit === EXIT.done ? EXIT.usage : exit;
    if (this.#closed) process.exit(code);
    this.#stream.write("", () => process.exit(code));
  }

  #close({ code, message }: NodeJS.ErrnoException): void {
    if (this.#closed) return;
    this.#closed = true;
    // A reader that has seen enough, such as head, closes the pipe: that is no failure.
    this.#lost = code !== "EPIPE";
    if (this.#lost) process.stderr.write(`Error: The output cannot be written: ${message}.\n`);
    if (this.#ends) process.exit(this.#lost ? EXIT.usage : EXIT.done);
    this.#stream.emit("drain");
  }
}

/** The streams and the environment of the process. `end` ends it. */
export function processIo(): Io & { end(exit: ExitCode): void } {
  const interrupt = new AbortController();
  let endsByItself = false;
  process.on("SIGINT", () => {
    if (interrupt.signal.aborted) process.exit(EXIT.interrupted);
    interrupt.abort(new Interrupted("interrupted"));
    // Work that cannot be aborted, such as a read of a terminal, must not hold up the end.
    if (!endsByItself) setTimeout(() => process.exit(EXIT.interrupted), UNWIND_MS_MAX).unref();
  });
  process.stderr.on("error", () => {});
  const stdout = new Output();
  return {
    stdin: process.stdin,
    stdout,
    stderr: process.stderr,
    env: process.env,
    cwd: process.cwd(),
    home: homedir(),
    signal: interrupt.signal,
    now: Date.now,
    outliveReader: () => stdout.outliveReader(),
    endsByItself: () => (endsByItself = true),
    end: (exit) => stdout.end(exit),
  };
}
