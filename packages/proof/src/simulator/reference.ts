/**
 * The outcomes that a program allows, computed without executing it.
 *
 * Owns: the reference semantics. It has no journals, replay or time. Where timing or a caller decides (a race, a
 * delivery, a time-out), every alternative is allowed.
 */
import type { Program } from "./program.ts";

/** What happened to the run from outside. */
export interface Treatment {
  readonly cancelled: boolean;
}

type Outcome = { readonly value: unknown } | { readonly error: string };

const ALL_REJECTED = "All promises were rejected";

/** Whether the program allows this outcome. */
export function allows(program: Program, outcome: Outcome, how: Treatment): boolean {
  return "value" in outcome
    ? allowsValue(program, outcome.value, how)
    : allowsError(program, outcome.error, how) || (how.cancelled && outcome.error.startsWith("The run was cancelled"));
}

function allowsValue(program: Program, value: unknown, how: Treatment): boolean {
  switch (program.kind) {
    case "step":
      return value === program.id && canSucceed(program);
    case "sleep":
    case "metadata":
      return value === undefined;
    case "wait":
      return value === null || (typeof value === "string" && /^d\d+-/.test(value));
    case "token":
      return value === null || value === "answer";
    case "iterate":
      return typeof value === "number" && value <= program.max;
    case "pure":
      return value === program.ticks;
    case "stream":
      return value === program.chunks;
    case "throw":
    case "undo":
      return false;
    case "child":
      return program.detach ? value === "detached" : allowsValue(program.body, value, how);
    case "race":
    case "any":
      return program.parts.some((part) => allowsValue(part, value, how));
    case "settled":
      return isList(value, program.parts, (part, status) =>
        status === "fulfilled" ? canSucceed(part) : status === "rejected" && canFail(part, how),
      );
    case "try":
      if (typeof value === "string") return allowsCaught(program.parts, value, how);
      return isList(value, program.parts, (part, one) => allowsValue(part, one, how));
    case "sequence":
    case "loop":
    case "group":
    case "all":
    case "parallel":
      return isList(value, program.parts, (part, one) => allowsValue(part, one, how));
  }
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
  switch (program.kind) {
    case "step":
      return stepErrors(program).some((error) => message.includes(error));
    case "throw":
      return message === `thrown ${program.id}`;
    case "child": {
      const [, status, inner] = /^The child run \S+ ended (\w+): (.*)$/s.exec(message) ?? [];
      if (program.detach || inner === undefined) return false;
      if (canUndo(program.body) && inner.startsWith("The run ended comp")) return true;
      return status === "cancelled" ? how.cancelled : allows(program.body, { error: inner }, how);
    }
    case "any":
      return message === ALL_REJECTED && program.parts.every((part) => canFail(part, how));
    case "settled":
    case "try":
      return false;
    case "race":
    case "all":
    case "parallel":
      return program.parts.some((part) => allowsError(part, message, how));
    case "sequence":
    case "loop":
    case "group": {
      const blocked = program.parts.findIndex((part) => !canSucceed(part));
      const reached = blocked < 0 ? program.parts : program.parts.slice(0, blocked + 1);
      return reached.some((part) => allowsError(part, message, how));
    }
    case "sleep":
    case "wait":
    case "iterate":
    case "token":
    case "pure":
    case "metadata":
    case "stream":
    case "undo":
      return false;
  }
}

function stepErrors({ id, failures, once, ms, timeoutMs }: Program & { readonly kind: "step" }): string[] {
  return [
    ...(failures >= 3 ? [`failure 3 of ${id}`] : []),
    ...(timeoutMs !== undefined && timeoutMs <= ms ? [`its timeout of ${timeoutMs} ms`] : []),
    ...(once ? ["was started and its outcome was lost"] : []),
  ];
}

function canSucceed(program: Program): boolean {
  switch (program.kind) {
    case "step":
      return program.failures < 3 && !(program.timeoutMs !== undefined && program.timeoutMs <= program.ms);
    case "throw":
    case "undo":
      return false;
    case "child":
      return program.detach || canSucceed(program.body);
    case "race":
    case "any":
      return program.parts.some(canSucceed);
    case "sequence":
    case "loop":
    case "group":
    case "all":
    case "parallel":
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
      return !program.detach && (how.cancelled || canUndo(program.body) || canFail(program.body, how));
    case "any":
      return program.parts.every((part) => canFail(part, how));
    case "race":
    case "all":
    case "parallel":
    case "sequence":
    case "loop":
    case "group":
      return program.parts.some((part) => canFail(part, how));
    default:
      return false;
  }
}
