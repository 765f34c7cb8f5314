/**
 * A copy of plain data, for rows and messages in memory.
 *
 * Owns: the copy. It is several times faster than `structuredClone` for the rows of a run, and refuses the same values.
 */

/**
 * Copies lists and plain objects; `structuredClone` copies everything else.
 * @throws DataCloneError for a function and for other values that cannot be stored.
 */
export function plainCopy<T>(value: T): T {
  if (typeof value !== "object" || value === null) return typeof value === "function" ? structuredClone(value) : value;
  if (Array.isArray(value)) return value.map((item: unknown) => plainCopy(item)) as T;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return structuredClone(value);
  const copy: Record<string, unknown> = {};
  for (const key of Object.keys(value)) {
    // An assignment to this key would set the prototype.
    if (key === "__proto__") return structuredClone(value);
    copy[key] = plainCopy(value[key as keyof typeof value]);
  }
  return copy as T;
}
