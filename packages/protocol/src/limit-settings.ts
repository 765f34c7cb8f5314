/**
 * Limits that a deployment sets for itself (LIM1).
 *
 * Owns: reading them, and that a mistake is reported at once.
 */
import { HoldfastError } from "./errors.ts";
import { DEFAULT_LIMITS, type LimitName, type Limits } from "./limits.ts";

/**
 * The limits of a deployment: the defaults, and what is given instead.
 * @param given An object, or its JSON, as an environment variable has it: `{"inboxDeliveries":5000}`.
 * @throws HoldfastError `INVALID_ARGUMENT` for a name that no deployment sets, and for a value that is no whole number
 *   from 1.
 */
export function limitsFrom(given: string | Readonly<Record<string, unknown>> | null | undefined): Limits {
  const limits: Record<LimitName, number> = { ...DEFAULT_LIMITS };
  if (given === undefined || given === null || given === "") return limits;
  for (const [name, value] of Object.entries(typeof given === "string" ? parse(given) : given)) {
    if (!isLimitName(name)) {
      const known = Object.keys(DEFAULT_LIMITS).toSorted().join(", ");
      throw new HoldfastError("INVALID_ARGUMENT", `limits.${name}: cannot be set. Those that can: ${known}.`);
    }
    if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 1) {
      throw new HoldfastError("INVALID_ARGUMENT", `limits.${name}: must be a whole number from 1.`);
    }
    limits[name] = value;
  }
  return limits;
}

function isLimitName(name: string): name is LimitName {
  return Object.hasOwn(DEFAULT_LIMITS, name);
}

function parse(text: string): object {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The error below says what is expected.
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  throw new HoldfastError("INVALID_ARGUMENT", 'limits: must be JSON like {"inboxDeliveries":5000}.');
}
