/**
 * Rows in parts: exactly the parts that a placeholder counts are stored (SR1).
 */
import type { ObservedRun } from "./observed-run.ts";

export function checkRows({ host: { store } }: ObservedRun): string[] {
  const expected = new Set<string>();
  const stored = new Set<string>();
  for (const [key, value] of store.stored) {
    if (key.startsWith("part/")) stored.add(key);
    else if (isPlaceholder(value)) for (let n = 0; n < value.parts; n++) expected.add(`part/${n}/${key}`);
  }
  return [
    ...[...stored].filter((part) => !expected.has(part)).map((part) => `${part} belongs to no row`),
    ...[...expected].filter((part) => !stored.has(part)).map((part) => `${part} is missing`),
  ];
}

function isPlaceholder(value: unknown): value is { readonly parts: number } {
  return typeof value === "object" && value !== null && "parts" in value && typeof value.parts === "number";
}
