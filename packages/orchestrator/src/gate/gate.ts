/**
 * The gate: the object of one limit and key, which decides who holds.
 *
 * Owns: the dispatch of its inputs. `acquire.ts` admits, `queue.ts` orders, `probes.ts` asks holders, `operate.ts` is for
 * operators.
 *
 * Invariants
 * - L1 At each commit at most `max` holdings have places, unless `max` was lowered or a run holds by its own rows.
 * - L2 A place is freed by a release, or by the run's own answer. No answer frees nothing.
 * - L3 The same acquire or release again changes nothing.
 * - L5 Nothing is only in memory: the rows and the alarm are everything.
 */
import { HOST_LIMITS } from "@holdfast/protocol";
import { isActRecent } from "../host/acts.ts";
import type { CoordinatorMachine } from "../host/coordinator.ts";
import { acquire } from "./acquire.ts";
import { type Draft, Holders, applyHeld, isIdle } from "./holders.ts";
import {
  type AcquireAnswer,
  DEADLOCK_RUNS_MAX,
  type GateHolders,
  type GateMessage,
  type ProbeHolders,
  limitOf,
} from "./messages.ts";
import { list, unlist } from "./listing.ts";
import { type GateCommand, command } from "./operate.ts";
import { clockBack, holderAnswered, isHolderMessage, probeHolders } from "./probes.ts";
import { findQueued, removeQueued } from "./queue.ts";
import { isRevsQuestion, revsAnswered } from "./revs.ts";
import { type GateState, HELD_PREFIX, type HeldRow, heldKey, isHeldRow } from "./rows.ts";

export const gate: CoordinatorMachine<GateState> = {
  kind: "gate",
  load(store, header) {
    const held = new Map<string, HeldRow>();
    for (const [key, row] of store.list(HELD_PREFIX)) if (isHeldRow(row)) held.set(key, row);
    return { header, store, held };
  },
  first: (common) => ({
    ...common,
    ...limitOf(common.self.name),
    settings: { rev: 0 },
    queued: 0,
    arrivals: 1,
    turns: 1,
  }),
  applied: applyHeld,
  nextAlarm: ({ probeAt }) => probeAt,
  message(draft, message: GateMessage | ProbeHolders) {
    const holders = new Holders(draft);
    switch (message.type) {
      case "acquire":
        return { type: "acknowledged", answer: acquireOnce(holders, message) };
      case "release":
        if (!draft.isNew) release(holders, message);
        return { type: "acknowledged" };
      case "probeHolders":
        return { type: "acknowledged", answer: holdersOf(holders) };
      default:
        // Newer code sends it: the sender keeps it.
        return { type: "unreachable" };
    }
  },
  command: (draft, input: GateCommand) => command(draft, input),
  answered(draft, message, result) {
    if (isHolderMessage(message)) holderAnswered(new Holders(draft), message, result);
    else if (isRevsQuestion(message)) revsAnswered(new Holders(draft), message, result);
  },
  alarm,
  clockBack,
};

/** Counts the answer, unless the request is a repeated one. */
function acquireOnce(holders: Holders, message: GateMessage & { type: "acquire" }): AcquireAnswer {
  const { draft } = holders;
  const { hold, place } = message;
  const isKnown = draft.get(heldKey(hold)) !== undefined || findQueued(draft, hold, place) !== undefined;
  const answer = acquire(holders, message);
  if (!isKnown) draft.count("limit", answer.type);
  return answer;
}

/** Who holds, if only the end of a holding admits the next one, and the holders are few. */
function holdersOf(holders: Holders): GateHolders | undefined {
  if (holders.draft.header.paused !== undefined || !holders.isFull) return undefined;
  const found = holders.all().flatMap(([, { hold, released }]) => (released === true ? [] : [hold]));
  return found.length > DEADLOCK_RUNS_MAX ? undefined : { holders: found };
}

function release(holders: Holders, { hold, place }: GateMessage & { type: "release" }): void {
  const { draft } = holders;
  const queued = findQueued(draft, hold, place);
  if (queued !== undefined) removeQueued(draft, queued.key);
  holders.release(heldKey(hold));
}

function alarm(draft: Draft): void {
  const { probeAt } = draft.header;
  const holders = new Holders(draft);
  if (probeAt !== undefined && probeAt <= draft.now) draft.change({ probeAt: probeHolders(holders) });
  if (holders.all().length > 0) list(draft);
  holders.grantNext();
  if (isIdle(holders) && !unlist(draft) && !isActRecent(draft)) return draft.erase();
  // A gate that will be idle is forgotten then.
  const { tat = 0, queued } = draft.header;
  if (draft.header.probeAt === undefined && queued === 0)
    draft.change({ probeAt: Math.max(Math.ceil(tat), draft.now + HOST_LIMITS.probeMsMin) });
}
