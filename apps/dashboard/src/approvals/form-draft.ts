/**
 * What a reader has written in a form so far.
 *
 * Owns: the draft of each kind of field, and its first state from the defaults of the schema. A draft has the shape of its
 * field; `form-answer.ts` turns it into a value.
 */
import { type Field, type Option, isSchema } from "./form-model.ts";

export type Draft =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "flag"; readonly value: boolean | undefined }
  | { readonly kind: "choice"; readonly index: number | undefined }
  | { readonly kind: "several"; readonly chosen: readonly number[] }
  | { readonly kind: "list"; readonly items: readonly ListItem[]; readonly nextId: number }
  | { readonly kind: "group"; readonly members: readonly Draft[] }
  | { readonly kind: "constant" };

/** The id is that of the row on the page, which keeps the caret when another row is removed. */
export interface ListItem {
  readonly id: number;
  readonly draft: Draft;
}

/** Rows that a new list shows at most, whatever its `minItems`. */
const ROWS = 10;

/** Returns the draft that writes the value, as far as the field can; without a value, that of the defaults. */
export function draftOf(field: Field, given: unknown = field.initial): Draft {
  switch (field.kind) {
    case "text":
      return { kind: "text", text: typeof given === "string" ? shownText(field.input, given) : "" };
    case "number":
      return { kind: "text", text: typeof given === "number" ? String(given) : "" };
    case "flag":
      return { kind: "flag", value: typeof given === "boolean" ? given : undefined };
    case "choice":
      return { kind: "choice", index: given === undefined ? undefined : indexOf(field.options, given) };
    case "several":
      return { kind: "several", chosen: chosenOf(field.options, given) };
    case "list":
      return listDraft(field.item, field.min ?? 0, given);
    case "group": {
      const values = isSchema(given) ? given : {};
      return {
        kind: "group",
        members: field.members.map(({ name, field: member }) =>
          draftOf(member, Object.hasOwn(values, name) ? values[name] : member.initial),
        ),
      };
    }
    case "json":
      return { kind: "text", text: given === undefined ? "" : JSON.stringify(given, null, 2) };
    case "constant":
      return { kind: "constant" };
  }
}

function listDraft(item: Field, min: number, given: unknown): Draft {
  const values: readonly unknown[] = Array.isArray(given) ? given : Array.from({ length: Math.min(min, ROWS) });
  const items = values.map((value, id) => ({ id, draft: draftOf(item, value ?? item.initial) }));
  return { kind: "list", items, nextId: items.length };
}

function chosenOf(options: readonly Option[], given: unknown): readonly number[] {
  if (!Array.isArray(given)) return [];
  return given.map((value) => indexOf(options, value)).filter((index) => index !== undefined);
}

function indexOf(options: readonly Option[], value: unknown): number | undefined {
  const text = JSON.stringify(value);
  const index = options.findIndex((option) => JSON.stringify(option.value) === text);
  return index < 0 ? undefined : index;
}

/** A date and a time are written in the zone of the reader. */
function shownText(input: string, given: string): string {
  if (input !== "date-time") return given;
  const at = new Date(given);
  if (Number.isNaN(at.getTime())) return "";
  const local = new Date(at.getTime() - at.getTimezoneOffset() * 60_000);
  return local.toISOString().replace(/(?::00)?\.\d+Z$/, "");
}
