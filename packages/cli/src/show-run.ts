/**
 * Prints one run, and waits for its end (CLI3).
 *
 * Owns: the wait. It outlives a server that restarts: only the first request must be answered.
 */
import type { RunHandle, RunRecord, RunResult, ShownRun } from "@holdfast/workflows/client";
import { EXIT, type ExitCode, TimedOut, mayReturn } from "./exit.ts";
import { runPage } from "./output/run-text.ts";
import { safe } from "./output/safe-text.ts";
import type { Session } from "./session.ts";

export async function printRun(session: Session, run: ShownRun<RunRecord>): Promise<void> {
  const { out, io } = session;
  await out.item(
    run,
    ({ id }) => id,
    (one) => runPage(one, { paint: out.paint, width: out.width, now: io.now() }),
  );
}

/** Waits for the end of a run, prints its record, and returns the exit code for its end. */
export async function waitAndPrint(session: Session, run: RunHandle, timeout: string | undefined): Promise<ExitCode> {
  const record = await waitWith(session, run, timeout, async (signal) => {
    await run.ended({ view: "result", signal });
    return run.get({ signal });
  });
  await printRun(session, record);
  return exitOf(session, record);
}

/** Returns the exit code for the end of a run, and says why it has no result. */
export function exitOf({ notes }: Session, { id, status, error }: RunResult): ExitCode {
  if (status === "completed") return EXIT.done;
  const why = error === undefined ? safe`` : safe`: ${error.code ?? error.name ?? "error"}: ${error.message}`;
  const where = error?.step === undefined ? safe`` : safe` in step ${error.step}`;
  notes.error([safe`the run ${id} ended ${status}${where}${why}`]);
  return EXIT.runFailed;
}

/** Waits for the end of a run. That costs as little for a long run as for a short one. */
export function waitForEnd(session: Session, run: RunHandle, timeout: string | undefined): Promise<RunResult> {
  return waitWith(session, run, timeout, (signal) => run.ended({ view: "result", signal }));
}

/** Waits with `wait`, which is repeated while the server restarts. */
async function waitWith<T>(
  session: Session,
  run: RunHandle,
  timeout: string | undefined,
  wait: (signal: AbortSignal | undefined) => Promise<T>,
): Promise<T> {
  const { notes, io } = session;
  const startedAt = io.now();
  const seconds = (): number => Math.floor((io.now() - startedAt) / 1_000);
  return whileItRuns(session, run.id, timeout, (signal) =>
    notes.progress(
      () => safe`Waiting for ${run.id}, ${seconds()} s. Ctrl-C stops waiting; the run continues.`,
      () => throughOutages(session, run, signal, wait),
    ),
  );
}

/** @throws TimedOut when the limit has passed; then, and after Ctrl-C, the run continues */
export async function whileItRuns<T>(
  session: Session,
  id: string,
  timeout: string | undefined,
  work: (signal: AbortSignal | undefined) => Promise<T>,
): Promise<T> {
  try {
    return await session.within(timeout, work);
  } catch (error) {
    if (error instanceof TimedOut || session.io.signal.aborted)
      session.notes.say(safe`The run continues. To wait again: holdfast result ${id}`);
    throw error;
  }
}

async function throughOutages<T>(
  session: Session,
  run: RunHandle,
  signal: AbortSignal | undefined,
  wait: (signal: AbortSignal | undefined) => Promise<T>,
): Promise<T> {
  // A run that cannot be read at first is an error of the caller; later, the server is restarting.
  sayIfPaused(session, await run.get({ view: "result", signal }));
  for (let reported = false; ; reported = true) {
    try {
      return await wait(signal);
    } catch (error) {
      if (signal?.aborted === true || session.io.signal.aborted || !mayReturn(error)) throw error;
      if (!reported) session.notes.say(safe`The server does not answer at the moment. Waiting for it.`);
    }
  }
}

/** Nothing ends the wait for a paused run but a person. */
function sayIfPaused({ notes }: Session, { id, status, error }: RunResult): void {
  if (status !== "paused") return;
  if (error === undefined) notes.say(safe`The run is paused by an operator. To continue it: holdfast unpause ${id}`);
  else
    notes.say(
      safe`The run is paused: ${error.code ?? ""}: ${error.message} To continue it, fix the cause: holdfast retry ${id}`,
    );
}
