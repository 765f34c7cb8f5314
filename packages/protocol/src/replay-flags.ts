/**
 * The list of replay flags (REP8).
 *
 * Owns: the name and the reason of each flag. The change that a flag makes is in `replay-profile.ts`, so the author's bundle
 * does not contain these texts. A change of a row of `REPLAY_RULES` needs a new flag. Runs without the flag keep the old
 * behaviour.
 */

export interface ReplayFlag {
  readonly id: number;
  readonly name: string;
  /** The first version that gives the flag to new runs. */
  readonly since: string;
  readonly why: string;
}

export const REPLAY_FLAGS: readonly ReplayFlag[] = [
  {
    id: 1,
    name: "flagsAreRecorded",
    since: "0.1.0",
    why: "Earlier runs store no flags. It only marks the runs whose list of flags is complete.",
  },
  {
    id: 2,
    name: "pastTimesOfWaits",
    since: "0.1.0",
    why: "A wait whose time has come when it opens ends in the commit that opens it. Before, an alarm ended it. A negative number as the duration of a wait counts as 0. Before, the call threw an error.",
  },
  {
    id: 3,
    name: "patternsAreChecked",
    since: "0.1.0",
    why: "A wait whose pattern no payload can match throws INVALID_ARGUMENT. Before, it was opened and never ended.",
  },
  {
    id: 4,
    name: "waitsAreUsedOnce",
    since: "0.1.0",
    why: "The first await or the first turn of a loop takes the wait that a call opened, and each later turn opens another. Before, the promise and each loop began with the same delivery.",
  },
  {
    id: 8,
    name: "cleansUp",
    since: "0.1.0",
    why: "A cancel or an expired time budget of a run that has executed begins an execution, so that its clean-up code runs. Before, a run with nothing to compensate ended at once.",
  },
  {
    id: 9,
    name: "randomnessIsKeyed",
    since: "0.1.0",
    why: "ctx.random and ctx.randomUUID draw from the keystream of ChaCha20, with the run's seed as key. Before, they drew from xoshiro128**, whose next values follow from those that a reader has seen.",
  },
];

/** The rules that determine the order of a replay. Most are code and not numbers; the golden test of races checks all. */
export const REPLAY_RULES: readonly { readonly name: string; readonly rule: string }[] = [
  { name: "shortTicks", rule: "Between operations of a plain sequence the function gets 24 microtasks." },
  { name: "atOnceTicks", rule: "A body that ends within 10 microtasks ends at once; the same time passes on replay." },
  {
    name: "shortInARowMax",
    rule: "After 256 short pauses in a row the scheduler waits for a whole turn of the event loop.",
  },
  {
    name: "markedLate",
    rule: "The outcome of a body that does not end at once is quiet, and so is each outcome in a report over a transport.",
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
    rule: "The scheduler awaits once before its first round, and awaits only one pause in each round.",
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
    rule: "The number of promises between an operation and the result of ctx.step, ctx.sleep, the waits, ctx.invoke, ctx.parallel, ctx.group and streams is fixed.",
  },
  {
    name: "oneOutcomeAtATime",
    rule: "Entries are delivered in the order of seq, each after the function has requested the number of operations in asked.",
  },
  {
    name: "numbering",
    rule: "Operations are numbered by kind and name in the order of the calls; rejected calls do not count.",
  },
  {
    name: "announceOrder",
    rule: "Waits, children and metadata are reported before bodies start, in the order of the calls.",
  },
  {
    name: "dueWaitsEndAtOnce",
    rule: "A wait that is due when it opens takes a buffered delivery, or ends with a quiet outcome after the other events of its report.",
  },
  {
    name: "raceSettles",
    rule: "ctx.race settles by the native race over one promise per member, after the member's own. Releases are quiet outcomes after the winner.",
  },
  {
    name: "unwindOrder",
    rule: "Compensations run sequentially, last completed step first; those that a group had started run before all others.",
  },
  {
    name: "generator",
    rule: "ctx.random and ctx.randomUUID draw 32 bits at a time, little-endian, from ChaCha20 with the run's seed twice as key and a nonce of zeros.",
  },
  {
    name: "clock",
    rule: "ctx.now returns the time of the newest outcome that the function has received, or clockStart.",
  },
];
