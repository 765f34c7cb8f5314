/**
 * What a run gives to other services: ids of its trace and spans, and the idempotency keys of its steps (RUN9).
 *
 * Owns: their derivation from `runKey`, which no other run has. They are the same in every replay, so a span id that a
 * step's body sends to another service is the id of the span that the orchestrator exports later. For trace ids see W3C
 * Trace Context, https://www.w3.org/TR/trace-context/.
 */
import type { OperationId } from "./ids.ts";
import { hashText } from "./text-hash.ts";

/** The part of a run's facts from which the ids are made. */
export interface Traced {
  readonly id: string;
  /** See `RunFacts.runKey`. A run without it keeps the ids that are made of its id alone. */
  readonly runKey?: string | undefined;
  /** The header of the trigger, unchanged. */
  readonly traceparent?: string | undefined;
}

const PATTERN = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}$/;

/** Reads the ids of a `traceparent` header; `undefined` if it is invalid. */
export function parseTraceparent(header: string): { readonly traceId: string; readonly spanId: string } | undefined {
  const [, traceId = "", spanId = ""] = PATTERN.exec(header) ?? [];
  return /[^0]/.test(traceId) && /[^0]/.test(spanId) ? { traceId, spanId } : undefined;
}

/** The trace id of the caller, or one of the run's own. */
export function traceIdOf({ id, runKey = id, traceparent }: Traced): string {
  return parseTraceparent(traceparent ?? "")?.traceId ?? hexOf(`trace/${runKey}`, 4);
}

/** The span id of the run, or of `what` in it: an operation or an attempt. */
export function spanIdOf({ id, runKey = id }: Traced, what = ""): string {
  return hexOf(`span/${runKey}/${what}`, 2);
}

/** The `traceparent` that a step's body passes on to other services. */
export function traceparentOf(run: Traced, what: string): string {
  return `00-${traceIdOf(run)}-${spanIdOf(run, what)}-01`;
}

/** The idempotency key of a step or compensation: 56 characters that reveal no name (STEP1, RUN9). */
export function stepKeyOf({ id, runKey }: Traced, op: OperationId): string {
  return runKey === undefined ? `${id}/${op}` : runKey + hexOf(op, 3);
}

/** Returns `words` salted 32-bit hashes as digits. The last digit is 1, because an id of zeros only is invalid. */
function hexOf(text: string, words: number): string {
  let hex = "";
  for (let salt = 1; salt <= words; salt++) {
    const hash = hashText(text, salt);
    hex += (Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d) >>> 0).toString(16).padStart(8, "0");
  }
  return `${hex.slice(0, -1)}1`;
}
