/**
 * The statistics of samples, and the types of results.
 */

export interface Summary {
  readonly count: number;
  readonly min: number;
  readonly median: number;
  readonly p99: number;
}

/** `before`: Holdfast in the checkout of a comparison. */
export type Who = "Holdfast" | "before" | "floor" | "peer";

/** One line of a table: the subject, the contestant, and the statistics of its samples. */
export interface Row extends Summary {
  /** The subject: `inline`, `1,000 entries`. */
  readonly what: string;
  readonly who: Who;
  /** The size, in most measures the number of steps. Plots have it on the x axis. */
  readonly n?: number;
  /** The samples in order, one per round. */
  readonly samples: readonly number[];
}

export interface Measure {
  readonly id: string;
  readonly title: string;
  /** The unit of the numbers: `ms a step`. */
  readonly unit: string;
  /** The description of the measurement. */
  readonly how: string;
  readonly rows: readonly Row[];
  /** The reasons why rows are missing or have few samples. */
  readonly failures: readonly string[];
}

/** Returns the samples with their statistics. */
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

/** Returns a quantile, interpolated linearly between the two nearest samples. */
function quantile(sorted: readonly number[], q: number): number {
  const place = (sorted.length - 1) * q;
  const [low, high] = [sorted[Math.floor(place)] ?? NaN, sorted[Math.ceil(place)] ?? NaN];
  return low + (high - low) * (place - Math.floor(place));
}

/** Returns a row of a measure, if it exists. */
export function findRow(measures: readonly Measure[], id: string, what: string, who: Who, n?: number): Row | undefined {
  const rows = measures.find((measure) => measure.id === id)?.rows ?? [];
  return rows.find((row) => row.what === what && row.who === who && (n === undefined || row.n === n));
}

/**
 * Returns the ratio of two rows: the median over the rounds of the ratio within a round. Within a round both contestants
 * had the same load on the machine.
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
