/**
 * The types that authors use: a workflow's configuration and the `ctx` of its function.
 */
import type {
  Ask,
  AskSchema,
  DeclaredLimit,
  Duration,
  FlowOptions,
  InputMap,
  RetryOptions,
  EventFilter,
} from "@holdfast/protocol";
import type { StandardSchemaV1, StandardTypedV1 } from "@standard-schema/spec";
import type { EventDefinition } from "./event.ts";
import type { Log, StepContext } from "../step-context.ts";

export interface StepOptions<T = unknown> {
  readonly retry?: RetryOptions | undefined;
  /** Limits the time of each attempt (STEP4). */
  readonly timeout?: Duration | undefined;
  /**
   * Each attempt waits for a place at this limit, and gives it back when it ends: also while the step waits for its next
   * attempt (STEP10). A key of the limit is that of the run's input.
   */
  readonly limit?: DeclaredLimit | undefined;
  /** Executes the body at most once: its start is journaled first (DUR3). Excludes `retry`. */
  readonly once?: boolean | undefined;
  /**
   * Undoes the step if the run fails, is cancelled, exceeds its time budget or calls `ctx.compensate` (COMP1). It gets
   * the step's result, and executes like a step, with the step's retry policy and timeout. Default timeout: 5 minutes.
   */
  readonly compensate?: ((output: T) => unknown) | undefined;
}

export interface SleepOptions {
  /**
   * Lets the wait go when the signal aborts: the wait rejects with the signal's reason. A delivery that was journaled
   * first stays valid; a later one goes to the next wait (WAIT11).
   */
  readonly signal?: AbortSignal | undefined;
}

export interface WaitOptions extends SleepOptions {
  readonly timeout?: Duration | undefined;
  /** The result of a time-out: `null` (the default), or a thrown `TimeoutError`. */
  readonly onTimeout?: "null" | "throw" | undefined;
}

export interface MatchOptions extends WaitOptions {
  /**
   * Accepts only deliveries whose payload contains all of these fields: `{ orderId: "o-1" }`. Must be plain data: it is
   * stored with the wait. Other deliveries stay buffered for later waits (WAIT6).
   */
  readonly match?: unknown;
}

/** Options of a wait for the events of a key (EVT5). */
export interface TopicOptions extends MatchOptions {
  readonly key: string;
  /**
   * The oldest event that it accepts. `"run"` (the default): since the run was created, also if it came before the wait. `"now"`:
   * after the wait opens. A date. `{ last: 1 }`: the newest stored one, if there is one. A run sees each event of a key once.
   */
  readonly since?: "run" | "now" | Date | { readonly last: number } | undefined;
  /** Events in between may be no longer stored. Default: the wait then rejects with `EVENT_HISTORY_GONE`. */
  readonly allowGap?: boolean | undefined;
}

export interface SendOptions {
  /** Default: that of the definition. */
  readonly key?: string | undefined;
}

export interface InvokeOptions {
  /** Starts an independent run and resolves with its id at once (CHILD3). */
  readonly detach?: boolean | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly idempotencyKey?: string | undefined;
}

export interface ParallelOptions {
  /** The number of items that are processed concurrently. Default: all. */
  readonly concurrency?: number | undefined;
  /** Waits for all items, then throws an `AggregateError` whose `failed` lists indices. Default: throw the first error. */
  readonly settle?: boolean | undefined;
}

export interface RaceOptions {
  /** Cancels the child runs that lose. Default: they continue. */
  readonly cancelLosers?: boolean | undefined;
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
  readonly tokenId?: string | undefined;
  /** Lets every caller that knows the URL answer, once, without credentials: for a link in a mail, or a web page. */
  readonly public?: boolean | undefined;
  /** Lists the wait for people, and checks their answers (ASK1). */
  readonly ask?: AskOptions | undefined;
}

/** What a person is asked. The engine checks it: an ask that it refuses rejects the wait, with `INVALID_ARGUMENT` (ASK2). */
export interface AskOptions extends Omit<Ask, "schema"> {
  /**
   * JSON Schema 2020-12 as data, or a Standard Schema whose library converts it. The engine refuses an answer that does not fit
   * it, and the wait stays open. It changes no answer: defaults and transformations do nothing.
   */
  readonly schema?: AskSchema | StandardTypedV1 | undefined;
}

/** Options with an ask whose answers have the type of its schema. */
type SchemaAsk<T> = TokenOptions & { readonly ask: { readonly schema: StandardTypedV1<T> } };

/** Options with an ask that is answered with one of its choices. */
type ChoiceAsk<C> = TokenOptions & { readonly ask: { readonly schema?: undefined; readonly choices: C } };

type Choices = readonly { readonly label: string; readonly value: unknown }[];

/**
 * Resolves with one delivery, or `null` on time-out. In a loop each turn is a separate wait, and a time-out ends the loop.
 * The first use, an `await` or a turn, takes the wait that the call opened (WAIT2, WAIT5).
 */
export interface Wait<T, R = T | null> extends Promise<R>, AsyncIterable<T> {}

/** Options of a wait that never resolves with `null`: without a time-out, or with one that throws. */
type NeverNull<Options> = Options & ({ readonly timeout?: undefined } | { readonly onTimeout: "throw" });

/** Waits for one delivery. The result can be `null` only if a time-out can end the wait so (WAIT4). */
interface WaitFor {
  <T = unknown>(name: string, options?: NeverNull<MatchOptions>): Wait<T, T>;
  <T = unknown>(name: string, options: MatchOptions): Wait<T>;
}

/** Waits for one event of a key, of whatever sender (EVT5). Only definitions with a key have such waits (EVT9). */
interface WaitForTopic {
  <T>(event: EventDefinition<T, true>, options: NeverNull<TopicOptions>): Wait<T, T>;
  <T>(event: EventDefinition<T, true>, options: TopicOptions): Wait<T>;
}

export interface Token<T, R = T | null> {
  readonly tokenId: string;
  /**
   * The URL to which a `POST` of `{ "payload": … }` answers the token. It starts with the deployment's `PUBLIC_URL`. Without
   * one it is relative, such as `/api/runs/r-1/tokens/t`: a link that leaves the deployment needs the setting.
   */
  readonly url: string;
  wait(): Promise<R>;
}

/** The tick of a schedule that started a run (SCH3). */
export interface RunSchedule {
  /** The id of the schedule. */
  readonly id: string;
  /** `manual`: an operator started the run. `backfill`: the run of a past tick. */
  readonly kind: "tick" | "manual" | "backfill";
  /** The time of the tick by the pattern. */
  readonly nominal: Date;
  /** When it was due: the nominal time and the schedule's spread. */
  readonly fireAt: Date;
  /** The nominal time of the tick before. `undefined`: it is the first one. */
  readonly previous: Date | undefined;
  /** The nominal times of the next ticks, at most five. */
  readonly next: readonly Date[];
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
  /** The tick of the schedule that started the run (SCH3). */
  readonly schedule: RunSchedule | undefined;
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
  readonly waitForEvent: WaitFor & WaitForTopic;
  /**
   * Sends an event: it starts runs by their triggers, and reaches waits for its key. It is sent once, however often the
   * function is replayed, and accepted soon after the promise resolves (EVT13).
   */
  sendEvent<T>(
    event: EventDefinition<T>,
    data: NoInfer<T>,
    options?: SendOptions,
  ): Promise<{ readonly eventId: string }>;
  readonly waitForSignal: WaitFor;
  waitForToken<T>(options: NeverNull<SchemaAsk<T>>): Token<T, T>;
  waitForToken<T>(options: SchemaAsk<T>): Token<T>;
  waitForToken<const C extends Choices>(
    options: NeverNull<ChoiceAsk<C>>,
  ): Token<C[number]["value"], C[number]["value"]>;
  waitForToken<const C extends Choices>(options: ChoiceAsk<C>): Token<C[number]["value"]>;
  waitForToken<T = unknown>(options?: NeverNull<TokenOptions>): Token<T, T>;
  waitForToken<T = unknown>(options: TokenOptions): Token<T>;
  /** Runs another workflow as a child. Resolves with its output, or throws a `ChildRunError` (CHILD2). */
  invoke<I, O>(
    workflow: InvokableWorkflow<I, O>,
    input: NoInfer<I>,
    options: InvokeOptions & { readonly detach: true },
  ): Promise<{ readonly runId: string }>;
  invoke<I, O>(
    workflow: InvokableWorkflow<I, O>,
    ...args: InputArguments<NoInfer<I>, InvokeOptions & { readonly detach?: false | undefined }>
  ): Promise<O>;
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

/** Starts a run of the workflow for each event that matches (EVT2). */
// oxlint-disable-next-line typescript/no-explicit-any -- in a list that is not given to workflow() directly, data can be used freely
export interface TriggerConfig<Data = any> {
  /** Unique in the workflow. The ids of runs depend on it. */
  readonly id: string;
  readonly event: EventDefinition<Data>;
  /**
   * A filter as data: `{ "data.cents": { gte: 100 } }`. Where the code is in the Worker, also a function of the data that
   * depends on nothing else. Default: every event.
   */
  readonly where?: EventFilter<NoInfer<Data>> | undefined;
  /** The input: a path, or an object of paths, such as `{ orderId: "data.orderId" }`. Default: the data of the event. */
  readonly input?: InputMap | undefined;
}

/**
 * `In` is what the function gets, `Sent` what callers send, `R` what the function returns, and `Out` what callers get. A
 * schema may change a value, so the pairs can differ. `Data`: the data of the events of `on`.
 */
// oxlint-disable-next-line typescript/no-explicit-any -- without a schema and a type, the input can be used freely
export interface WorkflowConfig<
  In = any,
  Out = unknown,
  Sent = In,
  R = Out,
  Data extends readonly unknown[] = any[],
> extends FlowOptions<NoInfer<Sent & In>> {
  readonly id: string;
  /** Any Standard Schema. Checked before the first step (RUN5). Without one, the type of `run`'s parameter counts. */
  readonly input?: StandardSchemaV1<Sent, In> | undefined;
  /** Any Standard Schema. Checked when the function returns (RUN5). */
  readonly output?: StandardSchemaV1<unknown, Out> | undefined;
  readonly run: (input: In, ctx: WorkflowContext) => R | Promise<R>;
  readonly description?: string | undefined;
  /** A run keeps the version that it started with (RUN4). */
  readonly version?: string | undefined;
  /** Tags of every run. */
  readonly tags?: readonly string[] | undefined;
  /** The time budget of each run, from start to end, unless the trigger sets one (RUN6). */
  readonly timeout?: Duration | undefined;
  /** The default retry policy of its steps. */
  readonly retry?: RetryOptions | undefined;
  /** The events that start a run (EVT2). */
  readonly on?: { readonly [K in keyof Data]: TriggerConfig<Data[K]> } | undefined;
  /** Events that cancel a run: those whose key is the value at the path `key` in the run's input. */
  readonly cancelOn?: readonly { readonly event: EventDefinition<unknown, true>; readonly key: string }[] | undefined;
  /** The events for which its function waits: a server computes their keys. Not needed if the sender gives the key. */
  readonly events?: readonly EventDefinition[] | undefined;
}

/** The arguments after a workflow: its input, which may be left out if it may be `undefined`, and options. */
export type InputArguments<Input, Options> = undefined extends Input
  ? [input?: Input, options?: Options]
  : [input: Input, options?: Options];
