/**
 * Kills a process when this process has been killed.
 *
 * Owns: the shell that waits for it. Only this process has the other end of the shell's pipe open: if the pipe ends without
 * a line, this process was killed.
 */
import diagnostics from "node:diagnostics_channel";
import { type ChildProcess, spawn } from "node:child_process";

const SCRIPT = "read -r _ || kill -KILL $1";

/** Guards each process that `start` begins with this executable, until it has ended. `ended` is called then. */
export async function guarded<T>(
  executable: RegExp,
  start: () => Promise<T>,
  ended: () => void = () => {},
): Promise<T> {
  const begun = (message: unknown): void => {
    const { process: child } = message as { readonly process: ChildProcess };
    // The executable of a child is known only after the spawn.
    child.once("spawn", () => {
      if (!executable.test(child.spawnfile)) return;
      guard(child);
      child.once("exit", ended);
    });
  };
  diagnostics.subscribe("child_process", begun);
  try {
    return await start();
  } finally {
    diagnostics.unsubscribe("child_process", begun);
  }
}

function guard(child: ChildProcess): void {
  const shell = spawn("/bin/sh", ["-c", SCRIPT, "sh", String(child.pid)], {
    // Ctrl-C in a terminal must not reach it.
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
  shell.unref();
  shell.stdin?.on("error", () => {});
  const end = (): void => void shell.stdin?.end("ended\n");
  child.once("exit", end);
}
