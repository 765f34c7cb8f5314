/**
 * Limits that a deployment sets for itself (LIM1).
 *
 * Owns: which of them it may set, and that a mistake is told at once.
 */
import { HoldfastError } from "./errors.ts";
import { type LimitName, changeLimit } from "./limits.ts";

/** What a deployment may set for itself: what the orchestrator alone looks at. The others bind both sides. */
const ADJUSTABLE: ReadonlySet<string> = new Set<LimitName>([
  "auditRows",
  "deliveryIds",
  "dispatchRetryMs",
  "executorCrashes",
  "inboxChars",
  "inboxDeliveries",
  "journalEntries",
  "openChildren",
  "openWaits",
  "outboxMessages",
  "preferWaitMs",
  "recordSteps",
  "requestBytes",
  "seedResults",
  "streamChars",
  "streamChunks",
  "streamReaders",
  "tenantMetaChars",
  "traceSpans",
]);

/**
 * Sets limits of this process: once, where it starts. `undefined` leaves all as they are.
 * @param given An object, or its JSON, as an environment variable has it: `{"inboxDeliveries":5000}`.
 * @throws HoldfastError `INVALID_ARGUMENT` for a name that is none, or not to be set, and for what is no whole number from 1.
 */
export function setLimits(given: string | Readonly<Record<string, unknown>> | null | undefined): void {
  if (given === undefined || given === null || given === "") return;
  for (const [name, value] of Object.entries(typeof given === "string" ? parse(given) : given)) {
    if (!ADJUSTABLE.has(name)) {
      const known = [...ADJUSTABLE].join(", ");
      throw new HoldfastError("INVALID_ARGUMENT", `limits.${name}: cannot be set. Those that can: ${known}.`);
    }
    if (!Number.isSafeInteger(value) || (value as number) < 1) {
      throw new HoldfastError("INVALID_ARGUMENT", `limits.${name}: must be a whole number from 1.`);
    }
    changeLimit(name as LimitName, value as number);
  }
}

function parse(text: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // It is told below.
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new HoldfastError("INVALID_ARGUMENT", 'limits: must be JSON like {"inboxDeliveries":5000}.');
}
