/**
 * The form of an ask on the page of a public token: which schemas have fields, and the answer in what a browser sends.
 *
 * Owns: the fields that stand for a schema, and reading them. A schema that is not simple has no fields: its answer is typed as
 * JSON. The run's object checks each answer, so nothing here decides what fits.
 *
 * Invariants
 * - TF1 The name of a field is `.` and the name of the property; `.` alone is the answer itself. The field `payload` is an
 *   answer as JSON.
 */
import { isObject, pointerStep } from "@holdfast/orchestrator";
import type { AnswerIssue, Ask } from "@holdfast/protocol";

/** A simple value, and how a browser asks for it. */
export interface Field {
  /** In the form. */
  readonly name: string;
  /** Where the problems of its value are. */
  readonly path: string;
  readonly label: string;
  readonly hint?: string | undefined;
  readonly required: boolean;
  /** `choice`: one of `options`. `fixed`: the only option. */
  readonly kind: "text" | "lines" | "number" | "date" | "email" | "url" | "choice" | "fixed";
  /** The values that can be chosen, with their texts. */
  readonly options: readonly { readonly label: string; readonly value: unknown }[];
  /** Attributes of the input, by name. */
  readonly bounds: Readonly<Record<string, string>>;
}

/** What a browser sent, by the names of the fields. */
export type Sent = ReadonlyMap<string, string>;

/** The field with an answer as JSON. */
export const PAYLOAD = "payload";

type Schema = Readonly<Record<string, unknown>>;

/** A text with more characters gets several lines. */
const LINE_CHARS = 200;
const OPTIONS_MAX = 50;
const FIELDS_MAX = 50;

/** Returns the fields of the ask's schema; `undefined`: it has none, or is not simple. */
export function fieldsOf({ schema, title }: Ask): readonly Field[] | undefined {
  if (!isObject(schema)) return undefined;
  if (schema["type"] !== "object") {
    const field = fieldOf(schema, ".", "", title, true);
    return field && [field];
  }
  const { properties } = schema;
  if (!isObject(properties) || Object.keys(properties).some((name) => name === "")) return undefined;
  const required = schema["required"];
  const fields = Object.entries(properties).map(([name, property]) => {
    const path = pointerStep(name);
    return isObject(property)
      ? fieldOf(property, `.${name}`, path, name, Array.isArray(required) && required.includes(name))
      : undefined;
  });
  const found = fields.filter((field) => field !== undefined);
  return found.length === fields.length && found.length > 0 && found.length <= FIELDS_MAX ? found : undefined;
}

/** Keywords of a simple value. With any other that says something about the value, the answer is typed as JSON. */
const SIMPLE = new Set(
  "type title description default examples deprecated readOnly writeOnly $comment $schema $id enum const format pattern minLength maxLength minimum maximum exclusiveMinimum exclusiveMaximum multipleOf".split(
    " ",
  ),
);

function fieldOf(schema: Schema, name: string, path: string, label: string, required: boolean): Field | undefined {
  if (!Object.keys(schema).every((keyword) => SIMPLE.has(keyword))) return undefined;
  const how = controlOf(schema);
  if (how === undefined) return undefined;
  const { title, description } = schema;
  return {
    name,
    path,
    label: typeof title === "string" && title.trim() !== "" ? title : label,
    hint: typeof description === "string" ? description : undefined,
    required,
    ...how,
  };
}

function controlOf(schema: Schema): Pick<Field, "kind" | "options" | "bounds"> | undefined {
  const { type, enum: values, format } = schema;
  if ("const" in schema) return { kind: "fixed", options: [optionOf(schema["const"])], bounds: {} };
  if (Array.isArray(values)) {
    const options = values.map(optionOf);
    const differ = new Set(options.map(({ label }) => label)).size === options.length;
    return differ && options.length <= OPTIONS_MAX ? { kind: "choice", options, bounds: {} } : undefined;
  }
  switch (type) {
    case "boolean":
      return { kind: "choice", options: YES_NO, bounds: {} };
    case "number":
    case "integer":
      return { kind: "number", options: [], bounds: numberBounds(schema) };
    case "string":
      return { kind: kindOfText(schema, format), options: [], bounds: textBounds(schema) };
    default:
      return undefined;
  }
}

const YES_NO = [
  { label: "Yes", value: true },
  { label: "No", value: false },
];

function optionOf(value: unknown): Field["options"][number] {
  return { label: typeof value === "string" && value !== "" ? value : JSON.stringify(value), value };
}

function kindOfText({ maxLength }: Schema, format: unknown): Field["kind"] {
  if (format === "date" || format === "email") return format;
  if (format === "uri") return "url";
  return typeof maxLength === "number" && maxLength <= LINE_CHARS ? "text" : "lines";
}

/** `pattern` stays with the run's object: the attribute has another meaning. */
function textBounds({ minLength, maxLength }: Schema): Field["bounds"] {
  return { ...boundOf("minlength", minLength), ...boundOf("maxlength", maxLength) };
}

function numberBounds({ type, minimum, maximum, multipleOf }: Schema): Field["bounds"] {
  const step = { step: type === "integer" ? "1" : "any" };
  return { ...boundOf("min", minimum), ...boundOf("max", maximum), ...step, ...boundOf("step", multipleOf) };
}

function boundOf(name: string, value: unknown): Field["bounds"] {
  return typeof value === "number" ? { [name]: String(value) } : {};
}

/** Returns the answer in what a browser sent, or what is wrong with it. */
export function readAnswer(
  ask: Ask | undefined,
  sent: Sent,
): { readonly payload: unknown } | { readonly issues: readonly AnswerIssue[] } {
  const json = sent.get(PAYLOAD);
  if (json !== undefined) return sent.size === 1 ? readJson(json) : UNKNOWN;
  const fields = (ask && fieldsOf(ask)) ?? [];
  if (fields.length === 0 || [...sent.keys()].some((name) => fields.every((field) => field.name !== name)))
    return UNKNOWN;
  const read = fields.map((field) => ({ field, ...readField(field, sent.get(field.name) ?? "") }));
  const issues = read.flatMap(({ field: { path }, problem }) =>
    problem === undefined ? [] : [{ path, message: problem }],
  );
  if (issues.length > 0) return { issues };
  const [only] = read;
  if (only?.field.name === ".") return { payload: only.value };
  const given = read.filter(({ value }) => value !== undefined);
  return { payload: Object.fromEntries(given.map(({ field, value }) => [field.name.slice(1), value])) };
}

const UNKNOWN = { issues: [{ path: "", message: "the form has unknown fields" }] };

function readJson(text: string): ReturnType<typeof readAnswer> {
  try {
    return { payload: JSON.parse(text) };
  } catch (error) {
    return { issues: [{ path: "", message: `must be JSON: ${error instanceof Error ? error.message : ""}` }] };
  }
}

function readField(field: Field, text: string): { readonly value?: unknown; readonly problem?: string } {
  if (field.kind === "fixed") return { value: field.options[0]?.value };
  if (text === "") return field.required ? { problem: "is missing" } : {};
  if (field.kind === "choice") {
    const option = field.options.find((one) => one.label === text);
    return option === undefined ? { problem: "must be one of those shown" } : { value: option.value };
  }
  if (field.kind !== "number") return { value: text.replaceAll("\r\n", "\n") };
  const value = Number(text);
  return text.trim() === "" || !Number.isFinite(value) ? { problem: "must be a number" } : { value };
}
