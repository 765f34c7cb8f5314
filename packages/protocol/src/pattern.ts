/**
 * Selecting deliveries by their payload (WAIT6).
 *
 * Owns: what a pattern is. It is plain data and is stored with the wait, so that a parked run needs no code of its
 * workflow to tell whether a delivery is for it.
 */

/**
 * True if the payload has everything that the pattern has: objects key by key, everything else by equality. Lists and
 * dates are equal as a whole.
 */
export function matchesPattern(pattern: unknown, payload: unknown): boolean {
  if (!isPlainObject(pattern)) return isEqual(pattern, payload);
  if (!isPlainObject(payload)) return false;
  return Object.entries(pattern).every(
    ([key, wanted]) => Object.hasOwn(payload, key) && matchesPattern(wanted, payload[key]),
  );
}

function isEqual(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (a instanceof Date && b instanceof Date) return a.getTime() === b.getTime();
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, index) => isEqual(item, b[index]));
  }
  if (!isPlainObject(a) || !isPlainObject(b)) return false;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && isEqual(a[key], b[key]));
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return Object.prototype.toString.call(value) === "[object Object]";
}
