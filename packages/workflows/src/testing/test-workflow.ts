/**
 * `testWorkflow`: executes a workflow in memory, with virtual time, mocked steps and, optionally, a crash at every write.
 *
 * Owns: the options, the result, and the comparison of results with and without crashes.
 */
import { type RunHeader, describeRun, readInput } from "@holdfast/orchestrator";
import {
  type Duration,
  HoldfastError,
  type JournalEntry,
  type RunStep,
  checkFields,
  defined,
  describeOperation,
  parseDurationMs,
} from "@holdfast/protocol";
import type { StepContext } from "../step-context.ts";
import type { InputArguments } from "../authoring/types.ts";
import { checkPlatform } from "../platform-check.ts";
import { type Workflow, workflow } from "../authoring/workflow.ts";
import { type Crash, CrashAt } from "./crash-at.ts";
import { MemoryHost } from "./memory-host/memory-host.ts";
import { type TestEntry, TestRun } from "./test-run.ts";

/** The replacement of a step's body: a result, or a function. */
export type StepMock = unknown;

export interface TestOptions {
  /** Replaces the bodies of steps by name. Other steps execute their own bodies. */
  readonly steps?: Readonly<Record<string, StepMock>> | undefined;
  /** Replaces the compensations of steps by name. The function gets the step's result. */
  readonly compensations?: Readonly<Record<string, (output: unknown) => unknown>> | undefined;
  /** Workflows that run as real children. */
  readonly workflows?: readonly Workflow[] | undefined;
  /** Mocked children by id: an output, or a function of the input. */
  readonly children?: Readonly<Record<string, unknown>> | undefined;
  /** Delivered when the run starts, by name. The run buffers them until it waits for them. */
  readonly signals?: Readonly<Record<string, unknown>> | undefined;
  readonly events?: Readonly<Record<string, unknown>> | undefined;
  /** Acts on the run, in virtual time. Afterwards the run continues until it has ended. */
  readonly drive?: ((run: TestRun) => Promise<void>) | undefined;
  readonly timeout?: Duration | undefined;
  /** Called before each run. `crashEverywhere` starts many runs. */
  readonly before?: (() => void) | undefined;
  /**
   * Runs the workflow again with a crash before and after each write to its journal. Throws if the result of any of
   * these runs differs.
   */
  readonly crashEverywhere?: boolean | undefined;
  /** Selects the part of a result that must be equal after a crash. Default: status, output and error. */
  readonly compare?: ((result: TestResult) => unknown) | undefined;
  /** How long a step body may await something real before virtual time continues, real milliseconds. Default 1,000. */
  readonly patienceMs?: number | undefined;
}

export type TestStep = RunStep;

export interface TestResult<Output = unknown> {
  readonly status: RunHeader["status"];
  readonly output: Output | undefined;
  readonly error: { readonly name: string; readonly message: string; readonly code?: string } | undefined;
  readonly steps: readonly TestStep[];
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly journal: readonly TestEntry[];
  /** Virtual time from start to end. */
  readonly elapsedMs: number;
  /** The lines that the run wrote with `ctx.log`. */
  readonly logs: readonly Readonly<Record<string, unknown>>[];
}

const FIELDS =
  "steps compensations workflows children signals events drive timeout before crashEverywhere compare patienceMs".split(
    " ",
  );

/** The default of `patienceMs`. */
export const PATIENCE_MS = 1_000;

/** The maximum number of differences in the message. */
const SHOWN_MAX = 5;

/**
 * Executes a workflow to its end.
 * @throws HoldfastError `INVALID_ARGUMENT` if the run does not end, if the engine pauses it (with `NON_DETERMINISM`, for
 * example), or if it ends differently after a crash (`crashEverywhere`); the message names the write.
 */
export async function testWorkflow<Input, Output>(
  definition: Workflow<Input, Output>,
  ...[input, options = {}]: InputArguments<NoInfer<Input>, TestOptions>
): Promise<TestResult<Output>> {
  checkPlatform();
  checkFields(options, FIELDS, "testWorkflow");
  const { result, writes } = await runOnce(definition, input, options, undefined);
  if (options.crashEverywhere === true) await crashEverywhere(definition, input, options, result, writes);
  return result as TestResult<Output>;
}

async function crashEverywhere(
  definition: Workflow,
  input: unknown,
  options: TestOptions,
  whole: TestResult,
  writes: readonly JournalEntry[],
): Promise<void> {
  const { compare = ({ status, output, error }: TestResult): unknown => ({ status, output, error }) } = options;
  const expected = show(compare(whole));
  const found: string[] = [];
  for (const [index, entry] of writes.entries()) {
    const atWrite = index + 1;
    for (const side of ["before", "after"] as const) {
      const where = `A crash ${side} write ${atWrite} of ${writes.length} (${entry.type} of ${describeOperation(entry.op)})`;
      const actual = await runOnce(definition, input, options, { atWrite, side }).then(
        ({ result }) => show(compare(result)),
        (error: Error) => error.message,
      );
      if (actual !== expected) found.push(`${where}: ${actual}`);
    }
  }
  if (found.length === 0) return;
  const more = found.length > SHOWN_MAX ? `\n… and ${found.length - SHOWN_MAX} more` : "";
  throw new HoldfastError(
    "INVALID_ARGUMENT",
    `testWorkflow: workflow ${JSON.stringify(definition.id)} ends differently after a crash.\nWithout a crash: ${expected}\n${found.slice(0, SHOWN_MAX).join("\n")}${more}\nUsual causes: the workflow decides by a value that differs between replays (Date.now, Math.random, a variable outside the function), or a step has a second effect when it executes again after a crash. Read such values in a step, or use ctx.now and ctx.random. Pass the step's idempotencyKey on, or declare the step once: true.`,
  );
}

async function runOnce(
  definition: Workflow,
  input: unknown,
  options: TestOptions,
  crash: Crash | undefined,
): Promise<{ result: TestResult; writes: readonly JournalEntry[] }> {
  options.before?.();
  const crashing = new CrashAt(crash);
  const children = Object.entries(options.children ?? {}).map(([id, mock]): Workflow =>
    workflow({ id, run: (given: unknown) => (typeof mock === "function" ? mock(given) : mock) }),
  );
  const host = new MemoryHost({
    workflows: [definition, ...(options.workflows ?? []), ...children],
    onCreate: (one) => crashing.watch(one),
    replaceBody: (kind, name) => mockOf(options, kind, name),
  });
  const timeoutMs = options.timeout === undefined ? undefined : parseDurationMs(options.timeout, "timeout");
  host.trigger(definition.id, input, defined({ workflowVersion: definition.version, timeoutMs }));
  const startedAt = host.clock.now();
  for (const [name, payload] of Object.entries(options.signals ?? {}))
    host.deliver("signal", name, payload, `signal ${name}`);
  for (const [type, payload] of Object.entries(options.events ?? {}))
    host.deliver("event", type, payload, `event ${type}`);
  const run = new TestRun(host, options.patienceMs ?? PATIENCE_MS);
  await options.drive?.(run);
  await run.ends();
  return { result: resultOf(host, run, startedAt), writes: crashing.writes };
}

/** Returns the replacement of a body, if the options have one. */
export function mockOf(
  { steps = {}, compensations = {} }: Pick<TestOptions, "steps" | "compensations">,
  kind: string,
  name: string,
): BodyMock | undefined {
  const mocks = kind === "compensation" ? compensations : kind === "step" ? steps : {};
  if (!Object.hasOwn(mocks, name)) return undefined;
  const mock: unknown = mocks[name];
  return typeof mock === "function" ? (mock as BodyMock) : () => mock;
}

type BodyMock = (step: StepContext) => unknown;

export function resultOf(host: MemoryHost, { journal }: TestRun, startedAt: number): TestResult {
  const { header } = host;
  const record = describeRun(header, readInput(host.host.state, header), host.journal, [], () => 0);
  const { error } = header;
  return {
    status: header.status,
    output: header.output === undefined ? undefined : host.output,
    error: error && defined({ name: error.name, message: error.message, code: error.code }),
    steps: record.steps,
    metadata: record.metadata,
    journal,
    elapsedMs: (header.endedAt ?? startedAt) - startedAt,
    logs: host.logged,
  };
}

/** Returns a value as text, to compare it. What JSON leaves out or writes alike, such as NaN and null, has a text of its own. */
function show(value: unknown): string {
  const parents: unknown[] = [];
  return JSON.stringify(value, function (this: unknown, _key, one: unknown) {
    parents.length = parents.lastIndexOf(this) + 1;
    if (parents.includes(one)) return "(an object that contains this)";
    const shown = plain(one);
    if (typeof one === "object") parents.push(one, shown);
    return shown;
  });
}

function plain(one: unknown): unknown {
  if (typeof one === "bigint") return `${one}n`;
  if (typeof one === "number")
    return Number.isFinite(one) && !Object.is(one, -0) ? one : `(${Object.is(one, -0) ? "-0" : one})`;
  if (one instanceof Map || one instanceof Set) return [...one];
  if (one instanceof Error) return Object.assign({}, one, { name: one.name, message: one.message, cause: one.cause });
  return one instanceof RegExp ? String(one) : one;
}
