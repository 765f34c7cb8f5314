/**
 * The form that a JSON Schema (2020-12) describes.
 *
 * Owns: which fields a schema becomes. What no field can express becomes a field for JSON, which shows its schema: the part
 * alone if it is a member of an object, else the whole. The server checks every answer against the whole schema; the form
 * only has to be able to write what the schema accepts.
 *
 * Invariants
 * - FORM1 A schema of any shape becomes a form, in bounded time: nesting, references and the number of fields have limits.
 */
export type Schema = Readonly<Record<string, unknown>>;

interface Common {
  readonly title?: string | undefined;
  readonly description?: string | undefined;
  /** Nothing is sent as `null` if the field is required. */
  readonly isNullable?: boolean | undefined;
  /** The value of `default`. */
  readonly initial?: unknown;
}

export interface Option {
  readonly value: unknown;
  readonly label: string;
  readonly description?: string | undefined;
}

interface Size {
  readonly min?: number | undefined;
  readonly max?: number | undefined;
}

type TextInput = "line" | "area" | "email" | "url" | "date" | "date-time";

export interface TextField extends Common, Size {
  readonly kind: "text";
  readonly input: TextInput;
  /** Shown to the reader; the server applies it. An expression of others may take forever here. */
  readonly pattern?: string | undefined;
}

export interface NumberField extends Common, Size {
  readonly kind: "number";
  readonly isInteger: boolean;
  readonly above?: number | undefined;
  readonly below?: number | undefined;
  readonly multipleOf?: number | undefined;
}

interface ChoiceField extends Common {
  readonly kind: "choice";
  readonly options: readonly Option[];
}

interface SeveralField extends Common, Size {
  readonly kind: "several";
  readonly options: readonly Option[];
}

export interface ListField extends Common, Size {
  readonly kind: "list";
  readonly item: Field;
  readonly isUnique: boolean;
}

interface Member {
  readonly name: string;
  readonly field: Field;
  readonly isRequired: boolean;
}

export interface GroupField extends Common {
  readonly kind: "group";
  readonly members: readonly Member[];
}

export interface JsonField extends Common {
  readonly kind: "json";
  readonly schema: unknown;
}

export type Field =
  | TextField
  | NumberField
  | (Common & { readonly kind: "flag" })
  | (Common & { readonly kind: "constant"; readonly value: unknown })
  | ChoiceField
  | SeveralField
  | ListField
  | GroupField
  | JsonField;

const DEPTH_MAX = 5;
const FIELDS_MAX = 100;
const OPTIONS_MAX = 200;

/** Keywords that change what a value may be in ways that no field shows. */
const BEYOND = [
  "$dynamicRef",
  "allOf",
  "dependentSchemas",
  "else",
  "if",
  "patternProperties",
  "prefixItems",
  "propertyNames",
  "then",
] as const;
const ANNOTATIONS = new Set(["$comment", "default", "deprecated", "description", "examples", "title"]);

/** Returns the field for the whole answer. */
export function formOf(schema: unknown): Field {
  const form = new Builder(schema);
  const field = form.field(schema, 0);
  return form.isTooLarge ? { ...form.json(schema), ...commonOf(schema) } : field;
}

class Builder {
  readonly #root: unknown;
  #fields = 0;

  constructor(root: unknown) {
    this.#root = root;
  }

  get isTooLarge(): boolean {
    return this.#fields > FIELDS_MAX;
  }

  json(schema: unknown): JsonField {
    return { kind: "json", schema };
  }

  field(given: unknown, depth: number): Field {
    this.#fields++;
    const schema = this.#resolve(given);
    const found = schema === undefined || this.isTooLarge ? undefined : this.#known(schema, depth);
    return { ...(found ?? this.json(given)), ...commonOf(schema ?? given) };
  }

  #known(schema: Schema, depth: number): Field | undefined {
    if (depth > DEPTH_MAX || BEYOND.some((keyword) => keyword in schema)) return undefined;
    if ("const" in schema) return { kind: "constant", value: schema["const"] };
    if (Array.isArray(schema["enum"]))
      return choiceOf(schema["enum"].map((value) => ({ value, label: labelOf(value) })));
    const alternatives = schema["oneOf"] ?? schema["anyOf"];
    if (alternatives !== undefined) return this.#oneOf(schema, alternatives, depth);
    const { type, isNullable } = typeOf(schema);
    const field = this.#typed(schema, type, depth);
    return field === undefined || !isNullable ? field : { ...field, isNullable };
  }

  #typed(schema: Schema, type: string | undefined, depth: number): Field | undefined {
    if (type === "string") return textOf(schema);
    if (type === "number" || type === "integer") return numberOf(schema, type === "integer");
    if (type === "boolean") return { kind: "flag" };
    if (type === "null") return { kind: "constant", value: null };
    if (type === "array") return this.#array(schema, depth);
    return type === "object" ? this.#object(schema, depth) : undefined;
  }

  /** Constants become a choice; one schema beside `null` is that schema. */
  #oneOf(schema: Schema, given: unknown, depth: number): Field | undefined {
    if (!Array.isArray(given) || given.length === 0 || ("oneOf" in schema && "anyOf" in schema)) return undefined;
    const alternatives = given.map((one) => this.#resolve(one));
    const others = alternatives.filter((one) => one?.["type"] !== "null" || "const" in one);
    const isNullable = others.length < alternatives.length;
    const constants = others.flatMap((one) => (one !== undefined && "const" in one ? [optionOf(one)] : []));
    if (constants.length === others.length && constants.length > 0) return choiceOf(constants, isNullable);
    const [only] = others;
    if (others.length > 1 || only === undefined || !isNullable || "type" in schema) return undefined;
    const field = this.field(only, depth + 1);
    return field.kind === "json" ? undefined : { ...field, isNullable };
  }

  #array(schema: Schema, depth: number): Field | undefined {
    if (schema["items"] === undefined || "contains" in schema) return undefined;
    const item = this.field(schema["items"], depth + 1);
    const isUnique = schema["uniqueItems"] === true;
    const size = { min: numberAt(schema, "minItems"), max: numberAt(schema, "maxItems") };
    if (item.kind === "choice" && isUnique && !item.isNullable)
      return { kind: "several", options: item.options, ...size };
    // A list of lists, or of anything, is easier to write as JSON.
    if (["json", "list", "several", "constant"].includes(item.kind)) return undefined;
    return { kind: "list", item, isUnique, ...size };
  }

  #object(schema: Schema, depth: number): Field | undefined {
    const properties = schema["properties"] ?? {};
    const required = new Set(Array.isArray(schema["required"]) ? schema["required"] : []);
    if (!isSchema(properties)) return undefined;
    // An object of any names: only JSON can write those.
    if (Object.keys(properties).length === 0 && schema["additionalProperties"] !== false) return undefined;
    const members = Object.entries(properties).map(([name, one]) => ({
      name,
      field: this.field(one, depth + 1),
      isRequired: required.has(name),
    }));
    const nameless = [...required].filter((name) => typeof name === "string" && !Object.hasOwn(properties, name));
    return nameless.length > 0 ? undefined : { kind: "group", members };
  }

  /** Follows references within the schema. Returns nothing for what is no object, and for references to elsewhere. */
  #resolve(given: unknown): Schema | undefined {
    let schema = given;
    for (let hops = 0; isSchema(schema) && "$ref" in schema; hops++) {
      const { $ref, ...beside } = schema;
      const target = hops < DEPTH_MAX ? pointed(this.#root, $ref) : undefined;
      if (!isSchema(target) || !Object.keys(beside).every((key) => ANNOTATIONS.has(key))) return undefined;
      schema = { ...target, ...beside };
    }
    return isSchema(schema) ? schema : undefined;
  }
}

export function isSchema(value: unknown): value is Schema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function pointed(root: unknown, ref: unknown): unknown {
  if (typeof ref !== "string" || !/^#(?:\/|$)/.test(ref)) return undefined;
  let at = root;
  for (const part of ref.split("/").slice(1)) {
    const name = unescaped(part);
    if (!isSchema(at) || name === undefined || !Object.hasOwn(at, name)) return undefined;
    at = at[name];
  }
  return at;
}

function unescaped(part: string): string | undefined {
  try {
    return decodeURIComponent(part).replaceAll("~1", "/").replaceAll("~0", "~");
  } catch {
    return undefined;
  }
}

function commonOf(schema: unknown): Common {
  if (!isSchema(schema)) return {};
  const { title, description } = schema;
  return {
    ...(typeof title === "string" && title !== "" && { title }),
    ...(typeof description === "string" && description !== "" && { description }),
    ...("default" in schema && { initial: schema["default"] }),
  };
}

function typeOf(schema: Schema): { readonly type: string | undefined; readonly isNullable: boolean } {
  const { type } = schema;
  if (typeof type === "string") return { type, isNullable: false };
  if (Array.isArray(type)) {
    const others: unknown[] = type.filter((one) => one !== "null");
    const [only] = others;
    const known = others.length === 1 && typeof only === "string" ? only : undefined;
    return { type: known, isNullable: others.length < type.length };
  }
  // Without a type, anything else is accepted too; the keywords say what is meant.
  return { type: isSchema(schema["properties"]) ? "object" : undefined, isNullable: false };
}

function choiceOf(options: readonly Option[], isNullable = false): Field | undefined {
  if (options.length === 0 || options.length > OPTIONS_MAX) return undefined;
  return { kind: "choice", options, ...(isNullable && { isNullable }) };
}

function optionOf(schema: Schema): Option {
  const { title, description } = commonOf(schema);
  return { value: schema["const"], label: title ?? labelOf(schema["const"]), description };
}

function labelOf(value: unknown): string {
  return typeof value === "string" && value !== "" ? value : JSON.stringify(value);
}

const INPUTS: Readonly<Record<string, TextInput>> = {
  email: "email",
  uri: "url",
  date: "date",
  "date-time": "date-time",
  multiline: "area",
  textarea: "area",
};
/** A text that may be longer than this gets an area. */
const LINE_CHARS = 160;

function textOf(schema: Schema): TextField {
  const { format, pattern } = schema;
  const max = numberAt(schema, "maxLength");
  const named = typeof format === "string" && Object.hasOwn(INPUTS, format) ? INPUTS[format] : undefined;
  const isArea = schema["multiline"] === true || (max !== undefined && max > LINE_CHARS);
  return {
    kind: "text",
    input: named ?? (isArea ? "area" : "line"),
    min: numberAt(schema, "minLength"),
    max,
    pattern: typeof pattern === "string" ? pattern : undefined,
  };
}

function numberOf(schema: Schema, isInteger: boolean): NumberField {
  return {
    kind: "number",
    isInteger,
    min: numberAt(schema, "minimum"),
    max: numberAt(schema, "maximum"),
    above: numberAt(schema, "exclusiveMinimum"),
    below: numberAt(schema, "exclusiveMaximum"),
    multipleOf: numberAt(schema, "multipleOf"),
  };
}

function numberAt(schema: Schema, keyword: string): number | undefined {
  const value = schema[keyword];
  return typeof value === "number" ? value : undefined;
}
