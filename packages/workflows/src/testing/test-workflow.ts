/**
 * `testWorkflow`: executes a workflow in memory, with virtual time, mocked steps and, on demand, a crash at every write.
 *
 * Owns: the options, the result, and comparing what a run comes to with and without crashes.
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
import { type Workflow, workflow } from "../authoring/workflow.ts";
import { type Crash, CrashAt } from "./crash-at.ts";
import { MemoryHost } from "./memory-host/memory-host.ts";
import { type TestEntry, TestRun } from "./test-run.ts";

/** What a step does under test: a value, or a function in the place of its body. */
export type StepMock = unknown;

export interface TestOptions {
  /** Instead of the bodies of the steps of these names. Other steps execute as they are. */
  readonly steps?: Readonly<Record<string, StepMock>>;
  /** Instead of the compensations of the steps of these names; a function gets the step's result. */
  readonly compensations?: Readonly<Record<string, (output: unknown) => unknown>>;
  /** Children that it invokes: workflows as they are, or by id what they give: a value or a function of their input. */
  readonly workflows?: readonly Workflow[];
  readonly children?: Readonly<Record<string, unknown>>;
  /** Delivered at once when the run begins; kept until they are waited for. */
  readonly signals?: Readonly<Record<string, unknown>>;
  readonly events?: Readonly<Record<string, unknown>>;
  /** What happens to the run from outside, in its time. The run goes on to its end afterwards. */
  readonly drive?: (run: TestRun) => Promise<void>;
  readonly timeout?: Duration;
  /** Called before each run: with `crashEverywhere` there are many. */
  readonly before?: () => void;
  /**
   * Runs the workflow again with a crash before and after each write to its journal, and throws if any of these runs
   * ends otherwise.
   */
  readonly crashEverywhere?: boolean;
  /** What of a result must be the same after a crash. Default: status, output and error. */
  readonly compare?: (result: TestResult) => unknown;
  /** How long a step body may wait for something real before virtual time goes on, real milliseconds. Default 1,000. */
  readonly patienceMs?: number;
}

export type TestStep = RunStep;

export interface TestResult<Output = unknown> {
  readonly status: RunHeader["status"];
  readonly output: Output | undefined;
  readonly error: { readonly name: string; readonly message: string; readonly code?: string } | undefined;
  readonly steps: readonly TestStep[];
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly journal: readonly TestEntry[];
  /** Virtual time from begin to end. */
  readonly elapsedMs: number;
  /** Lines written with `ctx.log`. */
  readonly logs: readonly Readonly<Record<string, unknown>>[];
}

const FIELDS =
  "steps compensations workflows children signals events drive timeout before crashEverywhere compare patienceMs".split(
    " ",
  );

const PATIENCE_MS = 1_000;

/** Differences that are shown. */
const SHOWN_MAX = 5;

/**
 * Executes a workflow to its end.
 * @throws HoldfastError `INVALID_ARGUMENT` if the run does not end, is paused by the engine (`NON_DETERMINISM`, say), or,
 * with `crashEverywhere`, ends otherwise when a process dies on the way; the message tells where.
 */
export async function testWorkflow<Input, Output>(
  definition: Workflow<Input, Output>,
  input: NoInfer<Input>,
  options: TestOptions = {},
): Promise<TestResult<Output>> {
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
  const wanted = show(compare(whole));
  const found: string[] = [];
  for (const [place, entry] of writes.entries()) {
    const atWrite = place + 1;
    for (const side of ["before", "after"] as const) {
      const where = `A crash ${side} write ${atWrite} of ${writes.length} (${entry.type} of ${describeOperation(entry.op)})`;
      const is = await runOnce(definition, input, options, { atWrite, side }).then(
        ({ result }) => show(compare(result)),
        (error: Error) => error.message,
      );
      if (is !== wanted) found.push(`${where}: ${is}`);
    }
  }
  if (found.length === 0) return;
  const more = found.length > SHOWN_MAX ? `\n… and ${found.length - SHOWN_MAX} more` : "";
  throw new HoldfastError(
    "INVALID_ARGUMENT",
    `testWorkflow: workflow ${JSON.stringify(definition.id)} ends otherwise when a process dies on the way.\nWithout a crash: ${wanted}\n${found.slice(0, SHOWN_MAX).join("\n")}${more}\nUsual causes: it decides by something that differs between replays (Date.now, Math.random, a variable outside the function); read such things in a step, or use ctx.now and ctx.random. A step that executes again after a crash and must not needs its idempotencyKey handed on, or once: true.`,
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
  const children = Object.entries(options.children ?? {}).map(([id, gives]): Workflow =>
    workflow({ id, run: (given: unknown) => (typeof gives === "function" ? gives(given) : gives) }),
  );
  const host = new MemoryHost({
    workflows: [definition, ...(options.workflows ?? []), ...children],
    onCreate: (one) => crashing.watch(one),
    replaceBody: (kind, name) => mockOf(options, kind, name),
  });
  const timeoutMs = options.timeout === undefined ? definition.timeoutMs : parseDurationMs(options.timeout, "timeout");
  const { version: workflowVersion, tags = [] } = definition;
  host.trigger(definition.id, input, defined({ workflowVersion, tags, timeoutMs }));
  const begun = host.clock.now();
  for (const [name, payload] of Object.entries(options.signals ?? {}))
    host.deliver("signal", name, payload, `signal ${name}`);
  for (const [type, payload] of Object.entries(options.events ?? {}))
    host.deliver("event", type, payload, `event ${type}`);
  const run = new TestRun(host, options.patienceMs ?? PATIENCE_MS);
  await options.drive?.(run);
  await run.ends();
  return { result: resultOf(host, run, begun), writes: crashing.writes };
}

/** What executes in the place of a body, if there is a mock for it. */
function mockOf({ steps = {}, compensations = {} }: TestOptions, kind: string, name: string): BodyMock | undefined {
  const mocks = kind === "compensation" ? compensations : kind === "step" ? steps : {};
  if (!Object.hasOwn(mocks, name)) return undefined;
  const mock: unknown = mocks[name];
  return typeof mock === "function" ? (mock as BodyMock) : () => mock;
}

type BodyMock = (step: StepContext) => unknown;

function resultOf(host: MemoryHost, { journal }: TestRun, begun: number): TestResult {
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
    elapsedMs: (header.endedAt ?? begun) - begun,
    logs: host.logged,
  };
}

function show(value: unknown): string {
  return JSON.stringify(value, (_key, one: unknown) => {
    if (typeof one === "bigint") return `${one}n`;
    return one instanceof Map || one instanceof Set ? [...one] : one;
  });
}
