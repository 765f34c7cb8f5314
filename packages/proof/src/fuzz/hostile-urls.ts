/**
 * Generators of hostile URLs of public tokens: valid URLs with one or two changed parts.
 *
 * Owns: the changes. A result may be another form of the same URL, such as one with an encoded letter.
 */
import * as fc from "fast-check";

/** The parts of `/public/tokens/<tenant>/<run>/<incarnation>/<mac>/<token>`. */
const PARTS = 5;

const ODD = [
  "",
  ".",
  "..",
  "%2e%2e",
  "%2F",
  "%00",
  "%zz",
  "%c3%28",
  "-",
  "t-",
  "t-acme",
  "__proto__",
  ";",
  "%20",
] as const;

const encodeFirst = (part: string): string =>
  part === "" ? part : `%${part.charCodeAt(0).toString(16).padStart(2, "0")}${part.slice(1)}`;

const CHANGES: readonly ((part: string, odd: string, other: string) => string)[] = [
  (part) => part.toUpperCase(),
  (part) => part.slice(0, -1),
  (part) => `${part}0`,
  (part) => part.replace(/[0-9a-f]/, (digit) => (digit === "0" ? "1" : "0")),
  (part) => part.split("").toReversed().join(""),
  encodeFirst,
  (part) => encodeURIComponent(part),
  (part) => part.repeat(20),
  (_part, odd) => odd,
  (part, odd) => part + odd,
  (part, odd) => odd + part,
  (_part, _odd, other) => other,
];

/** Generates changes of these paths. */
export function hostileTokenUrl(valid: readonly string[]): fc.Arbitrary<string> {
  const one = fc.constantFrom(...valid);
  const change = fc.record({
    at: fc.nat(PARTS - 1),
    from: fc.nat(PARTS - 1),
    how: fc.constantFrom(...CHANGES),
    odd: fc.constantFrom(...ODD),
  });
  const changed = fc.tuple(one, one, fc.array(change, { minLength: 1, maxLength: 2 })).map(([path, other, changes]) => {
    const parts = partsOf(path);
    const others = partsOf(other);
    for (const { at, from, how, odd } of changes) parts[at] = how(parts[at] ?? "", odd, others[from] ?? "");
    return `/public/tokens/${parts.join("/")}`;
  });
  const reshaped = fc
    .tuple(one, fc.constantFrom("/", "//", "/x", "/../x", "?a=1", "%2F", ";x"))
    .map(([path, end]) => path + end);
  const moved = fc
    .tuple(
      one,
      fc.constantFrom("//public/", "/Public/", "/%70ublic/", "/public%2f", "/x/../public/", "/api/", "\\public\\"),
    )
    .map(([path, start]) => path.replace("/public/", start));
  const cut = fc.tuple(one, fc.nat(10_000)).map(([path, at]) => path.slice(0, 15 + (at % (path.length - 15))));
  return fc.oneof({ weight: 6, arbitrary: changed }, reshaped, moved, cut);
}

function partsOf(path: string): string[] {
  return path.split("/").slice(-PARTS);
}
