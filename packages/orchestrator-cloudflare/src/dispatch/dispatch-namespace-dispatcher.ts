/**
 * Workflow code in the Workers of a dispatch namespace (Workers for Platforms): each run executes in the script that the
 * deployer chooses for it, for example that of its tenant.
 *
 * Owns: the options of this dispatcher, the choice of the script, and what follows if there is none, if it exceeds its
 * limits, or if the namespace does not answer. A run is never stuck: it is dispatched again, or paused with the reason.
 */
import {
  type ErrorValue,
  type ExecutionPort,
  type ExecutionStart,
  type LiveExecution,
  type RunFacts,
  type StepDispatcher,
  decodeOrUnreadable,
  errorValue,
} from "@holdfast/protocol";
import * as v from "valibot";
import { checkOptions, isFunction, withMethods } from "../options.ts";
import { type FetcherLike, lineBinding } from "./line-binding.ts";
import { inPages } from "./paged-execution.ts";
import { PipeError } from "./pipe-error.ts";
import { RpcExecution } from "./rpc-execution.ts";
import { wiringMistake } from "./wiring.ts";

/** What one call of a script may use. Without a limit that of the plan counts. */
export interface ScriptLimits {
  readonly cpuMs?: number | undefined;
  readonly subRequests?: number | undefined;
}

/** A dispatch namespace. The platform's own type is assignable. */
export interface DispatchNamespaceLike {
  get(
    name: string,
    // oxlint-disable-next-line typescript/no-explicit-any -- the platform's own type is assignable to it
    args?: { [key: string]: any },
    options?: {
      limits?: { cpuMs?: number; subRequests?: number };
      // oxlint-disable-next-line typescript/no-explicit-any -- the platform's own type is assignable to it
      outbound?: { [key: string]: any };
    },
  ): FetcherLike | undefined;
}

/** The facts about a run by which a script is chosen. */
export interface DispatchedRun extends Pick<RunFacts, "id" | "tags" | "triggeredBy" | "environment" | "tenantId"> {
  readonly workflowId: string;
  readonly workflowVersion?: string | undefined;
  /** The decoded `tenantMeta` of the run, which only the server and callers with the scope `admin` set (SEC5). */
  readonly tenantMeta: unknown;
}

export interface DispatchNamespaceDispatcherOptions {
  /** The binding of the namespace (`dispatch_namespaces` of wrangler.jsonc). */
  readonly namespace: DispatchNamespaceLike;
  /**
   * Returns the name of the script that executes a run. Its Worker answers with `createStepHandler`. Without a name, and if
   * the function throws, the run is paused. Choose by `tenantId` or `tenantMeta`, never by a value that a caller may set.
   */
  readonly script: (run: DispatchedRun) => string | undefined;
  /** The limits of each call. A script that exceeds them counts as crashed (DUR7). */
  readonly limits?: ScriptLimits | ((run: DispatchedRun) => ScriptLimits) | undefined;
  /** The arguments of the namespace's outbound Worker. */
  readonly outbound?:
    | Readonly<Record<string, unknown>>
    | ((run: DispatchedRun) => Readonly<Record<string, unknown>>)
    | undefined;
}

const limit = v.optional(
  v.custom<number>(
    (value) => Number.isSafeInteger(value) && Number(value) >= 1,
    "must be a whole number of at least 1",
  ),
);
const LIMITS = v.strictObject({ cpuMs: limit, subRequests: limit } satisfies Record<
  keyof ScriptLimits,
  v.GenericSchema
>);

const OPTIONS = v.strictObject({
  namespace: v.pipe(
    v.any(),
    v.check(
      (value) => v.is(withMethods("get"), value),
      "must be a dispatch namespace. Add it to `dispatch_namespaces` of wrangler.jsonc and pass env.<its binding>",
    ),
  ),
  script: v.custom<DispatchNamespaceDispatcherOptions["script"]>(
    (value) => typeof value === "function",
    "must be a function that returns the name of the script for a run",
  ),
  limits: v.optional(
    v.union([isFunction, LIMITS], "must be { cpuMs, subRequests } in whole numbers, or a function that returns them"),
  ),
  outbound: v.optional(
    v.union([isFunction, v.record(v.string(), v.unknown())], "must be an object, or a function that returns one"),
  ),
} satisfies Record<keyof DispatchNamespaceDispatcherOptions, v.GenericSchema>);

/** @throws HoldfastError `INVALID_ARGUMENT` for invalid options (RUN7). */
export function createDispatchNamespaceDispatcher(options: DispatchNamespaceDispatcherOptions): StepDispatcher {
  checkOptions(OPTIONS, options, "createDispatchNamespaceDispatcher");
  return {
    start(start, port) {
      const script = scriptOf(options, start);
      return "error" in script ? refused(script.error, port) : begin(script, start, port);
    },
    readsPages: () => "later",
    // Each script serves its own workflows, so there is no common list.
    workflows: () => [],
  };
}

interface Script {
  readonly name: string;
  readonly connect: () => FetcherLike | undefined;
}

function scriptOf(
  { namespace, script, limits, outbound }: DispatchNamespaceDispatcherOptions,
  { run, workflowId, workflowVersion }: ExecutionStart,
): Script | { readonly error: ErrorValue } {
  try {
    const { id, tags, triggeredBy, environment, tenantId } = run;
    const tenantMeta = run.tenantMeta === undefined ? undefined : decodeOrUnreadable(run.tenantMeta);
    const facts = {
      id,
      tags,
      triggeredBy,
      environment,
      tenantId,
      workflowId,
      workflowVersion,
      tenantMeta,
    } as DispatchedRun;
    const name: unknown = script(facts);
    if (typeof name !== "string" || name === "") return { error: refusal(NO_NAME) };
    const given = typeof limits === "function" ? limits(facts) : limits;
    if (given !== undefined) v.parse(LIMITS, given);
    const more = {
      ...(given === undefined ? {} : { limits: given as { cpuMs?: number; subRequests?: number } }),
      ...(outbound === undefined ? {} : { outbound: typeof outbound === "function" ? outbound(facts) : outbound }),
    };
    return { name, connect: () => namespace.get(name, {}, more) };
  } catch (error) {
    return { error: refusal(`The script for this run could not be chosen: ${textOf(error)}. ${FIX}`) };
  }
}

/** Begins an execution in a script. Each start agrees with its script by itself about pages. */
function begin(script: Script, start: ExecutionStart, port: ExecutionPort): LiveExecution {
  const binding: FetcherLike = {
    async fetch(request) {
      try {
        const worker = script.connect();
        if (worker === undefined) throw new Error(NOT_FOUND);
        return await worker.fetch(request);
      } catch (error) {
        throw failureOf(script.name, error);
      }
    },
  };
  return inPages((first, to) => new RpcExecution(first, to, lineBinding(binding))).start(start, port);
}

/** How the errors of the platform begin. */
const NOT_FOUND = "Worker not found";
const OVER_LIMIT = /exceeded (the |its )?(CPU|memory|resource|limit)|too many subrequests/i;

function failureOf(name: string, error: unknown): PipeError {
  const [what, message] = [`The script ${JSON.stringify(name)}`, textOf(error)];
  if (message.startsWith(NOT_FOUND))
    return new PipeError(
      `${what} is not in the dispatch namespace. Upload it, or correct the function script of createDispatchNamespaceDispatcher; then retry the run.`,
      "DISPATCH_REFUSED",
    );
  if (wiringMistake(error) !== undefined)
    return new PipeError(
      `${what} has no fetch handler. Let it answer with createStepHandler and upload it again; then retry the run.`,
      "DISPATCH_REFUSED",
    );
  if (OVER_LIMIT.test(message)) return new PipeError(`${what} exceeded its limits: ${message}`, "EXECUTOR_CRASHED");
  return new PipeError(`${what}: ${message}`);
}

const FIX = "Correct the options of createDispatchNamespaceDispatcher, then retry the run.";
const NO_NAME = `The function script of createDispatchNamespaceDispatcher returned no name for this run. ${FIX}`;

function refusal(message: string): ErrorValue {
  return errorValue("DISPATCH_REFUSED", message);
}

function refused(error: ErrorValue, port: ExecutionPort): LiveExecution {
  queueMicrotask(() => port.lost(error));
  return { update: () => {}, abort: () => {} };
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
