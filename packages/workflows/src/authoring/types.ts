/**
 * The types that authors see: a workflow's configuration and the `ctx` that its function gets.
 */
import type { Duration, RetryOptions } from "@holdfast/protocol";
import type { StandardSchemaV1 } from "@standard-schema/spec";

/** Writes structured lines. Lines written while a run is replayed are left out. */
export interface Log {
  debug(message: string, data?: unknown): void;
  info(message: string, data?: unknown): void;
  warn(message: string, data?: unknown): void;
  error(message: string, data?: unknown): void;
}

/** What a step body gets. */
export interface StepContext {
  /** 1 for the first attempt. */
  readonly attempt: number;
  /** Aborts when the attempt times out, the run is cancelled or ends. */
  readonly signal: AbortSignal;
  /** Stable across attempts and replays, unique to this operation: hand it to whatever must act once (STEP1). */
  readonly idempotencyKey: string;
  readonly log: Log;
}

export interface StepOptions {
  readonly retry?: RetryOptions;
  /** Bounds each attempt (STEP4). */
  readonly timeout?: Duration;
  /** At most once: journaled before the body starts, never executed again (DUR3). Cannot have `retry`. */
  readonly once?: boolean;
}

export interface WaitOptions {
  readonly timeout?: Duration;
  /** What a time-out gives: `null` (the default) or a `TimeoutError`. */
  readonly onTimeout?: "null" | "throw";
}

export interface TokenOptions extends WaitOptions {
  /** An id of your own. Without it an unguessable one is made. Whoever knows it and may reach the API can answer. */
  readonly tokenId?: string;
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
  readonly attempt: number;
  readonly tags: readonly string[];
  readonly triggeredBy: string;
  readonly startedAt: Date;
}

/** What a workflow function can do. Everything it awaits should come from here, or be pure computation. */
export interface WorkflowContext {
  /** Executes `fn` and journals its result before anything that follows can be seen (DUR2). */
  step<T>(id: string, fn: (step: StepContext) => T | Promise<T>): Promise<Awaited<T>>;
  step<T>(id: string, options: StepOptions, fn: (step: StepContext) => T | Promise<T>): Promise<Awaited<T>>;
  /** Ends at or after the time fixed when it was first reached (WAIT1). */
  sleep(duration: Duration): Promise<void>;
  sleepUntil(date: Date | string): Promise<void>;
  waitForEvent<T = unknown>(type: string, options?: WaitOptions): Wait<T>;
  waitForSignal<T = unknown>(name: string, options?: WaitOptions): Wait<T>;
  waitForToken<T = unknown>(options?: TokenOptions): Token<T>;
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
export type InputOf<I> = I extends StandardSchemaV1 ? StandardSchemaV1.InferOutput<I> : any;
