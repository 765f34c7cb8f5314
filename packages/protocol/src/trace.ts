/**
 * Where a run stands in a distributed trace: W3C Trace Context, https://www.w3.org/TR/trace-context/.
 *
 * Owns: ids of traces and spans that come out the same on every replay, so that what a step's body tells the outside
 * world and what the orchestrator exports later name the same span.
 */
import { hashText } from "./text-hash.ts";

interface Traced {
  readonly id: string;
  /** From the trigger, as it came. */
  readonly traceparent?: string | undefined;
}

const PATTERN = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}$/;

/** The ids of a `traceparent` header; `undefined`: it is none. */
export function parseTraceparent(header: string): { readonly traceId: string; readonly spanId: string } | undefined {
  const [, traceId = "", spanId = ""] = PATTERN.exec(header) ?? [];
  return /[^0]/.test(traceId) && /[^0]/.test(spanId) ? { traceId, spanId } : undefined;
}

/** The caller's trace, or one of the run's own. */
export function traceIdOf({ id, traceparent }: Traced): string {
  return parseTraceparent(traceparent ?? "")?.traceId ?? hexOf(`trace/${id}`, 4);
}

/** The span of the run (`what` absent), or of something in it. */
export function spanIdOf({ id }: Traced, what = ""): string {
  return hexOf(`span/${id}/${what}`, 2);
}

/** The `traceparent` that a step's body hands on. */
export function traceparentOf(run: Traced, what: string): string {
  return `00-${traceIdOf(run)}-${spanIdOf(run, what)}-01`;
}

/** A salted hash, 32 bits at a time. The last digit is never zero: no id is all zeros. */
function hexOf(text: string, words: number): string {
  let hex = "";
  for (let salt = 1; salt <= words; salt++) {
    const hash = hashText(text, salt);
    hex += (Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d) >>> 0).toString(16).padStart(8, "0");
  }
  return `${hex.slice(0, -1)}1`;
}
