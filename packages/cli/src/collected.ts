/**
 * Starts of workflows that collect their triggers (WIN1).
 *
 * Owns: the start of a run for which the user has chosen neither id nor key, and the wait until a collected run exists.
 */
import type { Client, RunHandle, TriggerOptions } from "@holdfast/workflows/client";
import { asApiFailure, mayReturn } from "./exit.ts";
import { pause } from "./io.ts";
import { safe } from "./output/safe-text.ts";
import { instant } from "./output/times.ts";
import { newRunId } from "./select/new-id.ts";
import type { Session } from "./session.ts";
import { whileItRuns } from "./show-run.ts";

const POLL_MS = 1_000;

/**
 * Starts a run with an id that sorts by time. A workflow that collects its triggers refuses each id, and nothing is stored
 * then (WIN3): the client chooses a key in its place. Any other mistake in the request is refused again.
 */
export async function triggerWithNewId(
  client: Client,
  workflow: string,
  input: unknown,
  settings: TriggerOptions,
  now: number,
): Promise<RunHandle> {
  try {
    return await client.trigger(workflow, input, { ...settings, runId: newRunId(now) });
  } catch (error) {
    if (asApiFailure(error)?.code !== "invalid_body") throw error;
    return client.trigger(workflow, input, settings);
  }
}

/** Says when a collected run starts. Returns whether the run is one. */
export function sayIfCollected({ notes }: Session, { record }: RunHandle): boolean {
  const { startsAt, count = 1 } = (record ?? {}) as { readonly startsAt?: number; readonly count?: number };
  if (startsAt === undefined) return false;
  const triggers = count === 1 ? "1 trigger" : `${count} triggers`;
  notes.say(
    safe`The workflow collects triggers, ${triggers} so far. The run exists from its start, at ${instant(startsAt)} unless more triggers change that.`,
  );
  return true;
}

/** Waits until a collected run exists. More triggers may delay that, so no time of it is final. */
export function untilItExists(session: Session, run: RunHandle, timeout: string | undefined): Promise<void> {
  return whileItRuns(session, run.id, timeout, (limit) => {
    const signal = AbortSignal.any(limit === undefined ? [session.io.signal] : [session.io.signal, limit]);
    return session.notes.progress(
      () => safe`Waiting for the start of ${run.id}. Ctrl-C stops waiting; the run starts all the same.`,
      async () => {
        while (!(await exists(run, signal))) await pause(POLL_MS, signal);
      },
    );
  });
}

async function exists(run: RunHandle, signal: AbortSignal): Promise<boolean> {
  try {
    await run.get({ view: "result", signal });
    return true;
  } catch (error) {
    if (signal.aborted || (asApiFailure(error)?.status !== 404 && !mayReturn(error))) throw error;
    return false;
  }
}
