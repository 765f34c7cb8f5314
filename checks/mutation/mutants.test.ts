/** The kinds of mutants, on a small source text. */
import { expect, test } from "vitest";
import { applyMutant, findMutants } from "./mutants.ts";

const TEXT = `
import { a } from "./a.ts";
export function f(n: number, open: boolean): number {
  assert(n > 0, "positive");
  if (n < 2 && !open) return 0;
  a.push(n ?? 1);
  return open ? n + 1 : Math.min(n, 5);
}
`;

test("mutants change operators, conditions, literals, methods and statements, and no types or assertions", () => {
  const mutants = findMutants({ path: "a.ts", text: TEXT });
  const changed = mutants.map(
    ({ start, end, replacement }) => `${TEXT.slice(start, end).trim()} → ${replacement.trim()}`,
  );
  expect(changed).toEqual([
    "n < 2 && !open → true",
    "n < 2 && !open → false",
    "&& → ||",
    "< → <=",
    "2 → 3",
    "!open → open",
    "0 → 1",
    "a.push(n ?? 1); → ;",
    "push → unshift",
    "?? 1 → ",
    "1 → 2",
    "open → !(open)",
    "+ → -",
    "1 → 2",
    "min → max",
    "5 → 6",
  ]);
});

test("a mutant replaces only its place", () => {
  const text = "export const a = 1 < 2;";
  const [mutant] = findMutants({ path: "a.ts", text });
  expect(mutant && applyMutant(text, mutant)).toBe("export const a = 1 <= 2;");
});
