/**
 * Acts on one run or many (CLI6).
 *
 * Owns: the rate, the concurrency, the report of each failure, and the exit code. Each run decides for itself; a refusal does
 * not stop the others. If the API cannot be reached, or the caller may not act, the rest is not tried.
 */
import type { Client } from "@holdfast/workflows/client";
import { EXIT, type ExitCode, UsageError, asApiFailure, describeError, exitCodeOf, isTemporary } from "../exit.ts";
import { pause } from "../io.ts";
import type { RowShape } from "../output/printer.ts";
import { type Text, safe } from "../output/safe-text.ts";
import { parseDuration } from "../output/times.ts";
import type { Session } from "../session.ts";
import { type Act, askConsent, checkConsent, runs, showSelection } from "./consent.ts";
import { type SelectOptions, selectRuns } from "./selection.ts";

const CONCURRENT = 8;

export interface Acting extends Act {
  readonly ids: readonly string[];
  readonly options: SelectOptions;
}

type Work<Row> = (client: Client, id: string) => Promise<Row>;

/** `shape`: how the result of each run is printed. */
export async function actOnRuns<Row>(
  session: Session,
  acting: Acting,
  work: Work<Row>,
  shape: RowShape<Row>,
): Promise<ExitCode | undefined> {
  const { options, ids: given, verb } = acting;
  const turn = pauseOf(options.rate, session.io.signal);
  const changes = verb !== "export";
  if (changes) await checkConsent(session, acting, options);
  const selection = await selectRuns(session, given, options);
  const { ids } = selection;
  if (ids.length === 0) {
    session.notes.say(safe`No run matches.`);
    return undefined;
  }
  if (options.dryRun === true) return showDryRun(session, verb, selection);
  if (changes) await askConsent(session, acting, selection, options);
  // A reader that has seen enough must not leave a part of the runs undone.
  if (changes) session.io.outliveReader?.();
  const state: State = { done: 0, failed: 0, exits: new Set() };
  try {
    await session.notes.progress(
      () => progressText(ids.length, state),
      async () => session.out.rows(perform(session, ids, work, turn, state), shape),
    );
  } finally {
    summarize(session, ids.length, state);
  }
  return exitFor(state);
}

function progressText(total: number, { done, failed }: State): Text {
  if (total === 1) return safe`Waiting for the server`;
  return safe`${done + failed} of ${runs(total)}${failed === 0 ? "" : `, ${failed} failed`}`;
}

interface State {
  done: number;
  failed: number;
  readonly exits: Set<ExitCode>;
}

async function showDryRun(
  session: Session,
  verb: string,
  selection: Parameters<typeof showSelection>[1],
): Promise<undefined> {
  const rows = selection.ids.map((id) => ({ id }));
  if (session.out.isTable) showSelection(session, selection);
  else await session.out.rows(rows, { id: ({ id }) => id, empty: "", columns: [] });
  session.notes.say(safe`Dry run: ${runs(rows.length)} would be the subject of ${verb}. Nothing was done.`);
  return undefined;
}

/** Yields the results in the order of the ids, with at most `CONCURRENT` runs in work. */
async function* perform<Row>(
  session: Session,
  ids: readonly string[],
  work: Work<Row>,
  turn: () => Promise<void>,
  state: State,
): AsyncGenerator<Row> {
  const client = await session.client();
  const active: Promise<readonly Row[]>[] = [];
  try {
    for (const id of ids) {
      await turn();
      const one = attempt(session, id, client, work, ids.length, state);
      // Its error is thrown in its turn.
      one.catch(() => {});
      active.push(one);
      if (active.length >= CONCURRENT) yield* (await active.shift()) ?? [];
    }
    while (active.length > 0) yield* (await active.shift()) ?? [];
  } finally {
    await Promise.allSettled(active);
  }
}

async function attempt<Row>(
  { notes, io }: Session,
  id: string,
  client: Client,
  work: Work<Row>,
  total: number,
  state: State,
): Promise<readonly Row[]> {
  try {
    const row = await work(client, id);
    state.done++;
    return [row];
  } catch (error) {
    if (io.signal.aborted) throw error;
    const exit = exitCodeOf(error);
    if (total === 1 || isTemporary(error) || exit === EXIT.unauthorized || asApiFailure(error) === undefined)
      throw error;
    state.failed++;
    state.exits.add(exit);
    const [line = safe``] = describeError(error);
    notes.say(safe`${notes.paint("red", id)}: ${line}`);
    return [];
  }
}

function summarize({ notes }: Session, total: number, { done, failed }: State): void {
  if (total === 1) return;
  const rest = total - done - failed;
  const parts = [
    `${done} done`,
    ...(failed === 0 ? [] : [`${failed} failed`]),
    ...(rest === 0 ? [] : [`${rest} not tried, or without an answer`]),
  ];
  notes.say(safe`${runs(total)}: ${parts.join(", ")}.`);
}

/** Many failures of one kind keep its code if nothing succeeded; otherwise a part was refused. */
function exitFor({ done, exits }: State): ExitCode | undefined {
  const [exit] = exits;
  return exits.size === 1 && done === 0 ? exit : exits.size === 0 ? undefined : EXIT.refused;
}

/** Returns a function that waits until the next run may begin. */
function pauseOf(rate: string | undefined, signal: AbortSignal): () => Promise<void> {
  if (rate === undefined) return async () => {};
  const [, count = "", unit = "s"] = /^([1-9]\d{0,6})(?:\/(ms|s|m|h|d))?$/.exec(rate) ?? [];
  if (count === "") throw new UsageError(`--rate: ${JSON.stringify(rate)} is not a rate, such as 20/s or 100/m.`);
  const everyMs = (parseDuration(`1${unit}`) ?? 1_000) / Number(count);
  let next = performance.now();
  return async () => {
    const wait = next - performance.now();
    next = Math.max(next, performance.now()) + everyMs;
    await pause(Math.max(0, wait), signal);
  };
}
