/**
 * Random workflow programs, as data.
 *
 * Owns: the kinds of nodes and their probabilities. A program is a tree of operations; `interpreter.ts` turns it into a
 * workflow.
 */
import { ODD_VALUES } from "./odd-values.ts";
import type { Random } from "./random.ts";

export type Program =
  | {
      readonly kind: "step";
      readonly id: number;
      readonly name: string;
      /** The duration of the body, ms. 0: it returns without waiting. */
      readonly ms: number;
      /** The number of attempts that fail before one succeeds. With 3 or more the step fails finally. */
      readonly failures: number;
      /** What failed attempts throw. Absent: an `Error`. */
      readonly throws?: "fatal" | "retryable";
      /** The body returns this odd value; the program continues with the step's number. */
      readonly odd?: number;
      /** The number of bodies of this step in which the process dies. */
      readonly deaths?: number;
      readonly once: boolean;
      /**
       * The compensation: none, or one that succeeds immediately (`works`), after 300 ms (`slowly`), at its second attempt
       * (`late`), or never (`fails`).
       */
      readonly undo: "none" | "works" | "slowly" | "late" | "fails";
      readonly timeoutMs: number | undefined;
    }
  | { readonly kind: "sleep"; readonly id: number; readonly ms: number }
  /** `ctx.sleepUntil`, relative to the function's time. */
  | { readonly kind: "until"; readonly id: number; readonly ms: number }
  /** One wait object that is awaited twice. */
  | { readonly kind: "reuse"; readonly id: number; readonly name: string; readonly ms: number }
  | {
      readonly kind: "wait";
      readonly id: number;
      readonly on: "signal" | "event";
      readonly name: string;
      readonly ms: number;
      /** `true`: the wait takes only deliveries with an even number. `false`: only with an odd number. */
      readonly even: boolean | undefined;
    }
  /** A wait or a sleep without an end, whose signal aborts after `ms`. */
  | {
      readonly kind: "release";
      readonly id: number;
      readonly on: "signal" | "event" | "token" | "sleep";
      readonly name: string;
      readonly ms: number;
    }
  /** `for await` over one kind of delivery, until a time-out or until `max` deliveries. */
  | {
      readonly kind: "iterate";
      readonly id: number;
      readonly name: string;
      readonly ms: number;
      readonly max: number;
      /** A second loop over the same wait follows. Its name is `c`. */
      readonly twice?: true;
    }
  /** `ctx.compensate()`. */
  | { readonly kind: "undo"; readonly id: number }
  /** `ask`: it asks a person, and takes only answers that fit. */
  | { readonly kind: "token"; readonly id: number; readonly ms: number; readonly ask?: true }
  | { readonly kind: "pure"; readonly id: number; readonly ticks: number }
  | { readonly kind: "metadata"; readonly id: number }
  | { readonly kind: "stream"; readonly id: number; readonly chunks: number }
  | { readonly kind: "throw"; readonly id: number }
  | { readonly kind: "child"; readonly id: number; readonly detach: boolean; readonly body: Program }
  /** `ctx.race`: each part is one operation. */
  | { readonly kind: "first"; readonly id: number; readonly parts: readonly Program[]; readonly cancelLosers?: boolean }
  /** The first part executes in `try`; the others are steps in `ctx.shielded`, in `finally`. */
  | {
      readonly kind: "cleanup";
      readonly id: number;
      readonly parts: readonly Program[];
      /** The time-out of `ctx.shielded`, ms. Absent: one hour, which no step needs. */
      readonly timeoutMs?: number;
    }
  | { readonly kind: Combination; readonly id: number; readonly parts: readonly Program[] };

/** The retry policy of all steps that are not `once`. Times are in ms. */
export const RETRY = { max: 3, initial: 100, maxDelay: 400 } as const;

/** Returns the program of a workflow id. */
export function programOf(root: Program, workflowId: string): Program {
  const child = childrenOf(root).find((one) => workflowId === `child-${one.id}`);
  return child?.body ?? root;
}

/** Returns all children in the tree, including grandchildren. */
export function childrenOf(program: Program): (Program & { readonly kind: "child" })[] {
  if (program.kind === "child") return [program, ...childrenOf(program.body)];
  return "parts" in program ? program.parts.flatMap(childrenOf) : [];
}

/** Whether the program has a wait with `match`. Such waits take deliveries out of order. */
export function hasMatch(program: Program): boolean {
  if (program.kind === "wait") return program.even !== undefined;
  return "parts" in program && program.parts.some(hasMatch);
}

/** The kinds of all nodes, also those of children, each as often as it occurs. */
export function allKinds(program: Program): Program["kind"][] {
  const inside = program.kind === "child" ? [program.body] : "parts" in program ? program.parts : [];
  return [program.kind, ...inside.flatMap(allKinds)];
}

/** Whether a step handler without sessions refuses the program, or a child of it (DISPATCH_REFUSED). */
export function needsSessions(program: Program): boolean {
  if (program.kind === "child") return needsSessions(program.body);
  if (program.kind === "step") return program.once;
  return program.kind === "stream" || ("parts" in program && program.parts.some(needsSessions));
}

/** Returns the parts of one kind, without those of children. */
export function findPrograms<K extends Program["kind"]>(program: Program, kind: K): Extract<Program, { kind: K }>[] {
  if ("parts" in program) return program.parts.flatMap((part) => findPrograms(part, kind));
  return program.kind === kind ? [program as Extract<Program, { kind: K }>] : [];
}

/**
 * Returns the nodes with clean-up code on the function's main path, without those of children. The function ends after
 * them; another branch may still execute when it ends.
 */
export function findCleanups(program: Program): (Program & { readonly kind: "cleanup" })[] {
  if (program.kind === "cleanup") return [program, ...program.parts.flatMap(findCleanups)];
  const isPath = program.kind === "sequence" || program.kind === "loop" || program.kind === "try";
  return isPath ? program.parts.flatMap(findCleanups) : [];
}

type Combination =
  | "sequence"
  | "all"
  | "race"
  | "any"
  | "settled"
  | "parallel"
  | "try"
  | "group"
  | "loop"
  /** The first part is begun, then the others execute, then the first is awaited. */
  | "late"
  /** All other parts execute concurrently, and each then awaits the one promise of the first part. */
  | "shared"
  /** `ctx.parallel` with `settle`. */
  | "settling";

const COMBINATIONS: readonly (Combination | "first" | "cleanup")[] = [
  "first",
  "first",
  "cleanup",
  "sequence",
  "sequence",
  "all",
  "race",
  "any",
  "settled",
  "parallel",
  "try",
  "group",
  "loop",
  "late",
  "shared",
  "settling",
];

/** Makes a program of bounded depth. A leaf takes a few virtual seconds at most. */
export function makeProgram(random: Random, depth = 3, children = 2): Program {
  let next = 0;
  const make = (level: number, childLevel: number): Program => {
    const id = next++;
    if (level === 0 || random.chance(0.35))
      return makeLeaf(random, id, () => make(Math.min(level, 1), childLevel - 1), childLevel);
    const count = 2 + random.below(2);
    if (random.chance(0.1)) return { kind: "all", id, parts: makeTwins(random, count, () => next++) };
    const kind = random.pick(COMBINATIONS);
    if (kind === "first") {
      const member = (): Program => makeMember(random, next++, () => make(1, childLevel - 1), childLevel);
      const parts = Array.from({ length: count }, member);
      return { kind, id, parts, ...(random.chance(0.5) ? { cancelLosers: true } : {}) };
    }
    if (kind === "cleanup") {
      const parts = [
        make(level - 1, childLevel),
        ...Array.from({ length: count - 1 }, () => makeCleanup(random, next++)),
      ];
      return { kind, id, parts, ...(random.chance(0.2) ? { timeoutMs: 500 + random.below(2_000) } : {}) };
    }
    return { kind, id, parts: Array.from({ length: count }, () => make(level - 1, childLevel)) };
  };
  return make(depth, children);
}

/** Makes branches that use one name, each after a step of its own, which a resumed run may execute again (RES3). */
function makeTwins(random: Random, count: number, nextId: () => number): Program[] {
  const on = random.chance(0.3) ? ("signal" as const) : undefined;
  return Array.from({ length: count }, () => {
    const [id, first, second] = [nextId(), makeStep(random, nextId()), nextId()];
    const parts: Program[] =
      on === undefined
        ? [first, { ...makeStep(random, second), name: "same" } as Program]
        : [first, { kind: "wait", id: second, on, name: "a", ms: 1 + random.below(4_000), even: undefined }];
    return { kind: "sequence", id, parts };
  });
}

/**
 * Makes a member of `ctx.race`. Its promise is the one that the engine returns. A step that is let go gets more time than
 * its own time-out, so these steps have none.
 */
function makeMember(random: Random, id: number, makeBody: () => Program, childLevel: number): Program {
  const roll = random.next();
  if (roll < 0.35) {
    const { odd: _odd, ...step } = makeStep(random, id) as Program & { readonly kind: "step" };
    return { ...step, timeoutMs: undefined };
  }
  if (roll < 0.55) return { kind: "sleep", id, ms: makeTime(random, 3_000) };
  if (roll < 0.82 || childLevel <= 0) return makeWait(random, id);
  if (roll < 0.9) return makeToken(random, id);
  return { kind: "child", id, detach: false, body: makeBody() };
}

/** Makes a shielded step. Its name is its own. */
function makeCleanup(random: Random, id: number): Program {
  return { ...(makeStep(random, id) as Program & { readonly kind: "step" }), name: `c${id}`, timeoutMs: undefined };
}

/** Half of the tokens ask. No random number decides, so scenarios of earlier seeds stay the same. */
function makeToken(random: Random, id: number): Program {
  return { kind: "token", id, ms: makeTime(random, 3_000), ...(id % 2 === 0 ? { ask: true } : {}) };
}

function makeWait(random: Random, id: number): Program {
  return {
    kind: "wait",
    id,
    on: random.pick(["signal", "event"] as const),
    name: random.pick(["a", "b"]),
    ms: makeTime(random, 4_000),
    even: random.chance(0.8) ? undefined : random.chance(0.5),
  };
}

function makeLeaf(random: Random, id: number, makeBody: () => Program, childLevel: number): Program {
  const roll = random.next();
  if (roll < 0.45) return makeStep(random, id);
  if (roll < 0.46) return { kind: "undo", id };
  if (roll < 0.49) {
    const twice = random.chance(0.4) ? { twice: true as const } : {};
    const name = random.pick(["a", "b"]);
    const max = 1 + random.below(3);
    return { kind: "iterate", id, ms: makeTime(random, 2_000), max, ...twice, name: twice.twice ? "c" : name };
  }
  if (roll < 0.58) return { kind: random.chance(0.7) ? "sleep" : "until", id, ms: makeTime(random, 3_000) };
  if (roll < 0.61) return { kind: "reuse", id, name: random.pick(["a", "b"]), ms: makeTime(random, 2_000) };
  if (roll < 0.64) {
    const on = random.pick(["signal", "signal", "event", "token", "sleep"] as const);
    return { kind: "release", id, on, name: random.pick(["a", "b"]), ms: makeTime(random, 2_000) };
  }
  if (roll < 0.74) return makeWait(random, id);
  if (roll < 0.78) return makeToken(random, id);
  if (roll < 0.84) return { kind: "pure", id, ticks: random.below(60) };
  if (roll < 0.88) return { kind: "metadata", id };
  if (roll < 0.92) return { kind: "stream", id, chunks: random.below(4) };
  if (roll < 0.95 || childLevel <= 0) return { kind: "throw", id };
  return { kind: "child", id, detach: random.chance(0.3), body: makeBody() };
}

/** A duration of a wait, ms. Some are 0, and some are the rest until a time that has passed. */
function makeTime(random: Random, max: number): number {
  return random.chance(0.15) ? random.pick([0, -1, -max]) : 1 + random.below(max);
}

function makeStep(random: Random, id: number): Program {
  const once = random.chance(0.1);
  return {
    kind: "step",
    id,
    // Some steps share a name.
    name: random.chance(0.3) ? "same" : `s${id}`,
    ms: random.chance(0.5) ? 0 : random.below(2_000),
    failures: random.chance(0.75) || once ? 0 : 1 + random.below(3),
    once,
    undo: random.chance(0.6) ? "none" : random.pick(["works", "works", "slowly", "late", "fails"] as const),
    timeoutMs: random.chance(0.1) ? 500 : undefined,
    ...(random.chance(0.2) ? { throws: random.pick(["fatal", "retryable"] as const) } : {}),
    ...(random.chance(0.1) ? { odd: random.below(ODD_VALUES) } : {}),
    ...(random.chance(0.02) && !once ? { deaths: random.chance(0.6) ? 1 + random.below(3) : 14 } : {}),
  };
}
