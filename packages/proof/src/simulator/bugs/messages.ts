/**
 * Deliberate bugs between the parts: start messages, reports, and messages to other runs that are wrong.
 *
 * Owns: the bugs that change a message.
 */
import { type ExecutionEvent, type ExecutionStart, type JournalEntry, isOutcome } from "@holdfast/protocol";
import type { Bug } from "./types.ts";

/** Returns a bug that changes each event of a report. `undefined` drops it. */
function changingEvents(change: (event: ExecutionEvent) => ExecutionEvent | undefined): Bug {
  return { report: (report) => ({ ...report, events: report.events.flatMap((event) => change(event) ?? []) }) };
}

/** Returns a bug that hides entries of the journal from executions that replay. */
function hiding(hides: (entry: JournalEntry) => boolean): Bug {
  const page = (entries: readonly JournalEntry[]): readonly JournalEntry[] => entries.filter((entry) => !hides(entry));
  return { start: (start) => ({ ...start, journal: page(start.journal) }), page };
}

/** The ids of the shielded steps of programs. */
const CLEAN_UP = /^step\/\d+\/c\d+$/;

export type MessageBug =
  | "accept reports of superseded executions"
  | "reorder outcomes"
  | "execute a once step again"
  | "compensate again"
  | "lose a compensation"
  | "ignore the delay of retries"
  | "lose a withdrawal"
  | "forget a withdrawal on replay"
  | "compensate clean-up"
  | "execute clean-up again"
  | "lose a chunk"
  | "store a chunk twice"
  | "open waits that are too long"
  | "start a child under another id"
  | "believe that a silent execution lives"
  | "accept messages about deleted runs"
  | "reject without a handler";

export const MESSAGE_BUGS: Readonly<Record<MessageBug, Bug>> = {
  "accept reports of superseded executions": { zombieReport: (report, epoch) => ({ ...report, epoch }) },
  "reorder outcomes": { start: (start) => ({ ...start, journal: swapOutcomes(start.journal) }) },
  "execute a once step again": hiding((entry) => entry.type === "step.started"),
  "compensate again": hiding((entry) => entry.op.startsWith("compensation/") && isOutcome(entry)),
  "lose a compensation": changingEvents((event) => {
    if (event.type !== "step.completed") return event;
    const { compensable: _compensable, ...rest } = event;
    return rest;
  }),
  "ignore the delay of retries": changingEvents((event) =>
    event.type === "step.failed" && event.retry !== null
      ? { ...event, retry: { ...event.retry, initialMs: 1 } }
      : event,
  ),
  // The orchestrator does not know the race, so its other waits stay open.
  "lose a withdrawal": changingEvents((event) => (event.type === "race.opened" ? undefined : event)),
  "forget a withdrawal on replay": hiding((entry) => entry.type === "wait.released"),
  "compensate clean-up": changingEvents((event) =>
    event.type === "step.completed" && event.shielded === true ? { ...event, compensable: true } : event,
  ),
  "execute clean-up again": hiding((entry) => CLEAN_UP.test(entry.op) && isOutcome(entry)),
  "lose a chunk": changingEvents((event) => (event.type === "stream.chunks" && event.first === 1 ? undefined : event)),
  "store a chunk twice": changingEvents((event) =>
    event.type === "stream.chunks" && event.first === 1
      ? { ...event, chunks: [...event.chunks, ...event.chunks] }
      : event,
  ),
  "open waits that are too long": changingEvents((event) =>
    event.type === "wait.opened" && event.afterMs !== undefined && event.afterMs > 1_000
      ? { ...event, afterMs: event.afterMs + 100 }
      : event,
  ),
  "start a child under another id": {
    message: (message) =>
      message.type === "trigger"
        ? { ...message, trigger: { ...message.trigger, runId: `${message.trigger.runId}x` } }
        : message,
  },
  "believe that a silent execution lives": { hidesLosses: true },
  "accept messages about deleted runs": { forgetsDeletions: true },
  "reject without a handler": {
    zombieReport: (report) => {
      void Promise.reject(new Error("a promise of the engine"));
      return report;
    },
  },
};

/** Swaps the last two outcomes that are adjacent. */
function swapOutcomes(journal: ExecutionStart["journal"]): ExecutionStart["journal"] {
  const at = journal.findLastIndex(
    (entry, place) => place > 0 && isOutcome(entry) && isOutcome(journal[place - 1] ?? entry),
  );
  const [first, second] = [journal[at - 1], journal[at]];
  if (first === undefined || second === undefined) return journal;
  return journal.with(at - 1, { ...second, seq: first.seq }).with(at, { ...first, seq: second.seq });
}
