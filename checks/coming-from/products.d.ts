/**
 * The parts of other products' packages that the programs of docs/coming-from use.
 *
 * Owns: hand-written types of these parts, so that no test installs the packages. `against-real.ts` compiles the same
 * programs against the packages themselves.
 */
declare module "workflow" {
  export class FatalError extends Error {}
  export interface Hook<T> extends PromiseLike<T>, AsyncIterable<T>, Disposable {
    readonly token: string;
  }
  export function createHook<T>(options?: { token?: string }): Hook<T>;
  export function getStepMetadata(): { readonly stepId: string; readonly attempt: number };
  export function sleep(duration: string | number | Date): Promise<void>;
}

declare module "inngest" {
  export class NonRetriableError extends Error {}
  interface Event {
    readonly name: string;
    readonly data: Record<string, unknown>;
  }
  interface Step {
    run<T>(id: string, fn: () => Promise<T>): Promise<T>;
    waitForEvent(id: string, options: { event: string; match?: string; timeout: string }): Promise<Event | null>;
  }
  interface Options {
    readonly id: string;
    readonly retries?: 0 | 1 | 2 | 3 | 4 | 5;
    readonly triggers?: readonly { readonly event: string }[];
  }
  export class Inngest {
    constructor(options: { id: string });
    createFunction(
      options: Options,
      handler: (context: { event: Event; step: Step; runId: string }) => unknown,
    ): { id(): string };
  }
}

declare module "@temporalio/workflow" {
  export class ApplicationFailure extends Error {
    static nonRetryable(message?: string): ApplicationFailure;
  }
  interface Signal<Args extends unknown[]> {
    readonly name: string;
    readonly "@@args"?: Args;
  }
  type Duration = `${number}${"s" | "m" | "h" | "d"}` | number;
  export function condition(check: () => boolean, timeout: Duration): Promise<boolean>;
  export function defineSignal<Args extends unknown[] = []>(name: string): Signal<Args>;
  export function proxyActivities<A>(options: {
    startToCloseTimeout: Duration;
    retry?: { maximumAttempts?: number };
  }): { [K in keyof A]: A[K] };
  export function setHandler<Args extends unknown[]>(signal: Signal<Args>, handler: (...args: Args) => void): void;
  export function workflowInfo(): { readonly workflowId: string };
}

declare module "@trigger.dev/sdk" {
  export class AbortTaskRunError extends Error {}
  interface RunResult<T> extends Promise<{ ok: boolean }> {
    unwrap(): Promise<T>;
  }
  interface Task<I, O> {
    readonly id: string;
    triggerAndWait(payload: I, options?: { idempotencyKey?: string }): RunResult<O>;
  }
  export function task<I, O>(options: {
    id: string;
    retry?: { maxAttempts?: number };
    run: (payload: I) => Promise<O>;
  }): Task<I, O>;
  export const idempotencyKeys: { create(key: string): Promise<string> };
  interface Token {
    readonly id: string;
    readonly url: string;
  }
  type TokenResult<T> = { readonly ok: true; readonly output: T } | { readonly ok: false; readonly error: Error };
  export const wait: {
    createToken(options: { timeout?: string; tags?: string[] }): Promise<Token>;
    forToken<T>(token: Token): Promise<TokenResult<T>>;
  };
}

declare module "@restatedev/restate-sdk" {
  export class TerminalError extends Error {}
  interface Duration {
    readonly hours?: number;
    readonly seconds?: number;
  }
  export class RestatePromise<T> extends Promise<T> {
    static race<const T extends readonly unknown[]>(values: T): RestatePromise<Awaited<T[number]>>;
  }
  interface DurablePromise<T> {
    get(): RestatePromise<T>;
    resolve(value?: T): Promise<void>;
  }
  interface RunOptions {
    readonly maxRetryAttempts?: number;
    readonly initialRetryInterval?: Duration;
  }
  export interface WorkflowSharedContext {
    readonly key: string;
    promise<T>(name: string): DurablePromise<T>;
  }
  export interface WorkflowContext extends WorkflowSharedContext {
    run<T>(name: string, action: () => Promise<T>, options?: RunOptions): RestatePromise<T>;
    sleep(duration: Duration): RestatePromise<void>;
  }
  export function workflow<const P extends string>(definition: { name: P; handlers: object }): { readonly name: P };
}

declare module "@dbos-inc/dbos-sdk" {
  interface StepConfig {
    readonly name?: string;
    readonly retriesAllowed?: boolean;
    readonly maxAttempts?: number;
    readonly intervalSeconds?: number;
  }
  export const DBOS: {
    readonly workflowID: string | undefined;
    runStep<T>(fn: () => Promise<T>, config?: StepConfig): Promise<T>;
    recv<T>(topic?: string, timeoutSeconds?: number): Promise<T | null>;
    registerWorkflow<Args extends unknown[], R>(
      fn: (...args: Args) => Promise<R>,
      config?: { name?: string },
    ): (...args: Args) => Promise<R>;
  };
}
