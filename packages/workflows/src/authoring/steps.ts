/**
 * `ctx.step`, `ctx.group`, `ctx.compensate`, `ctx.setRetry` and `ctx.parallel`.
 */
import {
  type DeclaredLimit,
  type RetryPolicy,
  type StepLimit,
  checkFields,
  decodeValue,
  encodeValue,
  invalid,
  parseDurationMs,
  resolveRetry,
} from "@holdfast/protocol";
import type { Execution } from "../replay/execution.ts";
import type { OpenOperation, StepRequest } from "../replay/operation.ts";
import { checkName, checkOutside } from "./checks.ts";
import { CancelledError } from "../errors.ts";
import { handled } from "../replay/handled.ts";
import { captureContext } from "../replay/step-scope.ts";
import { createShielded } from "./shielded.ts";
import { shieldedError } from "../replay/step-body.ts";
import { type Shield, currentShield } from "../replay/step-scope.ts";
import { runParallel } from "./parallel.ts";
import type { StepContext } from "../step-context.ts";
import type { StepOptions, WorkflowContext } from "./types.ts";

const STEP_FIELDS = ["retry", "timeout", "once", "compensate", "limit"];

/** The default retry policy of later steps. */
export interface RetryDefault {
  current: RetryPolicy;
}

type StepFunction = (step: StepContext) => unknown;

/** Creates `ctx.step`. Calls `requested` with each operation. */
export function createStep(
  execution: Execution,
  policy: RetryDefault,
  requested: (operation: OpenOperation) => void = () => {},
  shieldOf: () => Shield | undefined = currentShield,
): WorkflowContext["step"] {
  return (id: string, optionsOrFn: StepOptions | StepFunction, maybeFn?: StepFunction): Promise<never> => {
    // A cast: the check of the options rejects a function.
    const [options, fn] = maybeFn === undefined ? [{}, optionsOrFn] : [optionsOrFn as StepOptions, maybeFn];
    checkName(id, "ctx.step");
    if (typeof fn !== "function") {
      throw invalid(`ctx.step(${JSON.stringify(id)})`, `needs a function last, as in ctx.step("a", {}, () => pay()).`);
    }
    const shield = shieldOf();
    const request = stepRequest(id, options, fn, policy.current, execution);
    // A shielded step is never compensated.
    const step = shield === undefined ? request : { ...request, compensate: undefined };
    const operation = execution.operations.request("step", id, { type: "step", step }, shield);
    requested(operation);
    return execution.races.promiseOf(operation);
  };
}

function stepRequest(
  id: string,
  options: StepOptions,
  fn: StepFunction,
  retry: RetryPolicy,
  { start }: Execution,
): StepRequest {
  const where = `ctx.step(${JSON.stringify(id)})`;
  checkFields(options, STEP_FIELDS, where);
  const { once = false, timeout, compensate, limit } = options;
  if (once && options.retry !== undefined) {
    throw invalid(
      where,
      "once: true means at most one attempt, so it cannot have retry. Remove one of the two options.",
    );
  }
  if (compensate !== undefined && typeof compensate !== "function") {
    throw invalid(`${where}.compensate`, "must be a function (output) => ….");
  }
  return {
    fn,
    retry: resolveRetry(options.retry, retry, `${where}.retry`),
    timeoutMs: timeout === undefined ? undefined : parseDurationMs(timeout, `${where}.timeout`),
    once,
    limit: limit && limitAsData(limit, start.input),
    context: captureContext(),
    compensate,
  };
}

/** Returns the limit as data. Its functions get the run's input as it was sent (FLOW2). */
function limitAsData(limit: DeclaredLimit, input: string): StepLimit {
  const given = (field: string, value: unknown): unknown => {
    if (typeof value !== "function") return value;
    return field === "hold" ? undefined : { given: encodeValue(value(decodeValue(input)), "The key of a limit") };
  };
  return JSON.parse(JSON.stringify(limit, given));
}

type Composition = Pick<WorkflowContext, "group" | "compensate" | "setRetry" | "parallel" | "shielded">;

export function composition(execution: Execution, policy: RetryDefault): Composition {
  return {
    group: (name, fn) => handled(runGroup(execution, policy, name, fn)),
    shielded: createShielded(execution, (shield) => createStep(execution, policy, undefined, () => shield)),
    compensate: () => {
      checkOutside("ctx.compensate");
      if (currentShield() !== undefined) throw shieldedError("ctx.compensate");
      execution.unwinding.request();
      // The run ends here: later awaits never settle.
      return new Promise(() => {});
    },
    setRetry: (options) => {
      policy.current = resolveRetry(options, policy.current, "ctx.setRetry");
    },
    parallel: (items, fn, options) =>
      handled(runParallel((waits) => execution.operations.starter(waits), items, fn, options)),
  };
}

/** Runs a group. If it fails, compensates its completed steps, then throws the error again (COMP4). */
async function runGroup<T>(
  execution: Execution,
  policy: RetryDefault,
  name: string,
  fn: Parameters<WorkflowContext["group"]>[1],
): Promise<Awaited<T>> {
  checkName(name, "ctx.group");
  if (typeof fn !== "function") throw invalid("ctx.group", "needs a function.");
  const own = new Set<OpenOperation>();
  const compensate = (): Promise<void> => {
    const { completed } = execution.operations;
    return handled(execution.unwinding.compensateGroup(completed.filter(({ operation }) => own.has(operation))));
  };
  const step = createStep(execution, policy, (operation) => own.add(operation));
  try {
    return (await fn({ step, compensate })) as Awaited<T>;
  } catch (error) {
    // First abort and await the group's steps that still execute: the completed ones are compensated too.
    const ids = [...own].map((operation) => operation.id);
    execution.bodies.abort(ids, new CancelledError(`The group ${JSON.stringify(name)} failed.`));
    await Promise.allSettled([...own].map((operation) => operation.promise));
    await compensate();
    throw error;
  }
}
