/**
 * What is said about a number of samples, and the shape of results.
 */

export interface Summary {
  readonly count: number;
  readonly min: number;
  readonly median: number;
  readonly p99: number;
}

export type Who = "Holdfast" | "floor" | "peer";

/** One line of a table: who did what, and what it took. */
export interface Row extends Summary {
  /** What was done: `inline`, `1,000 entries`. */
  readonly what: string;
  readonly who: Who;
  /** How many of something: steps, mostly. What a plot has on its x axis. */
  readonly n?: number;
}

export interface Measure {
  readonly id: string;
  readonly title: string;
  /** Of the numbers: `ms a step`. */
  readonly unit: string;
  /** What was measured, and how. */
  readonly how: string;
  readonly rows: readonly Row[];
  /** Why rows are missing or have few samples. */
  readonly trouble: readonly string[];
}

export function summarize(samples: readonly number[]): Summary {
  const sorted = samples.toSorted((a, b) => a - b);
  return { count: sorted.length, min: sorted[0] ?? NaN, median: quantile(sorted, 0.5), p99: quantile(sorted, 0.99) };
}

/** Linear between the two nearest. */
export function quantile(sorted: readonly number[], q: number): number {
  const place = (sorted.length - 1) * q;
  const [low, high] = [sorted[Math.floor(place)] ?? NaN, sorted[Math.ceil(place)] ?? NaN];
  return low + (high - low) * (place - Math.floor(place));
}

/** The row's median, of one measure among all. */
export function medianOf(measures: readonly Measure[], id: string, what: string, who: Who, n?: number): number {
  const rows = measures.find((measure) => measure.id === id)?.rows ?? [];
  return rows.find((row) => row.what === what && row.who === who && (n === undefined || row.n === n))?.median ?? NaN;
}
