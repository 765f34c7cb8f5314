/**
 * Deliberate bugs of the orchestrator: decisions that are wrong.
 *
 * Owns: the bugs that replace the transition. The checks of `checkedTransition` see the right decision.
 */
import {
  type HostContext,
  type Input,
  type RunHeader,
  type RunState,
  type Transition,
  nextAlarm,
  storedAfter,
  type transition,
} from "@holdfast/orchestrator";
import type { Bug } from "./types.ts";

type Decide = typeof transition;

/** Returns a bug that changes a decision. */
function changing(
  change: (decided: Transition, input: Input, state: RunState, context: HostContext) => Transition,
): Bug {
  const decide =
    (right: Decide): Decide =>
    (state, input, context) =>
      change(right(state, input, context), input, state, context);
  return { decide };
}

/** Returns a bug that changes the header that is written. */
function changingHeader(change: (header: RunHeader, input: Input, before: RunHeader | undefined) => RunHeader): Bug {
  return changing((decided, input, state) => {
    const header = decided.batch.puts.get("record") as RunHeader | undefined;
    if (header === undefined) return decided;
    const changed = change(header, input, state.header);
    if (changed === header) return decided;
    const { alarm: _alarm, ...batch } = decided.batch;
    const puts = new Map(batch.puts).set("record", changed);
    const { header: before } = state;
    const alarm = nextAlarm(storedAfter(state, { ...batch, puts }).header ?? changed);
    const set = before === undefined || input.type === "alarm" ? null : nextAlarm(before);
    return { ...decided, batch: { ...batch, puts, ...(alarm === set ? {} : { alarm }) } };
  });
}

export type DecisionBug =
  | "settle timers early"
  | "set the alarm late"
  | "forget the watchdog"
  | "lose a cancel"
  | "count pauses against the budget"
  | "never update the index at the end"
  | "accept a delivery twice"
  | "execute a repeated act again"
  | "accept answers that do not fit"
  | "leave asks in the index"
  | "start bodies during a pause";

export const DECISION_BUGS: Readonly<Record<DecisionBug, Bug>> = {
  "settle timers early": {
    decide:
      (right: Decide): Decide =>
      (state, input, context) => {
        const early = input.type === "alarm" || input.type === "deliver" ? 500 : 0;
        return right(state, input, { ...context, now: context.now + early });
      },
  },
  "set the alarm late": changing((decided) => {
    const { alarm } = decided.batch;
    return typeof alarm === "number" ? { ...decided, batch: { ...decided.batch, alarm: alarm + 2_000 } } : decided;
  }),
  "forget the watchdog": changingHeader((header) => {
    const { watchdogAt, ...rest } = header;
    return watchdogAt === undefined || header.epoch < 2 ? header : rest;
  }),
  "lose a cancel": changing((decided, input) =>
    input.type === "cancel" && decided.reply.type === "done"
      ? { batch: { puts: new Map(), deletes: new Set() }, effects: [], reply: decided.reply }
      : decided,
  ),
  "count pauses against the budget": changingHeader((header, input) => {
    const { deadlineAt, startedAt, timeoutMs } = header;
    if (input.type !== "unpause" && input.type !== "retry") return header;
    if (deadlineAt === undefined || startedAt === undefined || timeoutMs === undefined) return header;
    return { ...header, deadlineAt: startedAt + timeoutMs };
  }),
  "never update the index at the end": changingHeader((header) => {
    if (header.index?.owed === undefined || header.endedAt === undefined) return header;
    const { owed: _owed, ...index } = header.index;
    return { ...header, index };
  }),
  "execute a repeated act again": {
    decide:
      (right: Decide): Decide =>
      (state, input, context) => {
        if (!("requestKey" in input)) return right(state, input, context);
        const { requestKey, ...rest } = input;
        const decided = right(state, rest, context);
        const puts = [...decided.batch.puts].map(
          ([key, row]) => [key, key.startsWith("audit/") ? { ...row, requestKey } : row] as const,
        );
        return { ...decided, batch: { ...decided.batch, puts: new Map(puts) } };
      },
  },
  "accept a delivery twice": {
    decide:
      (right: Decide): Decide =>
      (state, input, context) => {
        const decided = right(state, input, context);
        const isDuplicate = decided.reply.type === "delivered" && decided.reply.delivery === "duplicate";
        if (!isDuplicate || input.type !== "deliver") return decided;
        return right(state, { ...input, deliveryId: undefined }, context);
      },
  },
  "accept answers that do not fit": {
    decide:
      (right: Decide): Decide =>
      (state, input, context) => {
        const { header } = state;
        if (input.type !== "resolveToken" || header === undefined) return right(state, input, context);
        const waits = header.waits.map(({ ask: _ask, ...wait }) => wait);
        return right({ ...state, header: { ...header, waits } }, input, context);
      },
  },
  "leave asks in the index": changingHeader((header, _input, before) => {
    const closes = before?.waits.some(
      ({ ask, op }) => ask !== undefined && header.waits.every((wait) => wait.op !== op),
    );
    if (closes !== true || header.index?.owed === undefined) return header;
    const { owed: _owed, ...index } = header.index;
    return { ...header, index };
  }),
  "start bodies during a pause": changing((decided) => ({
    ...decided,
    effects: decided.effects.map((effect) =>
      effect.type === "update" && effect.update.paused === true
        ? { ...effect, update: { ...effect.update, paused: false } }
        : effect,
    ),
  })),
};
