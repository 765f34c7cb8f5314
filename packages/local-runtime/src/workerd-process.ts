/**
 * Finds and kills the workerd process that miniflare started.
 *
 * Owns: the identity of the current process. miniflare starts another one on the same address when it dies.
 */
import type { ChildProcess } from "node:child_process";
import diagnostics from "node:diagnostics_channel";
import { once } from "node:events";
import { basename } from "node:path";
import { until } from "./until.ts";

const RESTART_MS_MAX = 20_000;

export type CurrentWorkerd = () => ChildProcess | undefined;

/** Watches for each workerd that this process starts after this call. Returns the newest one that is alive. */
export function watchWorkerd(): CurrentWorkerd {
  let newest: ChildProcess | undefined;
  diagnostics.subscribe("child_process", (message) => {
    const { process: child } = message as { process: ChildProcess };
    // The executable of a child is known only after the spawn.
    child.once("spawn", () => {
      if (basename(child.spawnfile).startsWith("workerd")) newest = child;
    });
  });
  return () => (newest !== undefined && isAlive(newest) ? newest : undefined);
}

function isAlive(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null;
}

/** Kills workerd with SIGKILL. Resolves when the next workerd answers at `url`. */
export async function killAndAwaitNext(workerd: CurrentWorkerd, url: string): Promise<void> {
  const victim = workerd();
  if (victim === undefined) throw new Error("There is no workerd to kill.");
  const gone = once(victim, "exit");
  victim.kill("SIGKILL");
  await gone;
  await until("a new workerd answers", RESTART_MS_MAX, async () => {
    if (workerd() === undefined) return false;
    const response = await fetch(`${url}/healthz`).catch(() => undefined);
    await response?.body?.cancel();
    return response?.ok ?? false;
  });
}
