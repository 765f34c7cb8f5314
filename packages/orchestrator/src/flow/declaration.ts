/**
 * The check of a workflow's flow control and use of events, where a deployment registers workflows.
 *
 * Owns: FLOW1: what a declaration may say, which parts exclude each other, and the defaults. `where/declaration.ts` checks
 * what it says about events (EVT2). The check reads nothing but the declaration, so each process that sees it gets the same
 * result.
 */
import {
  type DeclaredLimit,
  FUNCTION,
  type FlowKey,
  type FlowOptions,
  HOST_LIMITS,
  HoldfastError,
  type WorkflowDescription,
  checkFields,
  idProblem,
  invalid,
  parseDurationMs,
} from "@holdfast/protocol";
import type { GateSettings, OnFull } from "../gate/messages.ts";
import { eventUseProblem } from "../where/declaration.ts";

/** A limit of a workflow after the check. */
export interface FlowLimit {
  readonly name: string;
  readonly key?: FlowKey | undefined;
  readonly group?: FlowKey | undefined;
  readonly scope?: "deployment" | undefined;
  readonly mode: "run" | "active";
  readonly onFull: OnFull;
  readonly settings: Omit<GateSettings, "rev">;
  readonly queueTimeoutMs?: number | undefined;
}

interface Debounce {
  readonly key?: FlowKey | undefined;
  readonly waitMs: number;
  readonly maxWaitMs: number;
  readonly take: "last" | "first";
}

interface Batch {
  readonly key?: FlowKey | undefined;
  readonly max: number;
  readonly waitMs: number;
  readonly maxBytes: number;
}

export interface Flow {
  /** In the order in which a run gets them, so that no two runs wait for each other. */
  readonly limits: readonly FlowLimit[];
  readonly debounce?: Debounce | undefined;
  readonly batch?: Batch | undefined;
  readonly priority?: FlowKey | undefined;
}

/** How the name of the limit begins that a singleton is. No declared limit may begin so. */
const SINGLETON = "singleton:";

const ON_FULL = ["queue", "reject", "skip", "replace"] as const;
const LIMIT_FIELDS = "name key max rate onFull maxQueued dropQueued queueTimeout fair scope mode hold".split(" ");

/**
 * Checks a declaration and adds the defaults. `undefined`: the workflow has no flow control.
 * @throws HoldfastError `INVALID_ARGUMENT` that names the field.
 */
export function readFlow({ id, flow }: WorkflowDescription): Flow | undefined {
  if (flow === undefined) return undefined;
  const at = `workflow(${JSON.stringify(id)})`;
  // A step handler in another process may list anything.
  if (Object(flow) !== flow) throw invalid(`${at}.flow`, "must be an object.");
  const { limits = [], singleton, priority, on, cancelOn, events } = flow;
  const problem = eventUseProblem({ id, on, cancelOn, events });
  if (problem !== undefined) throw new HoldfastError("INVALID_ARGUMENT", `${problem}.`);
  if (!Array.isArray(limits)) throw invalid(`${at}.limits`, "must be a list of what limit() returned.");
  const declared = limits.map((one, index) => readLimit(one, `${at}.limits[${index}]`));
  const all = singleton === undefined ? declared : [...declared, readSingleton(singleton, id, `${at}.singleton`)];
  if (all.length > HOST_LIMITS.holds)
    throw invalid(`${at}.limits`, `a run may have at most ${HOST_LIMITS.holds} limits, a singleton included.`);
  const names = all.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) < index);
  if (twice !== undefined) throw invalid(`${at}.limits`, `the limit ${JSON.stringify(twice)} is there twice.`);
  checkCombinations(flow, all, at);
  return {
    limits: all.toSorted(inOrder),
    debounce: readDebounce(flow.debounce, `${at}.debounce`),
    batch: readBatch(flow.batch, `${at}.batch`),
    priority: priority === undefined ? undefined : readKey(priority, `${at}.priority`),
  };
}

/**
 * The order in which a run gets its limits: first those that it holds to its end, then those that it gives back and wants
 * again while it holds the others; by their names.
 */
function inOrder(a: FlowLimit, b: FlowLimit): number {
  if (a.mode !== b.mode) return a.mode === "run" ? -1 : 1;
  return a.name < b.name ? -1 : 1;
}

/**
 * Refuses workflows whose runs could wait for each other forever: one gets a limit before another, and a second one after it.
 * @throws HoldfastError `INVALID_ARGUMENT` that names both limits.
 */
export function checkOrder(workflows: readonly WorkflowDescription[]): void {
  const before = new Map<string, Set<string>>();
  for (const workflow of workflows) {
    const names = (readFlow(workflow)?.limits ?? []).filter(({ settings }) => settings.max !== undefined);
    names.sort((a, b) => Number(isAskedFirst(b)) - Number(isAskedFirst(a)));
    for (const [index, { name }] of names.entries()) {
      const later = names.slice(index + 1).find((one) => comesBefore(before, one.name, name));
      if (later !== undefined)
        throw invalid(`workflow(${JSON.stringify(workflow.id)}).limits`, cycle(name, later.name));
    }
    for (const [index, { name }] of names.entries()) {
      const known = before.get(name) ?? new Set();
      for (const one of names.slice(index + 1)) known.add(one.name);
      before.set(name, known);
    }
  }
}

/** Whether a run may have the limit before all others, and keeps it: it is asked before the run exists (L6). */
function isAskedFirst({ mode, onFull }: FlowLimit): boolean {
  return mode === "run" && (onFull === "reject" || onFull === "skip");
}

function comesBefore(before: ReadonlyMap<string, ReadonlySet<string>>, first: string, then: string): boolean {
  const seen = new Set([first]);
  for (const name of seen) for (const next of before.get(name) ?? []) seen.add(next);
  return seen.has(then);
}

function cycle(first: string, then: string): string {
  const [a, b] = [JSON.stringify(first), JSON.stringify(then)];
  return `gets ${a} before ${b}, and another workflow gets them the other way round, so two runs could wait for each other. Hold ${a} and ${b} in the same modes ("run", "active") and with the same onFull in both.`;
}

function checkCombinations({ debounce, batch, priority }: FlowOptions, limits: readonly FlowLimit[], at: string): void {
  if (debounce !== undefined && batch !== undefined)
    throw invalid(
      `${at}.batch`,
      "excludes debounce. A debounce starts one run for the newest input, a batch one for all.",
    );
  const rated = limits.find(({ settings }) => settings.rate !== undefined);
  if (rated !== undefined && priority !== undefined)
    throw invalid(
      `${at}.priority`,
      `excludes a rate, which ${JSON.stringify(rated.name)} has: a rate reserves starts in the order of the triggers.`,
    );
}

/** Checks a limit of a workflow or of a step. @throws HoldfastError `INVALID_ARGUMENT` that names the field. */
export function readLimit(limit: DeclaredLimit, at: string): FlowLimit {
  checkFields(limit, LIMIT_FIELDS, at);
  const { name, key, fair, scope = "tenant", mode = "active", onFull = "queue", queueTimeout } = limit;
  const problem = idProblem(name);
  if (problem !== undefined) throw invalid(`${at}.name`, `${problem}.`);
  if (name.startsWith(SINGLETON)) throw invalid(`${at}.name`, `must not begin with "${SINGLETON}".`);
  checkChoice(scope, ["tenant", "deployment"], `${at}.scope`);
  checkChoice(mode, ["run", "active"], `${at}.hold`);
  checkChoice(onFull, ON_FULL, `${at}.onFull`);
  const settings = readSettings(limit, at);
  checkQueue(limit, at);
  if (fair !== undefined) checkFields(fair, ["key"], `${at}.fair`);
  return {
    name,
    key: key === undefined ? undefined : readKey(key, `${at}.key`),
    group: fair === undefined ? undefined : readKey(fair.key, `${at}.fair.key`),
    scope: scope === "deployment" ? scope : undefined,
    // Nothing is released that only a rate admits.
    mode: settings.max === undefined ? "run" : mode,
    onFull,
    settings,
    queueTimeoutMs: queueTimeout === undefined ? undefined : parseDurationMs(queueTimeout, `${at}.queueTimeout`),
  };
}

function readSettings({ max, rate, maxQueued, dropQueued }: DeclaredLimit, at: string): FlowLimit["settings"] {
  if (max === undefined && rate === undefined) throw invalid(at, "needs max, rate, or both.");
  if (max !== undefined) checkCount(max, 1, `${at}.max`, HOST_LIMITS.limitMax);
  if (maxQueued !== undefined) checkCount(maxQueued, 0, `${at}.maxQueued`, HOST_LIMITS.limitQueued);
  if (dropQueued !== undefined) checkChoice(dropQueued, ["newest", "oldest"], `${at}.dropQueued`);
  return { max, rate: rate && readRate(rate, `${at}.rate`), maxQueued, dropQueued };
}

function readRate(rate: NonNullable<DeclaredLimit["rate"]>, at: string): GateSettings["rate"] {
  checkFields(rate, ["limit", "per", "burst"], at);
  const { limit, per, burst = 0 } = rate;
  checkCount(limit, 1, `${at}.limit`, HOST_LIMITS.limitRate);
  checkCount(burst, 0, `${at}.burst`, HOST_LIMITS.limitRate);
  const perMs = parseDurationMs(per, `${at}.per`);
  if (perMs < 1) throw invalid(`${at}.per`, "must be at least 1 ms.");
  return { limit, perMs, burst };
}

/** What the queue of a limit needs: `max`, and `onFull: "queue"`. */
function checkQueue(
  { max, rate, onFull = "queue", maxQueued, dropQueued, queueTimeout, fair }: DeclaredLimit,
  at: string,
): void {
  if (rate !== undefined && onFull === "replace")
    throw invalid(`${at}.onFull`, '"replace" excludes a rate: what has started cannot be given back.');
  const fields = Object.entries({ maxQueued, fair, queueTimeout });
  const needsMax = fields.find(([, value]) => value !== undefined);
  if (max === undefined && needsMax !== undefined)
    throw invalid(`${at}.${needsMax[0]}`, "needs max: a rate alone has no queue, each run knows when it starts.");
  if (maxQueued !== undefined && onFull !== "queue") throw invalid(`${at}.maxQueued`, 'needs onFull "queue".');
  if (dropQueued !== undefined && maxQueued === undefined) throw invalid(`${at}.dropQueued`, "needs maxQueued.");
  if (queueTimeout !== undefined && onFull !== "queue" && onFull !== "replace")
    throw invalid(`${at}.queueTimeout`, 'needs onFull "queue" or "replace": otherwise no run waits.');
}

function readSingleton(singleton: NonNullable<FlowOptions["singleton"]>, id: string, at: string): FlowLimit {
  checkFields(singleton, ["key", "onConflict"], at);
  const { key, onConflict = "skip" } = singleton;
  checkChoice(onConflict, ON_FULL, `${at}.onConflict`);
  return {
    name: SINGLETON + id,
    key: key === undefined ? undefined : readKey(key, `${at}.key`),
    mode: "run",
    onFull: onConflict,
    settings: { max: 1 },
  };
}

function readDebounce(debounce: FlowOptions["debounce"], at: string): Debounce | undefined {
  if (debounce === undefined) return undefined;
  checkFields(debounce, ["key", "wait", "maxWait", "take"], at);
  const { key, wait, maxWait, take = "last" } = debounce;
  checkChoice(take, ["last", "first"], `${at}.take`);
  const waitMs = parseWaitMs(wait, `${at}.wait`);
  const maxWaitMs = maxWait === undefined ? 10 * waitMs : parseDurationMs(maxWait, `${at}.maxWait`);
  if (maxWaitMs < waitMs) throw invalid(`${at}.maxWait`, "must not be shorter than wait.");
  return { key: key === undefined ? undefined : readKey(key, `${at}.key`), waitMs, maxWaitMs, take };
}

function readBatch(batch: FlowOptions["batch"], at: string): Batch | undefined {
  if (batch === undefined) return undefined;
  checkFields(batch, ["key", "max", "wait", "maxBytes"], at);
  const { key, max, wait, maxBytes = HOST_LIMITS.batchBytes } = batch;
  checkCount(max, 1, `${at}.max`, HOST_LIMITS.batchInputs);
  checkCount(maxBytes, 1, `${at}.maxBytes`, HOST_LIMITS.batchBytes);
  const waitMs = parseWaitMs(wait, `${at}.wait`);
  return { key: key === undefined ? undefined : readKey(key, `${at}.key`), max, waitMs, maxBytes };
}

function parseWaitMs(wait: unknown, at: string): number {
  const ms = parseDurationMs(wait, at);
  if (ms < 1) throw invalid(at, "must be at least 1 ms.");
  return ms;
}

/** A path: `input`, and the names of fields. */
const PATH = /^input(?:\.[^.]+)*$/u;

function readKey(key: unknown, at: string): FlowKey {
  if (isFunction(key)) return key;
  if (typeof key === "string" && PATH.test(key)) return key;
  if (Object.keys(FUNCTION).every((name) => Object.hasOwn(Object(key), name)))
    throw invalid(
      at,
      'is a function, and this deployment calls the code in another process, so it cannot evaluate it. Give a path, such as "input.customerId".',
    );
  throw invalid(at, 'must be a function of the input, or a path such as "input.customerId".');
}

function isFunction(key: unknown): key is (input: never) => unknown {
  return typeof key === "function";
}

function checkCount(value: unknown, least: number, at: string, most: number): void {
  if (!Number.isSafeInteger(value) || Number(value) < least)
    throw invalid(at, `must be a whole number of at least ${least}.`);
  if (Number(value) > most) throw invalid(at, `must be at most ${most}.`);
}

function checkChoice(value: unknown, choices: readonly string[], at: string): void {
  if (choices.some((one) => one === value)) return;
  throw invalid(at, `must be one of ${choices.map((one) => JSON.stringify(one)).join(", ")}.`);
}
