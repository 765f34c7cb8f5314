/** A process of workerd that the suites of this folder start and kill. */
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";

/** Resolves with the URL of the process when it serves. It reports its port on the descriptor of `--control-fd 3`. */
export async function urlOf(workerd: ChildProcess): Promise<string> {
  // Read stderr: a full pipe would block workerd.
  workerd.stderr?.resume();
  const [message] = (await once(workerd.stdio[3] as NodeJS.ReadableStream, "data", {
    signal: AbortSignal.timeout(10_000),
  })) as [Buffer];
  const { port } = JSON.parse(message.toString()) as { readonly port: number };
  return `http://127.0.0.1:${port}`;
}

/** Kills the process, if it has not ended, and resolves when it is gone. */
export async function kill(workerd: ChildProcess | undefined): Promise<void> {
  if (workerd === undefined || workerd.exitCode !== null || workerd.signalCode !== null) return;
  const gone = once(workerd, "exit");
  workerd.kill("SIGKILL");
  await gone;
}
