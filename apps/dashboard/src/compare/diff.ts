/**
 * The differences between two values, by structure.
 *
 * Owns: what counts as a difference: a member that one side lacks, or a value that is another one. The order of an object's
 * members does not count. Lists are compared from both ends, so that an inserted member is one difference.
 */
interface Difference {
  /** As in `items[2].price`. Empty: the value itself. */
  readonly path: string;
  readonly kind: "added" | "removed" | "changed";
  readonly a?: unknown;
  readonly b?: unknown;
}

export interface Differences {
  readonly differences: readonly Difference[];
  /** There are more: only the first ones are listed. */
  readonly isCut: boolean;
}

const DEPTH_MAX = 60;
const COUNT_MAX = 200;

export function diffValues(a: unknown, b: unknown, countMax: number = COUNT_MAX): Differences {
  const differences: Difference[] = [];
  for (const difference of differencesOf(a, b, "", 0)) {
    if (differences.length === countMax) return { differences, isCut: true };
    differences.push(difference);
  }
  return { differences, isCut: false };
}

/** Whether two values are the same by structure. Without recursion: values may be deeper than the stack. */
export function isEqual(a: unknown, b: unknown): boolean {
  const left: [unknown, unknown][] = [[a, b]];
  for (let pair = left.pop(); pair !== undefined; pair = left.pop()) {
    const [x, y] = pair;
    if (Object.is(x, y)) continue;
    if (Array.isArray(x) && Array.isArray(y)) {
      if (x.length !== y.length) return false;
      for (const [index, member] of x.entries()) left.push([member, y[index]]);
    } else if (isObject(x) && isObject(y)) {
      const keys = Object.keys(x);
      if (keys.length !== Object.keys(y).length) return false;
      for (const key of keys) {
        if (!Object.hasOwn(y, key)) return false;
        left.push([x[key], y[key]]);
      }
    } else return false;
  }
  return true;
}

function* differencesOf(a: unknown, b: unknown, path: string, depth: number): Generator<Difference, void> {
  if (Object.is(a, b)) return;
  if (depth >= DEPTH_MAX && isEqual(a, b)) return;
  if (depth < DEPTH_MAX && Array.isArray(a) && Array.isArray(b)) yield* listDifferences(a, b, path, depth);
  else if (depth < DEPTH_MAX && isObject(a) && isObject(b)) yield* memberDifferences(a, b, path, depth);
  else yield { path, kind: "changed", a, b };
}

type Members = Readonly<Record<string, unknown>>;

function* memberDifferences(a: Members, b: Members, path: string, depth: number): Generator<Difference, void> {
  for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
    const at = memberPath(path, key);
    if (!Object.hasOwn(b, key)) yield { path: at, kind: "removed", a: a[key] };
    else if (!Object.hasOwn(a, key)) yield { path: at, kind: "added", b: b[key] };
    else yield* differencesOf(a[key], b[key], at, depth + 1);
  }
}

function* listDifferences(
  a: readonly unknown[],
  b: readonly unknown[],
  path: string,
  depth: number,
): Generator<Difference, void> {
  const shorter = Math.min(a.length, b.length);
  let start = 0;
  while (start < shorter && isEqual(a[start], b[start])) start++;
  let end = 0;
  while (end < shorter - start && isEqual(a[a.length - 1 - end], b[b.length - 1 - end])) end++;
  const [restA, restB] = [a.length - start - end, b.length - start - end];
  for (let index = 0; index < Math.max(restA, restB); index++) {
    const at = `${path}[${start + index}]`;
    if (index >= restB) yield { path: at, kind: "removed", a: a[start + index] };
    else if (index >= restA) yield { path: at, kind: "added", b: b[start + index] };
    else yield* differencesOf(a[start + index], b[start + index], at, depth + 1);
  }
}

function memberPath(path: string, key: string): string {
  if (!/^[A-Za-z_$][\w$]*$/.test(key)) return `${path}[${JSON.stringify(key)}]`;
  return path === "" ? key : `${path}.${key}`;
}

function isObject(value: unknown): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
