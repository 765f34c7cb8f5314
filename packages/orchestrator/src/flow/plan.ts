/**
 * The holds of a new run: which limits it needs, with which keys.
 *
 * Owns: FLOW2: keys are computed once, from the input as it was sent, before the run exists. A key is text; a long one is
 * replaced by its hash.
 */
import {
  type FlowKey,
  HOST_LIMITS,
  HoldfastError,
  type WorkflowDescription,
  decodeValue,
  defined,
  encodeValue,
  toErrorValue,
} from "@holdfast/protocol";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import type { GateSettings, OnFull } from "../gate/messages.ts";
import { ROUNDED, isRounded, keyProblem, readPath } from "../where/paths.ts";
import { type FlowLimit, readFlow } from "./declaration.ts";

/** A hold that a new run needs. It is stored in its header as it is. */
export interface PlannedHold {
  readonly limit: string;
  readonly key?: string;
  readonly scope?: "deployment";
  readonly mode: "run" | "active";
  readonly onFull: OnFull;
  readonly settings: GateSettings;
  readonly queueTimeoutMs?: number;
  readonly group?: string;
}

export interface Plan {
  readonly holds: readonly PlannedHold[];
  /** Seconds of head start. */
  readonly priority?: number;
}

/** Why a run cannot have the limits of its workflow. */
export interface PlanRefusal {
  readonly code: "limit_key_invalid" | "limits_not_configured";
  readonly message: string;
}

/**
 * Computes the holds of a new run of a workflow with flow control. `input`: encoded, as the caller sent it. `gates`: this
 * deployment has gates. `rev`: the time of its Worker version.
 */
export function planHolds(
  workflow: WorkflowDescription,
  input: string,
  gates: boolean,
  rev: number,
): Plan | PlanRefusal | undefined {
  try {
    const { limits = [], priority } = readFlow(workflow) ?? {};
    if (limits.length === 0) return undefined;
    if (!gates) return { code: "limits_not_configured", message: noGates(workflow.id) };
    const read = reader(input);
    const holds = limits.map((limit) => planHold(limit, read, rev));
    return defined({ holds, priority: priority === undefined ? undefined : readPriority(priority, read) });
  } catch (error) {
    if (error instanceof InvalidKey) return { code: "limit_key_invalid", message: error.message };
    // A step handler in another process declares something that this deployment refuses (FLOW1).
    if (error instanceof HoldfastError) return { code: "limits_not_configured", message: error.message };
    throw error;
  }
}

/** How a workflow collects triggers. */
export type WindowSettings =
  | { readonly type: "debounce"; readonly waitMs: number; readonly maxWaitMs: number; readonly take: "first" | "last" }
  | { readonly type: "batch"; readonly waitMs: number; readonly max: number; readonly maxBytes: number };

/** The window that collects a trigger. */
export interface WindowPlan {
  readonly key: string | undefined;
  readonly settings: WindowSettings;
}

/** Returns the window of a workflow with debounce or batch for this input; `undefined`: each trigger starts a run (WIN1). */
export function planWindow(workflow: WorkflowDescription, input: string): WindowPlan | PlanRefusal | undefined {
  try {
    const { debounce, batch } = readFlow(workflow) ?? {};
    const declared = debounce ?? batch;
    if (declared === undefined) return undefined;
    const { key: path } = declared;
    const key = path === undefined ? undefined : textOf(reader(input)(path, "key"), debounce ? "debounce" : "batch");
    if (debounce !== undefined) {
      const { waitMs, maxWaitMs, take } = debounce;
      return { key, settings: { type: "debounce", waitMs, maxWaitMs, take } };
    }
    if (batch === undefined) return undefined;
    const { waitMs, max, maxBytes } = batch;
    return { key, settings: { type: "batch", waitMs, max, maxBytes } };
  } catch (error) {
    if (error instanceof InvalidKey) return { code: "limit_key_invalid", message: error.message };
    if (error instanceof HoldfastError) return { code: "limits_not_configured", message: error.message };
    throw error;
  }
}

/** The input of a batch of one. @throws HoldfastError `INVALID_ARGUMENT` if a list cannot hold it. */
export function listOf(input: string): string {
  return encodeValue([decodeValue(input)], "input: the list of the batch");
}

function noGates(workflowId: string): string {
  return `The workflow ${JSON.stringify(workflowId)} has limits, and this deployment has no objects for them. Add the binding COORDINATOR_DO of the class CoordinatorDO.`;
}

export class InvalidKey extends Error {}

export type Read = (key: FlowKey, what: string) => unknown;

/** Returns a function that reads values of the input. The input is decoded when the first is read. */
export function reader(input: string): Read {
  let decoded: { readonly value: unknown } | undefined;
  return (key, what) => {
    try {
      decoded ??= { value: decodeValue(input) };
      return typeof key === "string"
        ? readPath(decoded.value, key.split(".").slice(1))
        : Reflect.apply(key, undefined, [decoded.value]);
    } catch (error) {
      const { name, message } = toErrorValue(error);
      throw new InvalidKey(`${what}: the function threw ${name}: ${message}. Return a text for each input.`);
    }
  };
}

function planHold(limit: FlowLimit, read: Read, rev: number): PlannedHold {
  const { name, key, group, scope, mode, onFull, settings, queueTimeoutMs } = limit;
  const what = `limit ${JSON.stringify(name)}`;
  return defined({
    limit: name,
    key: key === undefined ? undefined : textOf(read(key, `${what}, key`), `${what}, key`),
    scope,
    mode,
    onFull,
    settings: { rev, ...defined(settings) },
    queueTimeoutMs,
    group: group === undefined ? undefined : textOf(read(group, `${what}, fair.key`), `${what}, fair.key`),
  });
}

export function textOf(value: unknown, what: string): string {
  if (isRounded(value)) throw new InvalidKey(`${what}: the input gives ${ROUNDED}.`);
  const isKey = typeof value === "string" || typeof value === "boolean" || Number.isFinite(value);
  if (!isKey)
    throw new InvalidKey(`${what}: the input gives ${describe(value)}. A key must be a text, a number or a boolean.`);
  const text = String(value);
  if (!text.isWellFormed())
    throw new InvalidKey(
      `${what}: the input gives a text with half of a surrogate pair. A key must be well-formed Unicode.`,
    );
  return storedKey(text);
}

/** Returns a key as it is stored: a hash in place of a long one, and of one with control characters. */
export function storedKey(text: string): string {
  return text === "" || keyProblem(text) === undefined ? text : `sha256:${bytesToHex(sha256(utf8ToBytes(text)))}`;
}

function readPriority(priority: FlowKey, read: Read): number {
  const value = read(priority, "priority");
  const most = HOST_LIMITS.prioritySeconds;
  if (typeof value === "number" && Math.abs(value) <= most) return value;
  const given = typeof value === "number" ? String(value) : describe(value);
  throw new InvalidKey(`priority: the input gives ${given}. It must be a number of seconds from -${most} to ${most}.`);
}

/** The type of a value. The value itself may be a secret. */
function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}
