/**
 * The value that a form sends.
 *
 * Owns: the checks that a page can do while the reader types. The server checks the whole schema, so these only have to be
 * right when they refuse: patterns and combinations of fields are the server's alone.
 *
 * Invariants
 * - FORM2 What is returned without a problem has the shape that the fields describe; nothing is sent for an optional field
 *   that is empty.
 */
import { parseJson } from "../ui/json-text.ts";
import type { Draft } from "./form-draft.ts";
import type { Field, GroupField, ListField, NumberField, TextField } from "./form-model.ts";

/** What is wrong at a place. `path` is a JSON Pointer: empty for the whole answer. */
export interface Problem {
  readonly path: string;
  readonly message: string;
}

/** Stands for no value. */
const NOTHING = Symbol("nothing");

class Refused {
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    this.problems = problems;
  }
}

type Read = unknown;

export type Answer =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly problems: readonly Problem[] };

export function answerOf(field: Field, draft: Draft): Answer {
  const value = read(field, draft, "", true);
  if (value instanceof Refused) return { ok: false, problems: value.problems };
  return { ok: true, value: value === NOTHING ? undefined : value };
}

export function pathTo(path: string, name: string | number): string {
  return `${path}/${String(name).replaceAll("~", "~0").replaceAll("/", "~1")}`;
}

function read(field: Field, draft: Draft, path: string, isRequired: boolean): Read {
  if (isEmpty(field, draft)) return readEmpty(field, path, isRequired);
  if (field.kind === "text" && draft.kind === "text") return readText(field, draft.text, path);
  if (field.kind === "number" && draft.kind === "text") return readNumber(field, draft.text.trim(), path);
  if (field.kind === "flag" && draft.kind === "flag") return draft.value;
  if (field.kind === "choice" && draft.kind === "choice") return field.options[draft.index ?? 0]?.value;
  if (field.kind === "several" && draft.kind === "several") {
    const chosen = draft.chosen.toSorted((a, b) => a - b).map((index) => field.options[index]?.value);
    return sized(chosen, field, path) ?? chosen;
  }
  if (field.kind === "list" && draft.kind === "list") return readList(field, draft.items, path);
  if (field.kind === "group" && draft.kind === "group") return readGroup(field, draft.members, path);
  if (field.kind === "json" && draft.kind === "text") return readJson(draft.text, path);
  return field.kind === "constant" ? field.value : NOTHING;
}

/** Whether the reader has written nothing here. A group is empty if each of its members is, a list if each row is. */
function isEmpty(field: Field, draft: Draft): boolean {
  if (draft.kind === "text") return field.kind === "text" ? draft.text === "" : draft.text.trim() === "";
  if (draft.kind === "flag") return draft.value === undefined;
  if (draft.kind === "choice") return draft.index === undefined;
  if (draft.kind === "several") return draft.chosen.length === 0;
  if (draft.kind === "list" && field.kind === "list") return draft.items.every((row) => isEmpty(field.item, row.draft));
  if (draft.kind === "group" && field.kind === "group")
    return field.members.every((member, n) => {
      const own = draft.members[n];
      return own === undefined || isEmpty(member.field, own);
    });
  return true;
}

function readEmpty(field: Field, path: string, isRequired: boolean): Read {
  if (!isRequired) return NOTHING;
  if (field.isNullable === true) return null;
  switch (field.kind) {
    case "constant":
      return field.value;
    case "group":
      return readGroup(field, undefined, path);
    case "list":
    case "several":
      return sized([], field, path) ?? [];
    case "text":
      return field.min === 0 ? "" : refused(path, "Fill this in.");
    case "flag":
    case "choice":
      return refused(path, "Choose one.");
    default:
      return refused(path, "Fill this in.");
  }
}

function readText({ input, min = 0, max = Infinity }: TextField, text: string, path: string): Read {
  const length = Array.from(text).length;
  if (length < min) return refused(path, `Write at least ${count(min, "character")}; this has ${length}.`);
  if (length > max) return refused(path, `Write at most ${count(max, "character")}; this has ${length}.`);
  if (input === "email" && !/^[^\s@]+@[^\s@]+$/.test(text))
    return refused(path, "Write an address such as ann@example.com.");
  if (input === "url" && !URL.canParse(text)) return refused(path, "Write an address such as https://example.com.");
  if (input !== "date-time") return text;
  const at = new Date(text);
  return Number.isNaN(at.getTime()) ? refused(path, "Choose a date and a time.") : at.toISOString();
}

function readNumber(field: NumberField, text: string, path: string): Read {
  if (!/^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(text))
    return refused(path, field.isInteger ? "Write a whole number, such as 12." : "Write a number, such as 12.5.");
  const value = Number(text);
  const { isInteger, min = -Infinity, max = Infinity, above = -Infinity, below = Infinity, multipleOf } = field;
  if (isInteger && !Number.isInteger(value)) return refused(path, "Write a whole number, such as 12.");
  if (!Number.isFinite(value) || (Number.isInteger(value) && !Number.isSafeInteger(value)))
    return refused(path, "This number is too large to be sent exactly.");
  if (value < min) return refused(path, `Write a number of at least ${min}.`);
  if (value > max) return refused(path, `Write a number of at most ${max}.`);
  if (value <= above) return refused(path, `Write a number above ${above}.`);
  if (value >= below) return refused(path, `Write a number below ${below}.`);
  if (multipleOf !== undefined && !isMultiple(value, multipleOf))
    return refused(path, `Write a multiple of ${multipleOf}.`);
  return value;
}

function isMultiple(value: number, of: number): boolean {
  const times = value / of;
  return Math.abs(times - Math.round(times)) < 1e-9 * Math.max(1, Math.abs(times));
}

function readList(field: ListField, items: readonly { readonly draft: Draft }[], path: string): Read {
  const wrong = sized(items, field, path);
  const values = items.map(({ draft }, n) => read(field.item, draft, pathTo(path, n), true));
  const refusals = [...(wrong === undefined ? [] : [wrong]), ...values.filter((value) => value instanceof Refused)];
  if (refusals.length > 0) return together(refusals);
  const texts = values.map((value) => JSON.stringify(value));
  const again = field.isUnique ? texts.findIndex((text, n) => texts.indexOf(text) < n) : -1;
  return again < 0 ? values : refused(pathTo(path, again), "This is in the list already.");
}

function readGroup({ members }: GroupField, drafts: readonly Draft[] | undefined, path: string): Read {
  const entries = members.map(({ name, field, isRequired }, n) => {
    const draft = drafts?.[n];
    const at = pathTo(path, name);
    const value = draft === undefined ? readEmpty(field, at, isRequired) : read(field, draft, at, isRequired);
    return [name, value] as const;
  });
  const refusals = entries.map(([, value]) => value).filter((value) => value instanceof Refused);
  if (refusals.length > 0) return together(refusals);
  return Object.fromEntries(entries.filter(([, value]) => value !== NOTHING));
}

function readJson(text: string, path: string): Read {
  const parsed = parseJson(text);
  if (parsed.kind === "value") return parsed.value;
  return refused(path, parsed.kind === "invalid" ? "This is not JSON yet." : "Fill this in.");
}

function sized(
  items: readonly unknown[],
  { min = 0, max = Infinity }: { readonly min?: number | undefined; readonly max?: number | undefined },
  path: string,
): Refused | undefined {
  if (items.length < min) return refused(path, `Give at least ${min}; ${items.length} ${verb(items.length)} given.`);
  if (items.length > max) return refused(path, `Give at most ${max}; ${items.length} ${verb(items.length)} given.`);
  return undefined;
}

function verb(amount: number): string {
  return amount === 1 ? "is" : "are";
}

function count(amount: number, what: string): string {
  return amount === 1 ? `1 ${what}` : `${amount} ${what}s`;
}

function refused(path: string, message: string): Refused {
  return new Refused([{ path, message }]);
}

function together(refusals: readonly Refused[]): Refused {
  return new Refused(refusals.flatMap(({ problems }) => problems));
}

/**
 * Returns the problems by the path of the field that shows each: what no field shows is shown by the one around it, at last
 * by the form.
 */
export function problemsByField(
  field: Field,
  draft: Draft,
  problems: readonly Problem[],
): ReadonlyMap<string, readonly string[]> {
  const shown = new Set(pathsOf(field, draft, ""));
  const found = new Map<string, string[]>();
  for (const { path, message } of problems) {
    let at = path;
    while (at !== "" && !shown.has(at)) at = at.slice(0, at.lastIndexOf("/"));
    const inside = path.slice(at.length);
    found.set(at, [...(found.get(at) ?? []), inside === "" ? message : `${inside}: ${message}`]);
  }
  return found;
}

function pathsOf(field: Field, draft: Draft, path: string): readonly string[] {
  if (field.kind === "group" && draft.kind === "group")
    return [
      path,
      ...field.members.flatMap(({ name, field: member }, n) => {
        const own = draft.members[n];
        return own === undefined ? [] : pathsOf(member, own, pathTo(path, name));
      }),
    ];
  if (field.kind === "list" && draft.kind === "list")
    return [path, ...draft.items.flatMap((item, n) => pathsOf(field.item, item.draft, pathTo(path, n)))];
  return field.kind === "constant" ? [] : [path];
}
