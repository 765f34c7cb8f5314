/**
 * The `ctx` of a workflow function.
 *
 * Owns: the checks of arguments (RUN7, RUN8) and their translation into operations. It decides nothing about the run.
 */
import {
  HoldfastError,
  checkFields,
  checkPattern,
  decodeOrUnreadable,
  defined,
  encodeValue,
  idProblem,
  invalid,
  parseDurationMs,
  parseRemainingMs,
  parseTimeMs,
  readProperty,
  toErrorValue,
} from "@holdfast/protocol";
import type { OperationKind, RetryPolicy, ScheduledTick, SendRequest, TopicRequest } from "@holdfast/protocol";
import type { StandardJSONSchemaV1 } from "@standard-schema/spec";
import type { Execution } from "../replay/execution.ts";
import { handled } from "../replay/handled.ts";
import { currentStep } from "../replay/step-scope.ts";
import type { OpenOperation, WaitRequest } from "../replay/operation.ts";
import { Randomness } from "../replay/randomness.ts";
import { checkName, checkOutside } from "./checks.ts";
import { createInvoke } from "./children.ts";
import { type EventDefinition, keyToSend } from "./event.ts";
import { metadataWriter, streamWriter } from "./facts.ts";
import { createRace } from "./race.ts";
import { type RetryDefault, composition, createStep } from "./steps.ts";
import type {
  AskOptions,
  MatchOptions,
  RunSchedule,
  SleepOptions,
  Token,
  TokenOptions,
  TopicOptions,
  Wait,
  WaitOptions,
  WorkflowContext,
} from "./types.ts";
import { type OnTimeout, createWait, deliveredTo } from "./wait.ts";

const WAIT_FIELDS = ["timeout", "onTimeout", "signal"];
const MATCH_FIELDS = [...WAIT_FIELDS, "match"];
const TOPIC_FIELDS = [...MATCH_FIELDS, "key", "since", "allowGap"];
const TOKEN_FIELDS = [...WAIT_FIELDS, "tokenId", "public", "ask"];

export function createContext(execution: Execution, retry: RetryPolicy): WorkflowContext {
  const policy: RetryDefault = { current: retry };
  const { run, workflowId, workflowVersion, epoch, seed } = execution.start;
  return {
    step: createStep(execution, policy),
    ...composition(execution, policy),
    invoke: createInvoke(execution),
    stream: streamWriter(execution, policy),
    metadata: metadataWriter(execution),
    ...sleeps(execution),
    ...waits(execution),
    race: createRace(execution),
    waitForToken: createWaitForToken(execution),
    ...deterministic(execution, seed),
    run: {
      id: run.id,
      tenantId: run.tenantId,
      number: run.number,
      tags: run.tags,
      triggeredBy: run.triggeredBy,
      startedAt: new Date(run.startedAt),
      schedule: run.schedule && withDates(run.schedule),
    },
    workflow: { id: workflowId, version: workflowVersion },
    environment: run.environment,
    project: tenantText(execution, "project"),
    organization: tenantText(execution, "organization"),
    invocationCount: epoch,
    get signal() {
      return execution.controller.signal;
    },
    log: execution.log,
  };
}

function dateOf(ms: number): Date {
  return new Date(ms);
}

function withDates({ previous, ...tick }: ScheduledTick): RunSchedule {
  const { nominal, fireAt, next } = tick;
  return {
    ...tick,
    nominal: dateOf(nominal),
    fireAt: dateOf(fireAt),
    previous: previous === undefined ? previous : dateOf(previous),
    next: next.map(dateOf),
  };
}

function sleeps(execution: Execution): Pick<WorkflowContext, "sleep" | "sleepUntil"> {
  const sleep = (wait: WaitRequest, options: SleepOptions = {}, where: string): Promise<void> => {
    checkFields(options, ["signal"], where);
    const operation = requestWait(execution, "sleep", "sleep", wait, signalOf(options, where));
    return execution.races.promiseOf(operation, handled(operation.promise.then(() => undefined)));
  };
  return {
    sleep: (duration, options) =>
      sleep({ afterMs: parseWaitMs(execution, duration, "ctx.sleep") }, options, "ctx.sleep"),
    sleepUntil: (date, options) => sleep({ wakeAt: parseTimeMs(date, "ctx.sleepUntil") }, options, "ctx.sleepUntil"),
  };
}

function waits(execution: Execution): Pick<WorkflowContext, "waitForEvent" | "waitForSignal" | "sendEvent"> {
  const wait =
    (kind: "event" | "signal", where: string) =>
    <T>(event: string | EventDefinition<T>, options: MatchOptions | TopicOptions = {}): Wait<T> => {
      // A signal, or what is no definition, is refused as a name.
      const isTopic = kind === "event" && typeof event === "object";
      const name = isTopic ? event?.name : (event as string);
      checkName(name, where);
      checkFields(options, isTopic ? TOPIC_FIELDS : MATCH_FIELDS, where);
      const request = {
        ...timeoutOf(execution, options, where),
        ...matchOf(execution, options, where),
        ...(isTopic ? { topic: topicOf(options, where) } : {}),
      };
      const onTimeout = onTimeoutOf(options, where);
      const signal = signalOf(options, where);
      const open = (): OpenOperation => requestWait(execution, kind, name, request, signal);
      return createWait(execution, open, onTimeout);
    };
  return {
    waitForEvent: wait("event", "ctx.waitForEvent"),
    waitForSignal: wait("signal", "ctx.waitForSignal"),
    sendEvent: (event, data, options = {}) => {
      const where = "ctx.sendEvent";
      checkName(event?.name, where, "needs what event(…) returned, whose name");
      checkFields(options, ["key"], where);
      const send = {
        data: encodeValue(data, where),
        ...keyOrRefusal(() => keyToSend(event, data, options.key, where)),
      };
      return deliveredTo(execution, requestWait(execution, "send", event.name, { send }, undefined), "throw") as never;
    },
  };
}

/** A refusal is journaled: later code, with another schema or key, must replay what was decided. */
function keyOrRefusal(read: () => string | undefined): Pick<SendRequest, "key" | "refused"> {
  try {
    return defined({ key: read() });
  } catch (error) {
    return { refused: toErrorValue(error).message };
  }
}

function topicOf(options: MatchOptions & Partial<TopicOptions>, where: string): TopicRequest {
  const { key = "", since = "run", allowGap } = options;
  checkName(key, `${where}.key`);
  const last = Object(since).last;
  const at = since === "run" || last !== undefined ? undefined : since === "now" ? since : parseTimeMs(since, where);
  return {
    key,
    ...defined({ since: last === undefined ? at : 0, last, allowGap: allowGap === true ? allowGap : undefined }),
  };
}

function createWaitForToken(execution: Execution): WorkflowContext["waitForToken"] {
  const issued = new Set<string>();
  function waitForToken<T>(options: TokenOptions = {}): Token<T> {
    const where = "ctx.waitForToken";
    checkFields(options, TOKEN_FIELDS, where);
    checkOutside(where);
    const problem = options.tokenId === undefined ? undefined : idProblem(options.tokenId);
    if (problem !== undefined) throw invalid(`${where}.tokenId`, `${problem}.`);
    if (options.public === true && options.tokenId !== undefined) {
      throw invalid(where, "the id of a public token is its secret, so the engine generates it. Leave tokenId out.");
    }
    const onTimeout = onTimeoutOf(options, where);
    const request = tokenRequest(execution, options, where);
    const signal = signalOf(options, where);
    const tokenId = options.tokenId ?? execution.tokenIdFor(execution.operations.nextId("token", "token"));
    if (issued.has(tokenId)) {
      throw new HoldfastError(
        "TOKEN_IN_USE",
        `${where}: this run already issued the token ${JSON.stringify(tokenId)}. Choose another tokenId, or leave it out.`,
      );
    }
    const start = execution.start.run[options.public === true ? "publicTokens" : "ownTokens"];
    if (start === undefined) {
      throw new HoldfastError(
        "PUBLIC_TOKENS_NOT_CONFIGURED",
        `${where}: public: true needs URL_KEYS or RUN_INDEX_DO, then a new run.`,
      );
    }
    const operation = requestWait(execution, "token", "token", { ...request, tokenId }, signal);
    issued.add(tokenId);
    return {
      tokenId,
      url: start + encodeURIComponent(tokenId),
      wait: () => deliveredTo<T>(execution, operation, onTimeout),
    };
  }
  return waitForToken;
}

function tokenRequest(execution: Execution, options: TokenOptions, where: string): WaitRequest {
  return {
    ...timeoutOf(execution, options, where),
    ...(options.public === true ? { public: true } : {}),
    ...(options.ask === undefined ? {} : { ask: askText(options.ask, where) }),
  };
}

/**
 * Returns an ask as JSON, with its Standard Schema converted to JSON Schema. The orchestrator checks it, and the wait rejects
 * if it is refused (ASK2): a replay does not depend on it.
 */
function askText(ask: AskOptions, where: string): string {
  const standard: StandardJSONSchemaV1.Props | undefined = Object(Object(ask).schema)["~standard"];
  if (standard === undefined) return JSON.stringify(ask);
  try {
    return JSON.stringify({ ...ask, schema: standard.jsonSchema.input({ target: "draft-2020-12" }) });
  } catch (error) {
    throw invalid(
      `${where}.ask.schema`,
      `its library cannot convert it to JSON Schema: ${String(error)}. Pass a JSON Schema.`,
    );
  }
}

/** Time and randomness. Inside a step body they are real, because the body's result is journaled (REP4). */
function deterministic(execution: Execution, seed: string): Pick<WorkflowContext, "now" | "random" | "randomUUID"> {
  const randomness = new Randomness(seed, execution.profile?.randomnessIsKeyed === true);
  return {
    now: () => new Date(inBody() ? execution.platform.now() : execution.functionTime),
    random: () => (inBody() ? Math.random() : randomness.number()),
    randomUUID: () => (inBody() ? crypto.randomUUID() : randomness.uuid()),
  };
}

function inBody(): boolean {
  return currentStep() !== undefined;
}

/** A run without the flag throws where it threw before, so that its replay fits (REP8). */
function parseWaitMs({ profile }: Execution, duration: unknown, where: string): number {
  return (profile?.negativeIsPast === true ? parseRemainingMs : parseDurationMs)(duration, where);
}

function timeoutOf(execution: Execution, { timeout }: WaitOptions, where: string): WaitRequest {
  return timeout === undefined ? {} : { afterMs: parseWaitMs(execution, timeout, `${where}.timeout`) };
}

function matchOf({ profile }: Execution, { match }: MatchOptions, where: string): WaitRequest {
  if (match === undefined) return {};
  if (typeof match !== "function") {
    const encoded = encodeValue(match, `${where}.match`);
    if (profile?.patternsAreChecked === true) checkPattern(match, `${where}.match`);
    return { match: encoded };
  }
  throw invalid(
    `${where}.match`,
    `must be a pattern, such as { orderId: "o-1" }, not a function. The pattern is stored with the wait and compared without the workflow's code.`,
  );
}

function onTimeoutOf({ onTimeout = "null" }: WaitOptions, where: string): OnTimeout {
  if (onTimeout === "null" || onTimeout === "throw") return onTimeout;
  throw invalid(`${where}.onTimeout`, `must be "null" or "throw".`);
}

/** Requests a wait, which ends when its signal aborts (WAIT11). */
function requestWait(
  execution: Execution,
  kind: OperationKind,
  name: string,
  wait: WaitRequest,
  signal: AbortSignal | undefined,
): OpenOperation {
  const operation = execution.operations.request(kind, name, { type: "wait", wait });
  if (signal !== undefined && !operation.settled) execution.races.releaseOnAbort(operation, signal);
  return operation;
}

function signalOf({ signal }: SleepOptions, where: string): AbortSignal | undefined {
  if (signal === undefined || typeof signal?.addEventListener === "function") return signal;
  throw invalid(`${where}.signal`, "must be an AbortSignal.");
}

/** Reads a text from the metadata of the run's tenant. */
function tenantText(execution: Execution, key: string): string | undefined {
  const { tenantMeta } = execution.start.run;
  const meta = tenantMeta === undefined ? undefined : decodeOrUnreadable(tenantMeta);
  const value = typeof meta === "object" && meta !== null ? readProperty(meta, key) : undefined;
  return typeof value === "string" ? value : undefined;
}
