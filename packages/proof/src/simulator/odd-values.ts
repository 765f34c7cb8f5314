/**
 * Values that a codec may get wrong, for the results of steps.
 *
 * Owns: the list. A program names a value by its position, so positions must not change.
 */
import { isDeepStrictEqual } from "node:util";

const VALUES: readonly (() => unknown)[] = [
  () => undefined,
  () => [-0, NaN, -Infinity, 2n ** 80n],
  () => new Map<unknown, unknown>([[{ key: 1 }, new Set([null, undefined, ""])]]),
  () => {
    const cycle: { self?: unknown; readonly list: unknown[] } = { list: [] };
    cycle.list.push(cycle);
    return { ...cycle, self: cycle };
  },
  () => ({ constructor: 1, toString: "text", hasOwnProperty: null }),
  () => [new Date(0), new Date(Number.NaN), new URL("https://example.com/a?b=c#d")],
  () => new Uint8Array([1, 2, 3]),
  () => ["\ud800", "\u2028", "\0", "é", "</script>"],
  // oxlint-disable-next-line no-sparse-arrays -- a list with holes is one of the values
  () => [1, , 3],
  () => {
    const shared = { n: 1 };
    return [shared, shared, [shared]];
  },
  // Larger than a page of the journal, and as large as several pages.
  () => "x".repeat(1_500),
  () => Array.from({ length: 40 }, (_, place) => ({ place, text: "\ud83d\ude00".repeat(50) })),
];

export const ODD_VALUES: number = VALUES.length;

/** Makes the value at this position. */
export function oddValue(position: number): unknown {
  return VALUES[position]?.();
}

/** Whether the function received an equal copy of the value. */
export function isOddValue(position: number, received: unknown): boolean {
  return isDeepStrictEqual(received, oddValue(position));
}
