/**
 * `workflow()`: makes an author's function into a definition that a host can execute.
 *
 * Owns: the checks of the configuration (RUN7, RUN8), of the input before the function and of the output after it.
 */
import {
  DEFAULT_RETRY,
  type ExecutionPort,
  type ExecutionStart,
  type LiveExecution,
  type WorkflowDefinition,
  checkFields,
  decodeValue,
  defined,
  encodeValue,
  invalid,
  nameProblem,
  parseDurationMs,
  resolveRetry,
} from "@holdfast/protocol";
import * as LIMITS from "@holdfast/protocol/limits";
import { Execution } from "../replay/execution.ts";
import { type Platform, webPlatform } from "../replay/platform.ts";
import { createContext } from "./context.ts";
import { createLog } from "./log.ts";
import { checkValue } from "./schema.ts";
import type { WorkflowConfig } from "./types.ts";

const FIELDS =
  "id input output run description version tags timeout retry limits singleton debounce batch priority on cancelOn events".split(
    " ",
  );

/** `unknown` for `any`, which a function without a typed parameter and without a schema gives. */
type Known<T> = 0 extends 1 & T ? unknown : T;
/** What callers get: the schema's output, or else what the function returns. */
type OutputOf<Out, R> = unknown extends Out ? Awaited<R> : Out;

/** A workflow that can be served, triggered and invoked. Carries the types of its input and output. */
export interface Workflow<Input = unknown, Output = unknown> extends WorkflowDefinition {
  /** For the type checker only. */
  readonly types?: { readonly input: Input; readonly output: Output };
  /** Starts an execution on a given platform, for hosts with their own clock. */
  readonly executeOn: (platform: Platform, start: ExecutionStart, port: ExecutionPort) => LiveExecution;
}

/**
 * Defines a workflow.
 * @throws HoldfastError `INVALID_ARGUMENT` for an invalid name, an unknown field or an invalid policy.
 */
// oxlint-disable-next-line typescript/no-explicit-any -- without a schema and without a type, the input can be used freely
export function workflow<In = any, Out = unknown, Sent = In, R = Out, Data extends readonly unknown[] = any[]>(
  config: WorkflowConfig<In, Out, Sent, R, Data>,
): Workflow<Known<Sent>, OutputOf<Out, R>> {
  checkFields(config, FIELDS, "workflow");
  const { id, version, description, run, tags, timeout } = config;
  checkText(id, "workflow.id");
  if (version !== undefined) checkText(version, `workflow(${JSON.stringify(id)}).version`);
  const where = `workflow(${JSON.stringify(id)})`;
  if (typeof run !== "function") throw invalid(`${where}.run`, "must be a function (input, ctx) => ….");
  checkShapes(config, id);
  for (const tag of tags ?? []) checkText(tag, `${where}.tags`);
  const retry = resolveRetry(config.retry, DEFAULT_RETRY, `${where}.retry`);
  const executeOn: Workflow["executeOn"] = (platform, start, port) => {
    const execution = new Execution(start, port, platform, createLog);
    execution.begin(async () => {
      const ctx = createContext(execution, retry);
      const input = await checkValue(config.input, decodeValue(start.input), "INVALID_INPUT", id);
      const output = await run(input as never, ctx);
      const checked = await checkValue(config.output, output, "INVALID_OUTPUT", id);
      return encodeValue(checked, `The output of workflow ${JSON.stringify(id)}`);
    });
    return execution;
  };
  const timeoutMs = timeout === undefined ? undefined : parseDurationMs(timeout, `${where}.timeout`);
  const execute: Workflow["execute"] = (start, port) => executeOn(webPlatform, start, port);
  return defined({
    id,
    version,
    description,
    tags,
    timeoutMs,
    flow: config,
    input: config.input,
    run,
    readsPages: true,
    executeOn,
    execute,
  });
}

/** Fields that can be invalid if the author uses no type checker. */
interface UncheckedConfig {
  readonly tags?: unknown;
  readonly input?: unknown;
  readonly output?: unknown;
}

function checkShapes({ tags = [], input, output }: UncheckedConfig, id: string): void {
  const where = `workflow(${JSON.stringify(id)})`;
  if (!Array.isArray(tags) || tags.length > LIMITS.tags) {
    throw invalid(`${where}.tags`, `must be a list of at most ${LIMITS.tags} names.`);
  }
  for (const [name, schema] of Object.entries({ input, output })) {
    if (schema === undefined || isSchema(schema)) continue;
    throw invalid(`${where}.${name}`, "must be a schema of a library that implements Standard Schema.");
  }
}

/** The type of the value is not checked: the schemas of some libraries are functions with properties. */
function isSchema(value: unknown): boolean {
  return typeof Object(value)["~standard"]?.validate === "function";
}

function checkText(value: unknown, where: string): void {
  const problem = nameProblem(value);
  if (problem !== undefined) throw invalid(where, `${problem}.`);
}
