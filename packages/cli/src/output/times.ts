/**
 * Times and durations for people.
 */
const UNITS: readonly (readonly [unit: string, ms: number])[] = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1_000],
];

/** `850ms`, `2.4s`, `3m 5s`, `2h 7m`, `4d 3h`. */
export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))}ms`;
  if (ms < 10_000) return `${(Math.floor(ms / 100) / 10).toFixed(1)}s`;
  const at = UNITS.findIndex(([, size]) => ms >= size);
  const [unit = "s", size = 1_000] = UNITS[at] ?? [];
  const [smaller, smallerSize = 1] = UNITS[at + 1] ?? [];
  const rest = smaller === undefined ? 0 : Math.floor((ms % size) / smallerSize);
  return `${Math.floor(ms / size)}${unit}${rest === 0 ? "" : ` ${rest}${smaller}`}`;
}

/** `3m ago`, in the largest unit. */
export function ago(at: number | undefined, now: number): string {
  if (at === undefined) return "";
  const ms = now - at;
  if (ms < 1_000) return ms < -1_000 ? `in ${duration(-ms).split(" ")[0]}` : "now";
  const [unit = "s", size = 1_000] = UNITS.find(([, one]) => ms >= one) ?? [];
  return `${Math.floor(ms / size)}${unit} ago`;
}

/** `12:07:31.402`, in UTC: what a log has. */
export function clock(at: number): string {
  return new Date(at).toISOString().slice(11, 23);
}

/** `2026-01-31 12:07:31Z` */
export function instant(at: number | undefined): string {
  return at === undefined ? "" : `${new Date(at).toISOString().slice(0, 19).replace("T", " ")}Z`;
}

const DURATION = /^(\d+(?:\.\d+)?)(ms|s|m|h|d|w)?$/;
const SIZES: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/** Parses `500ms`, `30s`, `5m`, `2h`, `7d`, `1w`; a bare number has `unit`. Returns `undefined` for other text. */
export function parseDuration(text: string, unit = "s"): number | undefined {
  const [, amount, given] = DURATION.exec(text.trim()) ?? [];
  return amount === undefined ? undefined : Number(amount) * (SIZES[given ?? unit] ?? 1);
}
