/**
 * What ends the local server.
 *
 * Owns: the signals, and the end of the package manager that started the server. A shell between the two receives the signals
 * that npm passes on, and dies without passing them on.
 */
import { EXIT } from "../exit.ts";
import type { Io } from "../io.ts";

const PARENT_EVERY_MS = 500;

export interface StopListeners {
  /** Ends in order. Called once. */
  readonly stop: () => void;
  /** Ends at once, synchronously: this process exits. */
  readonly exit: () => void;
}

/** Listens until the returned function is called. A second signal exits. */
export function listenForStop({ signal, env }: Pick<Io, "signal" | "env">, { stop, exit }: StopListeners): () => void {
  let stopped = false;
  const first = (): void => {
    if (!stopped) stop();
    stopped = true;
  };
  const onSignal = (): void => {
    if (stopped) process.exit(EXIT.interrupted);
    first();
  };
  // The command itself listens for Ctrl-C, and exits at the second one.
  signal.addEventListener("abort", first);
  process.on("SIGTERM", onSignal);
  process.on("SIGHUP", onSignal);
  process.on("exit", exit);
  const parent = process.ppid;
  // Set by npm, pnpm and yarn for what they execute. Without them a parent may end: a server may outlive its shell.
  const isScript = env["npm_command"] !== undefined || env["npm_lifecycle_event"] !== undefined;
  const timer = setInterval(() => isScript && process.ppid !== parent && first(), PARENT_EVERY_MS);
  return () => {
    signal.removeEventListener("abort", first);
    process.off("SIGTERM", onSignal);
    process.off("SIGHUP", onSignal);
    process.off("exit", exit);
    clearInterval(timer);
  };
}
