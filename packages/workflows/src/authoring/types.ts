/**
 * The types that authors use: a workflow's configuration and the `ctx` of its function.
 */
import type { Duration, RetryOptions } from "@holdfast/protocol";
import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { Log, StepContext } from "../step-context.ts";

export interface StepOptions<T = unknown> {
  readonly retry?: RetryOptions;
  /** Limits the time of each attempt (STEP4). */
  readonly timeout?: Duration;
  /** Executes the body at most once: its start is journaled first (DUR3). Excludes `retry`. */
  readonly once?: boolean;
  /**
   * Undoes the step if the run fails, is cancelled, exceeds its time budget or calls `ctx.compensate` (COMP1). It gets
   * the step's result, and executes like a step, with the step's retry policy and timeout. Default timeout: 5 minutes.
   */
  readonly compensate?: (output: T) => unknown;
}

export interface SleepOptions {
  /**
   * Lets the wait go when the signal aborts: the wait rejects with the signal's reason. A delivery that was journaled
   * first stays valid; a later one goes to the next wait (WAIT11).
   */
  readonly signal?: AbortSignal | undefined;
}

export interface WaitOptions extends SleepOptions {
  readonly timeout?: Duration;
  /** The result of a time-out: `null` (the default), or a thrown `TimeoutError`. */
  readonly onTimeout?: "null" | "throw";
}

export interface MatchOptions extends WaitOptions {
  /**
   * Accepts only deliveries whose payload contains all of these fields: `{ orderId: "o-1" }`. Must be plain data: it is
   * stored with the wait. Other deliveries stay buffered for later waits (WAIT6).
   */
  readonly match?: unknown;
}

export interface InvokeOptions {
  /** Starts an independent run and resolves with its id at once (CHILD3). */
  readonly detach?: boolean;
  readonly tags?: readonly string[];
  readonly idempotencyKey?: string;
}

export interface ParallelOptions {
  /** The number of items that are processed concurrently. Default: all. */
  readonly concurrency?: number;
  /** Waits for all items, then throws an `AggregateError` whose `failed` lists indices. Default: throw the first error. */
  readonly settle?: boolean;
}

export interface RaceOptions {
  /** Cancels the child runs that lose. Default: they continue. */
  readonly cancelLosers?: boolean;
}

/** The winner of a race: the name of a member, and its result. */
export type RaceResult<M> = { [K in keyof M & string]: { readonly name: K; readonly value: Awaited<M[K]> } }[keyof M &
  string];

export interface ShieldedOptions {
  /** At most one hour. Default: 60 s. Past it the signals of the steps abort, and the record says so. */
  readonly timeout?: Duration | undefined;
}

/** A scope of compensation (COMP4). */
export interface Group {
  readonly step: WorkflowContext["step"];
  /** Executes the compensations of the group's completed steps now. */
  compensate(): Promise<void>;
}

/** The source of chunks. If a stream is interrupted, its function is called again. */
export type StreamSource<T> = Iterable<T> | AsyncIterable<T> | (() => Iterable<T> | AsyncIterable<T>);

/** Writes durable chunks for readers (STR1). Resolves with the number of chunks when all of them are stored. */
export interface StreamWriter {
  <T>(id: string, source: () => AsyncIterable<T> | Iterable<T>): Promise<number>;
  text(id: string, source: string | StreamSource<string>): Promise<number>;
  json(id: string, source: StreamSource<unknown>): Promise<number>;
  bytes(id: string, source: StreamSource<Uint8Array>): Promise<number>;
}

/** Writes small durable facts about the run, which callers can read while it executes (META1). */
export interface MetadataWriter {
  set(key: string, value: unknown): void;
  increment(key: string, by?: number): void;
  append(key: string, value: unknown): void;
  remove(key: string): void;
}

export interface TokenOptions extends WaitOptions {
  /** Default: a generated id that cannot be guessed. Every caller of the API that knows the id can answer. */
  readonly tokenId?: string;
  /** Lets every caller that knows the URL answer, once, without credentials: for a link in a mail, or a web page. */
  readonly public?: boolean;
}

/**
 * Resolves with one delivery, or `null` on time-out. In a loop each turn is a separate wait, and a time-out ends the loop.
 * The first use, an `await` or a turn, takes the wait that the call opened (WAIT2, WAIT5).
 */
export interface Wait<T> extends Promise<T | null>, AsyncIterable<T> {}

export interface Token<T> {
  readonly tokenId: string;
  /** The URL to which a `POST` of `{ "payload": … }` answers the token. */
  readonly url: string;
  wait(): Promise<T | null>;
}

export interface RunInfo {
  readonly id: string;
  /** The tenant that owns the run; `undefined` in deployments without tenants. */
  readonly tenantId: string | undefined;
  /** 1 for a triggered run. Each resume adds 1. */
  readonly number: number;
  readonly tags: readonly string[];
  readonly triggeredBy: string;
  readonly startedAt: Date;
}

/** The operations of a workflow function. The function should await only these, or pure computation. */
export interface WorkflowContext {
  /** Executes `fn`. Its result is journaled before any later operation has an effect (DUR2). */
  step<T>(id: string, fn: (step: StepContext) => T | Promise<T>): Promise<Awaited<T>>;
  step<T>(
    id: string,
    options: StepOptions<Awaited<NoInfer<T>>>,
    fn: (step: StepContext) => T | Promise<T>,
  ): Promise<Awaited<T>>;
  /** Resolves at or after a time that is fixed when the function first reaches the sleep (WAIT1). */
  sleep(duration: Duration, options?: SleepOptions): Promise<void>;
  sleepUntil(date: Date | string, options?: SleepOptions): Promise<void>;
  waitForEvent<T = unknown>(type: string, options?: MatchOptions): Wait<T>;
  waitForSignal<T = unknown>(name: string, options?: MatchOptions): Wait<T>;
  waitForToken<T = unknown>(options?: TokenOptions): Token<T>;
  /** Runs another workflow as a child. Resolves with its output, or throws a `ChildRunError` (CHILD2). */
  invoke<I, O>(
    workflow: InvokableWorkflow<I, O>,
    input: I,
    options: InvokeOptions & { readonly detach: true },
  ): Promise<{ readonly runId: string }>;
  invoke<I, O>(workflow: InvokableWorkflow<I, O>, input: I, options?: InvokeOptions): Promise<O>;
  /**
   * Resolves with the member that ends first, as `{ name, value }`, or rejects if it fails. Lets the others go (WAIT11):
   * their waits are closed before any delivery can reach them, their steps are aborted, their child runs continue.
   * Members are promises of this `ctx`, created in the call.
   */
  race<M extends Readonly<Record<string, PromiseLike<unknown>>>>(
    members: M,
    options?: RaceOptions,
  ): Promise<RaceResult<M>>;
  /** Runs `fn` for each item, a bounded number concurrently. Resolves with the results in the items' order. */
  parallel<T, R>(
    items: Iterable<T>,
    fn: (item: T, index: number) => R | Promise<R>,
    options?: ParallelOptions,
  ): Promise<Awaited<R>[]>;
  /** Runs `fn`. If it fails, the group's completed steps are compensated before the error is thrown again (COMP4). */
  group<T>(name: string, fn: (group: Group) => T | Promise<T>): Promise<Awaited<T>>;
  /**
   * Runs clean-up code whose steps execute although the run was cancelled or its time budget is used up (CAN9). Inside,
   * only steps are allowed; they are never compensated. Another operation throws `SHIELDED_OPERATION`. In a runtime
   * without AsyncLocalStorage use the given `step` after the first await.
   */
  shielded<T>(
    fn: (scope: { readonly step: WorkflowContext["step"] }) => T | Promise<T>,
    options?: ShieldedOptions,
  ): Promise<Awaited<T>>;
  /** Compensates all completed steps and ends the run `compensated`. No code after this call executes. */
  compensate(): Promise<never>;
  readonly stream: StreamWriter;
  readonly metadata: MetadataWriter;
  /** Sets the default retry policy of later steps. */
  setRetry(policy: RetryOptions): void;
  /** The time of the newest outcome that the function has received: the same in every replay (REP4). */
  now(): Date;
  /** A number in [0, 1), the same in every replay (REP4). */
  random(): number;
  randomUUID(): string;
  readonly run: RunInfo;
  readonly workflow: { readonly id: string; readonly version: string | undefined };
  readonly environment: string;
  readonly project: string | undefined;
  readonly organization: string | undefined;
  /** The number of executions of this run, this one included. Differs between replays. */
  readonly invocationCount: number;
  /** Aborts when the run is cancelled (CAN1). */
  readonly signal: AbortSignal;
  readonly log: Log;
}

/** A workflow that can be invoked: the value that `workflow()` returned, or its id and version. */
export interface InvokableWorkflow<Input = unknown, Output = unknown> {
  readonly id: string;
  readonly version?: string;
  /** For the type checker only. */
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
  /** Tags of every run. */
  readonly tags?: readonly string[];
  /** The time budget of each run, from start to end, unless the trigger sets one (RUN6). */
  readonly timeout?: Duration;
  /** The default retry policy of its steps. */
  readonly retry?: RetryOptions;
}

/** The input of the function: the schema's output, or `any` without a schema. */
// oxlint-disable-next-line typescript/no-explicit-any -- without a schema the input has no known type
type InputOf<I> = I extends StandardSchemaV1 ? StandardSchemaV1.InferOutput<I> : any;
