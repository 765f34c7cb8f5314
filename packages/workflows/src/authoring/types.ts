/**
 * The types that authors see: a workflow's configuration and the `ctx` that its function gets.
 */
import type { Duration, RetryOptions } from "@holdfast/protocol";
import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { Log, StepContext } from "../step-context.ts";

export interface StepOptions<T = unknown> {
  readonly retry?: RetryOptions;
  /** Bounds each attempt (STEP4). */
  readonly timeout?: Duration;
  /** At most once: journaled before the body starts, never executed again (DUR3). Cannot have `retry`. */
  readonly once?: boolean;
  /**
   * Undoes the step when the run fails, is cancelled, runs out of time or asks for it; gets the step's result (COMP1).
   * Executed like a step, with the step's retry policy and timeout.
   */
  readonly compensate?: (output: T) => unknown;
}

export interface WaitOptions {
  readonly timeout?: Duration;
  /** What a time-out gives: `null` (the default) or a `TimeoutError`. */
  readonly onTimeout?: "null" | "throw";
}

export interface MatchOptions extends WaitOptions {
  /**
   * Takes only deliveries whose payload has all of this: `{ orderId: "o-1" }`. Plain data, stored with the wait; what
   * does not match stays for a later wait (WAIT6).
   */
  readonly match?: unknown;
}

export interface InvokeOptions {
  /** Start a run of its own and go on at once, with its id (CHILD3). */
  readonly detach?: boolean;
  readonly tags?: readonly string[];
  readonly idempotencyKey?: string;
}

export interface ParallelOptions {
  /** How many at one time. Default: all. */
  readonly concurrency?: number;
  /** Wait for all, then throw one `AggregateError` whose `failed` lists the indices. Default: fail with the first. */
  readonly settle?: boolean;
}

/** A scope of compensation (COMP4). */
export interface Group {
  readonly step: WorkflowContext["step"];
  /** Undoes the group's completed steps now. */
  compensate(): Promise<void>;
}

/** Where chunks come from. A function is called anew when a stream that was cut short is produced again. */
export type StreamSource<T> = Iterable<T> | AsyncIterable<T> | (() => Iterable<T> | AsyncIterable<T>);

/** Durable chunks to readers (STR1). Resolves, with their number, when all of them are stored. */
export interface StreamWriter {
  <T>(id: string, source: () => AsyncIterable<T> | Iterable<T>): Promise<number>;
  text(id: string, source: string | StreamSource<string>): Promise<number>;
  json(id: string, source: StreamSource<unknown>): Promise<number>;
  bytes(id: string, source: StreamSource<Uint8Array>): Promise<number>;
}

/** Small durable facts about the run, readable from outside while it executes (META1). */
export interface MetadataWriter {
  set(key: string, value: unknown): void;
  increment(key: string, by?: number): void;
  append(key: string, value: unknown): void;
  remove(key: string): void;
}

export interface TokenOptions extends WaitOptions {
  /** An id of your own. Without it an unguessable one is made. Whoever knows it and may reach the API can answer. */
  readonly tokenId?: string;
  /** Whoever knows the URL may answer, once, without credentials: for a link in a mail, or a page in a browser. */
  readonly public?: boolean;
}

/** One delivery, or `null` on time-out. Iterated, each turn is a wait of its own; a time-out ends the loop. */
export interface Wait<T> extends Promise<T | null>, AsyncIterable<T> {}

export interface Token<T> {
  readonly tokenId: string;
  /** Where a `POST` of `{ "payload": … }` answers. */
  readonly url: string;
  wait(): Promise<T | null>;
}

export interface RunInfo {
  readonly id: string;
  /** 1 for a run that was triggered, one more for each resume. */
  readonly number: number;
  readonly tags: readonly string[];
  readonly triggeredBy: string;
  readonly startedAt: Date;
}

/** What a workflow function can do. Everything it awaits should come from here, or be pure computation. */
export interface WorkflowContext {
  /** Executes `fn` and journals its result before anything that follows can be seen (DUR2). */
  step<T>(id: string, fn: (step: StepContext) => T | Promise<T>): Promise<Awaited<T>>;
  step<T>(
    id: string,
    options: StepOptions<Awaited<NoInfer<T>>>,
    fn: (step: StepContext) => T | Promise<T>,
  ): Promise<Awaited<T>>;
  /** Ends at or after the time fixed when it was first reached (WAIT1). */
  sleep(duration: Duration): Promise<void>;
  sleepUntil(date: Date | string): Promise<void>;
  waitForEvent<T = unknown>(type: string, options?: MatchOptions): Wait<T>;
  waitForSignal<T = unknown>(name: string, options?: MatchOptions): Wait<T>;
  waitForToken<T = unknown>(options?: TokenOptions): Token<T>;
  /** Runs another workflow as a child and gives its output; its failure is thrown as `ChildRunError` (CHILD2). */
  invoke<I, O>(
    workflow: InvokableWorkflow<I, O>,
    input: I,
    options: InvokeOptions & { readonly detach: true },
  ): Promise<{ readonly runId: string }>;
  invoke<I, O>(workflow: InvokableWorkflow<I, O>, input: I, options?: InvokeOptions): Promise<O>;
  /** Runs `fn` for each item, a bounded number at one time, and gives the results in the items' order. */
  parallel<T, R>(
    items: Iterable<T>,
    fn: (item: T, index: number) => R | Promise<R>,
    options?: ParallelOptions,
  ): Promise<Awaited<R>[]>;
  /** A failure that leaves the group undoes the group's completed steps before it is thrown on (COMP4). */
  group<T>(name: string, fn: (group: Group) => T | Promise<T>): Promise<Awaited<T>>;
  /** Undoes all completed steps and ends the run `compensated`. Nothing behind it is executed. */
  compensate(): Promise<never>;
  readonly stream: StreamWriter;
  readonly metadata: MetadataWriter;
  /** The default policy of the steps from here on. */
  setRetry(policy: RetryOptions): void;
  /** The time of the newest outcome that the function has seen: the same in every replay (REP4). */
  now(): Date;
  /** A number in [0, 1), the same in every replay (REP4). */
  random(): number;
  randomUUID(): string;
  readonly run: RunInfo;
  readonly workflow: { readonly id: string; readonly version: string | undefined };
  readonly environment: string;
  readonly project: string | undefined;
  readonly organization: string | undefined;
  /** How many executions this run has begun, this one included. Differs between replays. */
  readonly invocationCount: number;
  /** Aborts when the run is cancelled (CAN1). */
  readonly signal: AbortSignal;
  readonly log: Log;
}

/** A workflow that can be invoked: what `workflow()` returned, or just its id and version. */
export interface InvokableWorkflow<Input = unknown, Output = unknown> {
  readonly id: string;
  readonly version?: string;
  /** Only for the type checker. */
  readonly types?: { readonly input: Input; readonly output: Output };
}

export interface WorkflowConfig<
  I extends StandardSchemaV1 | undefined = undefined,
  O extends StandardSchemaV1 | undefined = undefined,
  R = unknown,
> {
  readonly id: string;
  /** Any Standard Schema. Checked before the first step (RUN5). */
  readonly input?: I;
  /** Any Standard Schema. Checked when the function returns (RUN5). */
  readonly output?: O;
  readonly run: (input: InputOf<I>, ctx: WorkflowContext) => R | Promise<R>;
  readonly description?: string;
  /** A run keeps the version that it started with (RUN4). */
  readonly version?: string;
  /** Tags that every run of it gets. */
  readonly tags?: readonly string[];
  /** The time budget of its runs, from start to end, unless the trigger sets one (RUN6). */
  readonly timeout?: Duration;
  /** The default policy of its steps. */
  readonly retry?: RetryOptions;
}

/** What the function gets: the schema's output, or `any` without a schema. */
// oxlint-disable-next-line typescript/no-explicit-any -- without a schema there is nothing to know
type InputOf<I> = I extends StandardSchemaV1 ? StandardSchemaV1.InferOutput<I> : any;
