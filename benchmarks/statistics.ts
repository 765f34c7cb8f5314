/**
 * What is said about a number of samples, and the shape of results.
 */

export interface Summary {
  readonly count: number;
  readonly min: number;
  readonly median: number;
  readonly p99: number;
}

/** `before`: Holdfast as another checkout has it. */
export type Who = "Holdfast" | "before" | "floor" | "peer";

/** One line of a table: who did what, and what it took. */
export interface Row extends Summary {
  /** What was done: `inline`, `1,000 entries`. */
  readonly what: string;
  readonly who: Who;
  /** How many of something: steps, mostly. What a plot has on its x axis. */
  readonly n?: number;
  /** In the order in which they were taken, one a round. */
  readonly samples: readonly number[];
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
  readonly failures: readonly string[];
}

/** Samples and what is said about them. */
export function summarize(samples: readonly number[]): Summary & Pick<Row, "samples"> {
  const sorted = samples.toSorted((a, b) => a - b);
  return {
    samples,
    count: sorted.length,
    min: sorted[0] ?? NaN,
    median: quantile(sorted, 0.5),
    p99: quantile(sorted, 0.99),
  };
}

/** Linear between the two nearest. */
function quantile(sorted: readonly number[], q: number): number {
  const place = (sorted.length - 1) * q;
  const [low, high] = [sorted[Math.floor(place)] ?? NaN, sorted[Math.ceil(place)] ?? NaN];
  return low + (high - low) * (place - Math.floor(place));
}

/** The row of one measure among all. */
export function findRow(measures: readonly Measure[], id: string, what: string, who: Who, n?: number): Row | undefined {
  const rows = measures.find((measure) => measure.id === id)?.rows ?? [];
  return rows.find((row) => row.what === what && row.who === who && (n === undefined || row.n === n));
}

/**
 * How many times as much the one took as the other: the median over the rounds of the ratio within a round, where both
 * met the same machine.
 */
export function ratioOf(one: Row | undefined, other: Row | undefined): number {
  if (one === undefined || other === undefined) return Number.NaN;
  if (one.count !== other.count) return one.median / other.median;
  const ratios = one.samples.map((sample, round) => sample / (other.samples[round] ?? Number.NaN));
  return quantile(
    ratios.toSorted((a, b) => a - b),
    0.5,
  );
}
