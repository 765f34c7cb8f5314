/**
 * The list of replay flags (REP8).
 *
 * Owns: the name and the reason of each flag. What a flag changes is in `replay-profile.ts`, so that the texts stay out
 * of the author's bundle. A change of any row of `REPLAY_RULES` needs a new flag, and the old behaviour stays for runs
 * without it.
 */

export interface ReplayFlag {
  readonly id: number;
  readonly name: string;
  /** The first version whose new runs have it. */
  readonly since: string;
  readonly why: string;
}

export const REPLAY_FLAGS: readonly ReplayFlag[] = [
  {
    id: 1,
    name: "flagsAreRecorded",
    since: "0.1.0",
    why: "Runs before it store no flags. It changes nothing else: it marks the runs whose list of flags is complete.",
  },
];

/** What decides an order on replay. Most rows are code and not numbers; the golden test of races pins all of them. */
export const REPLAY_RULES: readonly { readonly name: string; readonly rule: string }[] = [
  { name: "shortTicks", rule: "Between operations of a plain sequence the function gets 24 microtasks." },
  { name: "atOnceTicks", rule: "A body that ends within 10 microtasks ends at once; the same time passes on replay." },
  { name: "shortInARowMax", rule: "After 256 short pauses in a row the scheduler waits for a whole turn." },
  {
    name: "markedLate",
    rule: "A body that does not end at once has a quiet outcome, and so has every outcome in a report over a pipe.",
  },
  {
    name: "turnBeforeOutcome",
    rule: "An outcome gets a whole turn before it if it is quiet, if its operation was retried, if the run unwinds from outside, or if the sequence is not plain.",
  },
  {
    name: "plainSequence",
    rule: "A sequence is plain if one operation is open, none was open at the last outcome, and it was requested since.",
  },
  {
    name: "loopAwaits",
    rule: "The scheduler awaits once before its first round, and in each round what one pause takes and nothing else.",
  },
  {
    name: "settleInOneStep",
    rule: "An outcome resolves the operation's own promise at once; the next round of the scheduler follows in the same microtask.",
  },
  {
    name: "bodyAwaits",
    rule: "A body's result is reported two microtasks after the body's promise settles; the report is answered at once inline.",
  },
  {
    name: "operationChains",
    rule: "The number of promises between an operation and what ctx.step, ctx.sleep, the waits, ctx.invoke, ctx.parallel, ctx.group and streams return.",
  },
  {
    name: "oneOutcomeAtATime",
    rule: "Entries are delivered in the order of seq, each after the function requested asked operations.",
  },
  {
    name: "numbering",
    rule: "Operations are numbered by kind and name in the order of the calls; refused calls do not count.",
  },
  {
    name: "announceOrder",
    rule: "Waits, children and metadata are reported before bodies start, in the order of the calls.",
  },
  {
    name: "unwindOrder",
    rule: "Compensations run one after the other, last completed step first; those that a group began come first.",
  },
  { name: "generator", rule: "ctx.random and ctx.randomUUID draw from xoshiro128** with the run's seed." },
  {
    name: "clock",
    rule: "ctx.now gives the time of the newest outcome that the function has received, or clockStart.",
  },
];
