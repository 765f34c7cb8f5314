/**
 * What a field accepts, in a few words below it.
 */
import type { Field, NumberField } from "./form-model.ts";

export function hintOf(field: Field): string {
  switch (field.kind) {
    case "text":
      return [
        range(field.min, field.max, "characters"),
        field.input === "date-time" && "In your time zone.",
        field.pattern !== undefined && `Must match ${field.pattern.slice(0, 200)}`,
      ]
        .filter((part) => typeof part === "string" && part !== "")
        .join(" ");
    case "number":
      return numberHint(field);
    case "list":
    case "several":
      return range(field.min, field.max, "entries");
    default:
      return "";
  }
}

function numberHint({ isInteger, min, max, above, below, multipleOf }: NumberField): string {
  // Libraries write the limits of whole numbers that are exact.
  const isWide =
    isInteger && (min ?? -Infinity) <= Number.MIN_SAFE_INTEGER && (max ?? Infinity) >= Number.MAX_SAFE_INTEGER;
  const parts = [
    !isWide && range(min, max, ""),
    above !== undefined && `Above ${above}.`,
    below !== undefined && `Below ${below}.`,
    multipleOf !== undefined && multipleOf !== 1 && `In steps of ${multipleOf}.`,
  ];
  return parts.filter((part) => typeof part === "string" && part !== "").join(" ");
}

function range(min: number | undefined, max: number | undefined, unit: string): string {
  const what = unit === "" ? "" : ` ${unit}`;
  const low = unit !== "" && (min ?? 0) <= (unit === "characters" ? 1 : 0) ? undefined : min;
  if (low !== undefined && max !== undefined)
    return low === max ? `Exactly ${max}${what}.` : `${low} to ${max}${what}.`;
  if (low !== undefined) return `At least ${low}${what}.`;
  return max === undefined ? "" : `At most ${max}${what}.`;
}
