/**
 * A long journal in pages, over a pipe to another process (REP6).
 *
 * Owns: the agreement with the other side. A start with a first page has its own version of the protocol. Code that
 * cannot read pages refuses it before it executes anything, and gets a start with the whole journal. So each start is
 * understood or refused, whatever instance of the other side receives it.
 */
import {
  type ErrorValue,
  type ExecutionPort,
  type ExecutionStart,
  type ExecutionUpdate,
  HOST_LIMITS,
  type JournalEntry,
  type LiveExecution,
  PAGED_PROTOCOL_VERSION,
  type StepDispatcher,
} from "@holdfast/protocol";

type Start = StepDispatcher["start"];

/**
 * Returns the methods of a dispatcher whose executions read pages. `begin` starts one at the other end of the pipe. `now`: ms
 * since 1970.
 */
export function inPages(
  begin: Start,
  now: () => number = () => Date.now(),
): Required<Pick<StepDispatcher, "start" | "readsPages">> {
  /** After a refusal the other side gets whole journals until then: it may be updated, or have several instances. */
  let refusedUntil = 0;
  const refused = (): void => {
    refusedUntil = now() + REFUSED_MS;
  };
  return {
    readsPages: () => {
      const restMs = refusedUntil - now();
      // After a clock was set back it would last longer.
      return restMs > 0 && restMs <= REFUSED_MS ? false : "later";
    },
    start: (start, port) =>
      start.more === undefined ? begin(start, port) : new PagedExecution(start, port, begin, refused),
  };
}

const REFUSED_MS = HOST_LIMITS.connectAgainMs;

class PagedExecution implements LiveExecution {
  #start: ExecutionStart;
  readonly #port: ExecutionPort;
  readonly #begin: Start;
  readonly #refused: () => void;
  #live: LiveExecution;
  /** The other side has read a page or made a report. */
  #accepted = false;

  constructor(start: ExecutionStart, port: ExecutionPort, begin: Start, refused: () => void) {
    this.#start = start;
    this.#port = port;
    this.#begin = begin;
    this.#refused = refused;
    this.#live = begin(
      { ...start, protocol: PAGED_PROTOCOL_VERSION },
      {
        ...port,
        report: (report) => {
          this.#accepted = true;
          return port.report(report);
        },
        readPage: (after) => {
          this.#accepted = true;
          return port.readPage?.(after) ?? [];
        },
        lost: (error) => this.#lost(error),
      },
    );
  }

  update(update: ExecutionUpdate): void {
    // If the start is refused, the next one has the update's entries in its journal.
    this.#start = { ...this.#start, now: update.now, paused: update.paused ?? this.#start.paused };
    this.#live.update(update);
  }

  abort(...given: Parameters<LiveExecution["abort"]>): void {
    // No other start follows.
    this.#accepted = true;
    this.#live.abort(...given);
  }

  stepsInProgress(): ReturnType<NonNullable<LiveExecution["stepsInProgress"]>> {
    return this.#live.stepsInProgress?.() ?? [];
  }

  ping(answered: () => void): void {
    this.#live.ping?.(answered);
  }

  #lost(error: ErrorValue): void {
    if (this.#accepted || error.code !== "PROTOCOL_MISMATCH") return this.#port.lost(error);
    const { more: _more, ...start } = this.#start;
    // A side that refuses the whole journal, too, refuses something else than pages.
    const report: ExecutionPort["report"] = (given) => {
      // Once: an execution of a side that was updated since may report for long.
      if (!this.#accepted) this.#refused();
      this.#accepted = true;
      return this.#port.report(given);
    };
    this.#live = this.#begin({ ...start, journal: this.#wholeJournal() }, { ...this.#port, report });
  }

  #wholeJournal(): JournalEntry[] {
    const journal = [...this.#start.journal];
    const read = (): readonly JournalEntry[] => {
      // A cast: the orchestrator reads its own journal synchronously.
      return (this.#port.readPage?.(journal.at(-1)?.seq ?? 0) ?? []) as readonly JournalEntry[];
    };
    for (let page = read(); page.length > 0; page = read()) journal.push(...page);
    return journal;
  }
}
