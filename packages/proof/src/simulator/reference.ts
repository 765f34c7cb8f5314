/**
 * The outcomes that a program allows, computed without executing it.
 *
 * Owns: the reference semantics. It has no journals, replay or time. Where timing or a caller decides (a race, a
 * delivery, a time-out), every alternative is allowed.
 */
import { isAnswer } from "./answers.ts";
import type { Program } from "./program.ts";

/** What happened to the run from outside. */
export interface Treatment {
  readonly cancelled: boolean;
  /** A limit may refuse a child, or end it. */
  readonly limited: boolean;
}

/** The message of an error about a limit. */
const LIMIT = /, which is the limit\./;

type Outcome = { readonly value: unknown } | { readonly error: string };

const ALL_REJECTED = "All promises were rejected";

/** Whether the program allows this outcome. */
export function allows(program: Program, outcome: Outcome, how: Treatment): boolean {
  return "value" in outcome
    ? allowsValue(program, outcome.value, how)
    : allowsError(program, outcome.error, how) || (how.cancelled && outcome.error.startsWith("The run was cancelled"));
}

type Leaf = Exclude<Program, { readonly parts: readonly Program[] }>;

function allowsValue(program: Program, value: unknown, how: Treatment): boolean {
  if (!("parts" in program)) return allowsLeafValue(program, value, how);
  const { kind, parts } = program;
  switch (kind) {
    case "first":
      return parts.some((part) => isWinner(part, value, how));
    case "race":
    case "any":
      return parts.some((part) => allowsValue(part, value, how));
    case "settled":
      return isList(value, parts, (part, status) =>
        status === "fulfilled" ? canSucceed(part) : status === "rejected" && canFail(part, how),
      );
    case "shared": {
      const [first, ...others] = parts;
      if (first === undefined) return false;
      const same = Array.isArray(value) && new Set(value.map((one) => JSON.stringify(one))).size <= 1;
      return same && isList(value, others, (_part, one) => allowsValue(first, one, how));
    }
    case "try":
      if (typeof value === "string") return allowsCaught(parts, value, how);
      return isList(value, parts, (part, one) => allowsValue(part, one, how));
    default:
      return isList(value, parts, (part, one) => allowsValue(part, one, how));
  }
}

function allowsLeafValue(program: Leaf, value: unknown, how: Treatment): boolean {
  switch (program.kind) {
    case "step":
      return value === program.id && canSucceed(program);
    case "sleep":
    case "until":
    case "metadata":
      return value === undefined;
    case "reuse":
    case "wait":
      return value === null || (typeof value === "string" && /^d\d+-/.test(value));
    case "release":
      return allowsReleased(program.on, value);
    case "token":
      return value === null || isAnswer(value);
    case "iterate":
      return typeof value === "number" && value <= program.max * (program.twice ? 2 : 1);
    case "pure":
      return value === program.ticks;
    case "stream":
      return value === program.chunks;
    case "throw":
    case "undo":
      return false;
    case "child":
      return program.detach ? value === "detached" : allowsValue(program.body, value, how);
  }
}

/** Whether this is the value of a race that this member won. The value of a wait is the delivery there. */
function isWinner(part: Program, result: unknown, how: Treatment): boolean {
  if (typeof result !== "object" || result === null || !("name" in result)) return false;
  const { name, value } = result as { readonly name: unknown; readonly value?: unknown };
  const delivered = part.kind === "wait" ? ((value as { readonly id: string } | null)?.id ?? null) : value;
  return name === `m${part.id}` && allowsValue(part, delivered, how);
}

function allowsReleased(on: (Program & { readonly kind: "release" })["on"], value: unknown): boolean {
  if (value === "released") return true;
  if (on === "token") return isAnswer(value);
  return on !== "sleep" && typeof value === "string" && /^d\d+-/.test(value);
}

function allowsCaught(parts: readonly Program[], text: string, how: Treatment): boolean {
  const message = /^caught (.*)$/s.exec(text)?.[1];
  return message !== undefined && parts.some((part) => allows(part, { error: message }, how));
}

function isList(
  value: unknown,
  parts: readonly Program[],
  fits: (part: Program, item: unknown) => boolean,
): value is unknown[] {
  return (
    Array.isArray(value) && value.length === parts.length && parts.every((part, place) => fits(part, value[place]))
  );
}

function allowsError(program: Program, message: string, how: Treatment): boolean {
  if (!("parts" in program)) return allowsLeafError(program, message, how);
  const { kind, parts } = program;
  switch (kind) {
    case "any":
      return message === ALL_REJECTED && parts.every((part) => canFail(part, how));
    case "settling":
      return /^\d+ of \d+ failed: no\. /.test(message) && parts.some((part) => canFail(part, how));
    case "settled":
    case "try":
      return false;
    case "cleanup":
      return (
        (program.timeoutMs !== undefined && message.includes("ctx.shielded took longer")) ||
        parts.some((part) => allowsError(part, message, how))
      );
    case "sequence":
    case "loop":
    case "group": {
      const blocked = parts.findIndex((part) => !canSucceed(part));
      const reached = blocked < 0 ? parts : parts.slice(0, blocked + 1);
      return reached.some((part) => allowsError(part, message, how));
    }
    default:
      return parts.some((part) => allowsError(part, message, how));
  }
}

function allowsLeafError(program: Leaf, message: string, how: Treatment): boolean {
  if (program.kind === "step") return stepErrors(program).some((error) => message.includes(error));
  if (program.kind === "throw") return message === `thrown ${program.id}`;
  if (program.kind !== "child") return false;
  if (how.limited && LIMIT.test(message)) return true;
  const [, status, inner] = /^The child run \S+ ended (\w+): (.*)$/s.exec(message) ?? [];
  if (program.detach || inner === undefined) return false;
  if (canUndo(program.body) && inner.startsWith("The run ended comp")) return true;
  return status === "cancelled" ? how.cancelled : allows(program.body, { error: inner }, how);
}

function stepErrors(program: Program & { readonly kind: "step" }): string[] {
  const { id, once, ms, timeoutMs, throws } = program;
  return [
    ...(failsFinally(program) ? [`failure ${throws === "fatal" ? 1 : 3} of ${id}`] : []),
    ...(timeoutMs !== undefined && timeoutMs <= ms ? [`its timeout of ${timeoutMs} ms`] : []),
    ...(once ? ["was started and its outcome was lost", "may be one that the resumed run executed"] : []),
  ];
}

/** Whether the attempts of the step fail until none is left. */
function failsFinally({ failures, throws }: Program & { readonly kind: "step" }): boolean {
  return failures >= 3 || (throws === "fatal" && failures > 0);
}

function canSucceed(program: Program): boolean {
  switch (program.kind) {
    case "step":
      return !failsFinally(program) && !(program.timeoutMs !== undefined && program.timeoutMs <= program.ms);
    case "throw":
    case "undo":
      return false;
    case "child":
      return program.detach || canSucceed(program.body);
    case "first":
    case "race":
    case "any":
      return program.parts.some(canSucceed);
    case "cleanup":
    case "sequence":
    case "loop":
    case "group":
    case "all":
    case "late":
    case "shared":
    case "parallel":
    case "settling":
      return program.parts.every(canSucceed);
    default:
      return true;
  }
}

/** Whether the program may call `ctx.compensate()`. */
export function canUndo(program: Program): boolean {
  return program.kind === "undo" || ("parts" in program && program.parts.some(canUndo));
}

function canFail(program: Program, how: Treatment): boolean {
  switch (program.kind) {
    case "step":
      return stepErrors(program).length > 0;
    case "throw":
      return true;
    case "child":
      return how.limited || (!program.detach && (how.cancelled || canUndo(program.body) || canFail(program.body, how)));
    case "any":
      return program.parts.every((part) => canFail(part, how));
    case "cleanup":
      return program.timeoutMs !== undefined || program.parts.some((part) => canFail(part, how));
    case "first":
    case "race":
    case "all":
    case "late":
    case "shared":
    case "parallel":
    case "settling":
    case "sequence":
    case "loop":
    case "group":
      return program.parts.some((part) => canFail(part, how));
    default:
      return false;
  }
}
