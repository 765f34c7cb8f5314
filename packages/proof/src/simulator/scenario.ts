/**
 * A scenario: a program, the actions of callers, and the faults.
 *
 * Owns: the scenario as plain data, which can be printed, shrunk and stored as a test, and the generation from a seed.
 */
import { DEFAULT_LIMITS, type LimitName, type Limits } from "@holdfast/protocol";
import type { AlarmFault, MemoryHostOptions, MessageFault, StartFault } from "@holdfast/workflows/testing";
import { type Program, allKinds, makeProgram, needsSessions } from "./program.ts";
import {
  FRAME_FAULTS,
  type FrameFault,
  type HandlerBounds,
  STATELESS_FAULTS,
  TURN_FAULTS,
  type TurnFault,
  makeHandlerBounds,
  makeStartFault,
} from "./pipes.ts";
import { Random } from "./random.ts";

/** An action from outside, `afterMs` after the previous action. `run` selects one of the runs that have not ended. */
export interface Action {
  readonly afterMs: number;
  readonly run: number;
  readonly act:
    | {
        readonly type: "deliver";
        readonly on: "signal" | "event";
        readonly name: string;
        /** Two actions with the same number are the same delivery. */
        readonly delivery: number;
      }
    | { readonly type: "jump" | "set back"; readonly ms: number }
    | {
        readonly type:
          | "token"
          | "trigger again"
          | "cancel"
          | "delete children"
          | "rebuild index"
          | "terminate"
          | "pause"
          | "unpause"
          | "evict"
          | "zombie"
          | "change code"
          | "restore code";
      };
}

/** A fault. `at` is the position in the sequence of all commits, messages, alarms or executions of the world. */
export type Fault =
  | { readonly at: number; readonly type: "crash before" | "crash after" | "zombie after" | "commit fails" }
  | { readonly at: number; readonly type: "message" | "index"; readonly fault: MessageFault }
  | { readonly at: number; readonly type: "alarm"; readonly fault?: AlarmFault }
  | { readonly at: number; readonly type: "start"; readonly fault: StartFault }
  | { readonly at: number; readonly type: "turn"; readonly fault: TurnFault }
  | { readonly at: number; readonly type: "frame"; readonly fault: FrameFault };

/** Faults of a commit. */
export const COMMIT_FAULTS: ReadonlySet<Fault["type"]> = new Set([
  "crash before",
  "crash after",
  "zombie after",
  "commit fails",
]);

/** Actions that may delay a run. */
export const DISTURBING: ReadonlySet<Action["act"]["type"]> = new Set([
  "jump",
  "set back",
  "pause",
  "unpause",
  "change code",
  "restore code",
]);

export interface Scenario {
  readonly program: Program;
  readonly timeoutMs: number | undefined;
  /** Which executions run at the other end of a pipe; `by turns`: every second one. */
  readonly remote: "never" | "always" | "by turns";
  /** A process that dies loses the commits that are not durable (S4). */
  readonly loses?: true;
  /** How long ended children are stored, ms. Absent: they stay. */
  readonly retentionMs?: number;
  /** Remote executions are in step handlers with these bounds, and their messages are turns. Absent: messages in memory. */
  readonly turns?: HandlerBounds;
  /** The limit of a stored value, in characters: larger rows are in parts (S3). Absent: no limit. */
  readonly partChars?: number;
  /** Limits that are smaller than the default. */
  readonly limits?: Partial<Limits>;
  /** The replay flags of all runs. Absent: the newest ones. */
  readonly flags?: readonly number[];
  readonly actions: readonly Action[];
  readonly faults: readonly Fault[];
  /** At the end the root run is resumed from the step with this position in its journal. */
  readonly resume: number | undefined;
}

const NAMES = ["a", "a", "b", "b", "c"] as const;

/** Scenarios of these seeds and higher ones have step handlers, which are reached by turns. */
export const TURN_SEEDS = 2_000_000_000;
/** Scenarios of these seeds and higher ones have step handlers with connections. */
export const FRAME_SEEDS = 3_000_000_000;

/** Makes a scenario. One integer determines all of it. */
export function makeScenario(seed: number): Scenario {
  const random = new Random(seed);
  const program = makeProgram(random);
  const deliveries = { count: 0 };
  const scenario: Scenario = {
    program,
    timeoutMs: random.chance(0.1) ? 1_000 + random.below(10_000) : undefined,
    remote: random.chance(0.6) ? "never" : random.pick(["always", "by turns"] as const),
    actions: Array.from({ length: random.below(8) }, () => makeAction(random, deliveries)),
    faults: random.chance(0.15) ? [] : Array.from({ length: 1 + random.below(6) }, () => makeFault(random)),
    resume: random.chance(0.2) ? random.below(4) : undefined,
    ...(random.chance(0.5) ? { loses: true } : {}),
    ...(random.chance(0.2) ? { retentionMs: random.pick([0, 1 + random.below(5_000)]) } : {}),
    ...(random.chance(0.15) ? { limits: makeLimits(random) } : {}),
  };
  const older = random.chance(0.2) ? { ...scenario, program: withOlderRules(program), flags: [1] } : scenario;
  const divided = random.chance(0.2) ? { ...older, partChars: 1 + random.below(400) } : older;
  const turned = seed >= TURN_SEEDS ? withTurns(divided, random) : divided;
  return seed >= FRAME_SEEDS ? withFrames(turned, random) : turned;
}

/** Handlers with sessions, and faults of upgrades and frames. Requests have their faults too. */
function withFrames(scenario: Scenario, random: Random): Scenario {
  const { turns } = scenario;
  if (turns === undefined) return scenario;
  const connectionsMax = random.pick([1, 1_000, 1_000, 1_000]);
  const faults = Array.from({ length: random.below(8) }, (): Fault => {
    return { at: random.below(60), type: "frame", fault: random.pick(FRAME_FAULTS) };
  });
  return {
    ...scenario,
    turns: { ...turns, stateless: false, connectionsMax, connectAfter: random.pick([0, 0, 1, 2]) },
    faults: [...scenario.faults, ...faults],
  };
}

function withTurns(scenario: Scenario, random: Random): Scenario {
  const turns = makeHandlerBounds(random, needsSessions(scenario.program));
  const kinds = turns.stateless ? STATELESS_FAULTS : TURN_FAULTS;
  const faults = Array.from({ length: random.below(6) }, (): Fault => {
    return { at: random.below(40), type: "turn", fault: random.pick(kinds) };
  });
  const remote = random.chance(0.7) ? "always" : "by turns";
  return { ...scenario, remote, turns, faults: [...scenario.faults, ...faults] };
}

/**
 * A program for a run with older flags: there a negative duration is an error, and a second loop over a wait sees the first
 * delivery again.
 */
function withOlderRules(program: Program): Program {
  return JSON.parse(JSON.stringify(program), (key, value) => {
    if (key === "twice") return undefined;
    return typeof value === "number" ? Math.max(value, 0) : value;
  });
}

/** The smallest and the largest value of each limit that programs reach. */
const REACHED: readonly (readonly [LimitName, number, number])[] = [
  ["openWaits", 1, 3],
  ["journalEntries", 1, 12],
  ["inboxDeliveries", 1, 2],
  ["inboxChars", 1, 60],
  ["deliveryIds", 1, 3],
  ["streamChunks", 1, 2],
  ["streamChars", 1, 20],
  ["openChildren", 0, 1],
  ["outboxMessages", 0, 2],
  ["auditRows", 1, 2],
];

function makeLimits(random: Random): Partial<Limits> {
  const chosen = Array.from({ length: 1 + random.below(2) }, () => random.pick(REACHED));
  return Object.fromEntries(chosen.map(([name, least, most]) => [name, least + random.below(most - least + 1)]));
}

function makeAction(random: Random, deliveries: { count: number }): Action {
  const target = { afterMs: random.below(1_500), run: random.below(4) };
  const roll = random.next();
  if (roll < 0.5) {
    // Sometimes repeat a delivery.
    const delivery = random.chance(0.8) ? ++deliveries.count : random.below(deliveries.count + 1);
    const on = random.pick(["signal", "event"] as const);
    return { ...target, act: { type: "deliver", on, name: random.pick(NAMES), delivery } };
  }
  if (roll < 0.53) return { ...target, act: { type: "jump", ms: random.below(20_000) } };
  // A sleep until a date keeps its date, so it ends later: by less than the bound on progress.
  if (roll < 0.55) return { ...target, act: { type: "set back", ms: random.below(12_000) } };
  const types = ["cancel", "pause", "unpause", "evict", "evict", "zombie", "token", "token"] as const;
  const rare = [
    "trigger again",
    "change code",
    "restore code",
    "terminate",
    "delete children",
    "rebuild index",
  ] as const;
  return { ...target, act: { type: random.chance(0.8) ? random.pick(types) : random.pick(rare) } };
}

function makeFault(random: Random): Fault {
  const roll = random.next();
  if (roll < 0.22) return { at: random.below(40), type: "crash before" };
  if (roll < 0.3) return { at: random.below(40), type: "commit fails" };
  if (roll < 0.55) return { at: random.below(40), type: "crash after" };
  if (roll < 0.65) return { at: random.below(40), type: "zombie after" };
  if (roll < 0.83) {
    const fault = random.pick(["lost", "twice", "late", "answer lost"] as const);
    return { at: random.below(5), type: roll < 0.76 ? "message" : "index", fault };
  }
  if (roll < 0.89)
    return { at: random.below(5), type: "alarm", fault: random.pick(["twice", "early", "late", "lost"] as const) };
  return { at: random.below(3), type: "start", fault: makeStartFault(random) };
}

/**
 * Pages of one to three entries: a crash or a delivery comes between two pages. One to four open waits, and at most two streams, in the header:
 * further ones have rows of their own. One to three silent executions pause a run (DUR11).
 */
export function sizesOf({ actions, faults, limits }: Scenario): Pick<MemoryHostOptions, "pageSize" | "limits"> {
  const varied = actions.length + faults.length;
  return {
    pageSize: { entries: 1 + (varied % 3), chars: 1_000 },
    limits: {
      ...DEFAULT_LIMITS,
      headerWaits: 1 + (varied % 4),
      headerStreams: varied % 3,
      silentExecutions: 1 + (varied % 3),
      ...limits,
    },
  };
}

/** What the count of a simulation shows of the world. */
export function kindsOf({ program, remote, turns, partChars }: Scenario): string[] {
  return [
    ...allKinds(program).map((kind) => `program: ${kind}`),
    `pipe: ${remote} remote`,
    ...(turns === undefined ? [] : [`pipe: turns${turns.stateless ? " without sessions" : ""}`]),
    ...(turns?.connectionsMax === undefined ? [] : ["pipe: frames"]),
    ...(partChars === undefined ? [] : ["storage: rows in parts"]),
  ];
}
