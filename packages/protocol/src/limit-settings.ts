/**
 * Limits that a deployment sets for itself (LIM1).
 *
 * Owns: parsing and validating these settings.
 */
import { HoldfastError } from "./errors.ts";
import { DEFAULT_LIMITS, type LimitName, type Limits } from "./limits.ts";

/**
 * Returns the limits of a deployment: the defaults, with `given` in place of some.
 * @param given An object, or its JSON, as in an environment variable: `{"inboxDeliveries":5000}`.
 * @param where The name of the argument, for the message.
 * @throws HoldfastError `INVALID_ARGUMENT` for a name that is not in `DEFAULT_LIMITS`, and for a value that is not a
 *   whole number of at least 1.
 */
export function limitsFrom(
  given: string | Readonly<Record<string, unknown>> | null | undefined,
  where = "limits",
): Limits {
  const limits: Record<LimitName, number> = { ...DEFAULT_LIMITS };
  if (given === undefined || given === null || given === "") return limits;
  for (const [name, value] of Object.entries(typeof given === "string" ? parse(given, where) : given)) {
    if (!isLimitName(name)) {
      const known = Object.keys(DEFAULT_LIMITS).toSorted().join(", ");
      throw new HoldfastError("INVALID_ARGUMENT", `${where}.${name}: cannot be set. Limits that can be set: ${known}.`);
    }
    if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 1) {
      throw new HoldfastError("INVALID_ARGUMENT", `${where}.${name}: must be a whole number of at least 1.`);
    }
    limits[name] = value;
  }
  return limits;
}

function isLimitName(name: string): name is LimitName {
  return Object.hasOwn(DEFAULT_LIMITS, name);
}

function parse(text: string, where: string): object {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // `value` stays undefined: the error below states the expected form.
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  throw new HoldfastError("INVALID_ARGUMENT", `${where}: must be JSON like {"inboxDeliveries":5000}.`);
}
