/**
 * The keywords of JSON Schema 2020-12 that say something about a value.
 *
 * Owns: what each of them means, and the messages for people. A message continues the path of the part: "/ok must be true or
 * false".
 */
import { type AnswerIssue, HOST_LIMITS } from "@holdfast/protocol";
import { FORMATS } from "./formats.ts";
import { type Schema, type SchemaObject, isObject, isSchema, own, pointerStep } from "./schema.ts";

/** What the check of a value against a schema found. */
export interface Outcome {
  readonly issues: AnswerIssue[];
  /** The properties and elements that a schema has described, for `unevaluated…`. */
  readonly seen: Set<string | number>;
}

export function newOutcome(): Outcome {
  return { issues: [], seen: new Set() };
}

export interface Context {
  /** Takes steps in proportion to the parts of the value and of each keyword, but not to what is inside those parts. */
  apply(schema: Schema, value: unknown, path: string): Outcome;
  matches(pattern: string, text: string): boolean;
  resolve(reference: string): Schema | undefined;
  spend(steps: number): void;
}

interface Place {
  readonly context: Context;
  readonly schema: SchemaObject;
  /** The value of the keyword. */
  readonly rule: unknown;
  readonly value: unknown;
  readonly path: string;
  readonly outcome: Outcome;
}

export type Keyword = (place: Place) => void;

function fail({ outcome, path }: Pick<Place, "outcome" | "path">, message: string, below = ""): void {
  outcome.issues.push({ path: path + below, message });
}

/** A keyword of the values of one type. */
const of =
  <T>(
    is: (value: unknown) => value is T,
    check: (value: T, rule: number, place: Place) => string | undefined,
  ): Keyword =>
  (place) => {
    const message = is(place.value) ? check(place.value, Number(place.rule), place) : undefined;
    if (message !== undefined) fail(place, message);
  };

const isText = (value: unknown): value is string => typeof value === "string";
const isNumber = (value: unknown): value is number => typeof value === "number";
const isList = (value: unknown): value is readonly unknown[] => Array.isArray(value);

const NAMES: Readonly<Record<string, string>> = {
  string: "text",
  number: "a number",
  integer: "a whole number",
  boolean: "true or false",
  object: "an object",
  array: "a list",
  null: "null",
};

function hasType(value: unknown, type: unknown): boolean {
  if (value === null) return type === "null";
  if (isList(value)) return type === "array";
  if (type === "integer") return Number.isInteger(value);
  return typeof value === type;
}

const type: Keyword = (place) => {
  const types = isList(place.rule) ? place.rule : [place.rule];
  if (types.some((one) => hasType(place.value, one))) return;
  fail(place, `must be ${types.map((one) => NAMES[String(one)]).join(", or ")}`);
};

/** A text that is equal for equal values. */
function canonical(context: Context, value: unknown): string {
  context.spend(1);
  if (isList(value)) return `[${value.map((one) => canonical(context, one)).join()}]`;
  if (!isObject(value)) {
    // -0 is 0.
    const text = JSON.stringify(value === 0 ? 0 : value);
    context.spend(text.length / 100);
    return text;
  }
  const names = Object.keys(value).toSorted();
  return `{${names.map((name) => `${JSON.stringify(name)}:${canonical(context, value[name])}`).join()}}`;
}

const SHOWN_CHARS = 200;

const oneOfValues: Keyword = (place) => {
  const { context, rule, value } = place;
  const given = canonical(context, value);
  const allowed = isList(rule) ? rule : [];
  if (allowed.some((one) => canonical(context, one) === given)) return;
  const shown = allowed.map((one) => JSON.stringify(one)).join(", ");
  fail(place, `must be one of ${shown.length > SHOWN_CHARS ? `${shown.slice(0, SHOWN_CHARS)}…` : shown}`);
};

/** Applies a schema to the same value, and takes over its problems. */
function require(place: Place, schema: unknown): void {
  if (!isSchema(schema)) return;
  const found = place.context.apply(schema, place.value, place.path);
  place.outcome.issues.push(...found.issues);
  if (found.issues.length === 0) see(place, [found]);
}

/** Applies a schema to a property or an element. */
function descend({ context, path, outcome }: Place, schema: unknown, name: string | number, value: unknown): void {
  if (!isSchema(schema)) return;
  outcome.issues.push(...context.apply(schema, value, path + pointerStep(name)).issues);
  outcome.seen.add(name);
}

const reference: Keyword = (place) => require(place, place.context.resolve(String(place.rule)));

/** Applies each alternative to the same value. Returns those that fit, and takes over what the others say if none does. */
function alternatives(place: Place): readonly Outcome[] {
  const { rule, context, value, path, outcome } = place;
  const found = schemasOf(rule).map((schema) => ({ schema, ...context.apply(schema, value, path) }));
  const fits = found.filter(({ issues }) => issues.length === 0);
  if (fits.length > 0) return fits;
  // With one alternative of the right type, its problems say more than that none fits.
  const near = found.filter(({ schema }) => [own(schema, "type")].flat().some((one) => hasType(value, one)));
  if (near.length === 1) outcome.issues.push(...(near[0]?.issues ?? []));
  else fail(place, "fits none of the alternatives");
  return [];
}

function see({ context, outcome }: Place, found: readonly Outcome[]): void {
  for (const { seen } of found) {
    context.spend(seen.size / 4);
    for (const one of seen) outcome.seen.add(one);
  }
}

const anyOf: Keyword = (place) => see(place, alternatives(place));

const oneOf: Keyword = (place) => {
  const fits = alternatives(place);
  if (fits.length > 1) fail(place, "fits more than one of the alternatives");
  else see(place, fits);
};

const not: Keyword = (place) => {
  const { context, rule, value, path } = place;
  if (isSchema(rule) && context.apply(rule, value, path).issues.length === 0) fail(place, "is not allowed");
};

const ifThenElse: Keyword = (place) => {
  const { context, rule, value, path, schema } = place;
  if (!isSchema(rule)) return;
  const found = context.apply(rule, value, path);
  const fits = found.issues.length === 0;
  if (fits) see(place, [found]);
  require(place, own(schema, fits ? "then" : "else"));
};

function schemasOf(list: unknown): readonly Schema[] {
  return isList(list) ? list.filter(isSchema) : [];
}

const properties: Keyword = (place) => {
  const { value, rule } = place;
  if (!isObject(value)) return;
  for (const [name, schema] of Object.entries(Object(rule)))
    if (Object.hasOwn(value, name)) descend(place, schema, name, value[name]);
};

const patternProperties: Keyword = (place) => {
  const { value, rule, context } = place;
  if (!isObject(value)) return;
  for (const [pattern, schema] of Object.entries(Object(rule)))
    for (const name of Object.keys(value))
      if (context.matches(pattern, name)) descend(place, schema, name, value[name]);
};

const additionalProperties: Keyword = (place) => {
  const { value, rule, schema, context } = place;
  if (!isObject(value)) return;
  const known = own(schema, "properties");
  const patterns = Object.keys(Object(own(schema, "patternProperties")));
  const isKnown = (name: string): boolean =>
    own(known, name) !== undefined || patterns.some((pattern) => context.matches(pattern, name));
  rest(
    place,
    rule,
    Object.keys(value).filter((name) => !isKnown(name)),
  );
};

/** Applies a schema to the properties that others do not describe. */
function rest(place: Place, rule: unknown, names: readonly (string | number)[]): void {
  for (const name of names) {
    // The further ones are not shown.
    if (place.outcome.issues.length >= HOST_LIMITS.answerIssues) return;
    if (rule === false)
      fail(place, typeof name === "string" ? "is an unknown field" : "is not allowed", pointerStep(name));
    else descend(place, rule, name, own(place.value, String(name)));
  }
}

const propertyNames: Keyword = (place) => {
  const { context, value, rule, path } = place;
  if (!isObject(value) || !isSchema(rule)) return;
  for (const name of Object.keys(value))
    if (context.apply(rule, name, path).issues.length > 0)
      fail(place, "is not a name that is allowed", pointerStep(name));
};

const required: Keyword = (place) => {
  const { value, rule, context } = place;
  if (!isObject(value) || !isList(rule)) return;
  context.spend(rule.length / 4);
  for (const name of rule.map(String)) if (!Object.hasOwn(value, name)) fail(place, "is missing", pointerStep(name));
};

const dependentRequired: Keyword = (place) => {
  const { value, rule } = place;
  if (!isObject(value)) return;
  for (const [name, names] of Object.entries(Object(rule)))
    if (Object.hasOwn(value, name)) required({ ...place, rule: names });
};

const dependentSchemas: Keyword = (place) => {
  const { value, rule } = place;
  if (!isObject(value)) return;
  for (const [name, schema] of Object.entries(Object(rule))) if (Object.hasOwn(value, name)) require(place, schema);
};

const unevaluatedProperties: Keyword = (place) => {
  const { value, rule, outcome } = place;
  if (isObject(value))
    rest(
      place,
      rule,
      Object.keys(value).filter((name) => !outcome.seen.has(name)),
    );
};

const prefixItems: Keyword = (place) => {
  const { value } = place;
  if (!isList(value)) return;
  for (const [at, schema] of schemasOf(place.rule).entries())
    if (at < value.length) descend(place, schema, at, value[at]);
};

const items: Keyword = (place) => {
  const { value, rule, schema } = place;
  if (!isList(value)) return;
  const first = schemasOf(own(schema, "prefixItems")).length;
  rest(place, rule, [...value.keys()].slice(first));
};

const contains: Keyword = (place) => {
  const { value, rule, schema, context, path, outcome } = place;
  if (!isList(value) || !isSchema(rule)) return;
  const fits = [...value.keys()].filter((at) => context.apply(rule, value[at], path).issues.length === 0);
  for (const at of fits) outcome.seen.add(at);
  const { minContains = 1, maxContains = Infinity } = schema;
  if (fits.length < Number(minContains)) fail(place, `must contain at least ${Number(minContains)} such element`);
  if (fits.length > Number(maxContains)) fail(place, `must contain at most ${Number(maxContains)} such elements`);
};

const unevaluatedItems: Keyword = (place) => {
  const { value, rule, outcome } = place;
  if (isList(value))
    rest(
      place,
      rule,
      [...value.keys()].filter((at) => !outcome.seen.has(at)),
    );
};

const uniqueItems: Keyword = (place) => {
  const { value, rule, context } = place;
  if (rule !== true || !isList(value)) return;
  if (new Set(value.map((one) => canonical(context, one))).size < value.length) fail(place, "has an element twice");
};

const multipleOf = of(isNumber, (value, rule, { context }) => {
  // Numbers far apart have hundreds of digits.
  context.spend(10);
  return isMultiple(decimalOf(value), decimalOf(rule)) ? undefined : `must be a multiple of ${rule}`;
});

/** `digits × 10 ** exponent`. */
interface Decimal {
  readonly digits: bigint;
  readonly exponent: number;
}

/** The decimal number that JSON shows: in binary, 1.13 / 0.01 is not a whole number, and quotients of large numbers all are. */
function decimalOf(value: number): Decimal {
  const [digits = "", exponent] = value.toExponential().split("e");
  return { digits: BigInt(digits.replace(".", "")), exponent: Number(exponent) - (digits.split(".")[1] ?? "").length };
}

function isMultiple(value: Decimal, rule: Decimal): boolean {
  const least = Math.min(value.exponent, rule.exponent);
  const [all, one] = [value, rule].map(({ digits, exponent }) => digits * 10n ** BigInt(exponent - least));
  return (all ?? 0n) % (one ?? 1n) === 0n;
}

const bound = (words: string, holds: (value: number, rule: number) => boolean): Keyword =>
  of(isNumber, (value, rule) => (holds(value, rule) ? undefined : `must be ${words} ${rule}`));

const size = <T>(
  is: (value: unknown) => value is T,
  sizeOf: (value: T) => number,
  words: string,
  unit: string,
): Keyword =>
  of(is, (value, rule) => {
    const count = sizeOf(value);
    return (words === "at least" ? count >= rule : count <= rule) ? undefined : `must have ${words} ${rule} ${unit}`;
  });

const charsOf = (text: string): number => Array.from(text).length;
const elementsOf = (list: readonly unknown[]): number => list.length;
const namesOf = (value: SchemaObject): number => Object.keys(value).length;

const pattern: Keyword = (place) => {
  const { context, rule, value } = place;
  if (isText(value) && !context.matches(String(rule), value)) fail(place, `must match the pattern ${String(rule)}`);
};

const format: Keyword = (place) => {
  const { rule, value } = place;
  const known = isText(rule) && Object.hasOwn(FORMATS, rule) ? FORMATS[rule] : undefined;
  if (isText(value) && known?.fits(value) === false) fail(place, `must be ${known.name}`);
};

/** In the order of their evaluation: `unevaluated…` needs the others. */
export const KEYWORDS: ReadonlyMap<string, Keyword> = new Map(
  Object.entries<Keyword>({
    type,
    enum: oneOfValues,
    const: (place) => oneOfValues({ ...place, rule: [place.rule] }),
    multipleOf,
    minimum: bound("at least", (value, rule) => value >= rule),
    maximum: bound("at most", (value, rule) => value <= rule),
    exclusiveMinimum: bound("more than", (value, rule) => value > rule),
    exclusiveMaximum: bound("less than", (value, rule) => value < rule),
    minLength: size(isText, charsOf, "at least", "characters"),
    maxLength: size(isText, charsOf, "at most", "characters"),
    pattern,
    format,
    required,
    dependentRequired,
    minProperties: size(isObject, namesOf, "at least", "fields"),
    maxProperties: size(isObject, namesOf, "at most", "fields"),
    properties,
    patternProperties,
    additionalProperties,
    propertyNames,
    minItems: size(isList, elementsOf, "at least", "elements"),
    maxItems: size(isList, elementsOf, "at most", "elements"),
    uniqueItems,
    prefixItems,
    items,
    contains,
    $ref: reference,
    $dynamicRef: reference,
    allOf: (place) => schemasOf(place.rule).forEach((schema) => require(place, schema)),
    anyOf,
    oneOf,
    not,
    if: ifThenElse,
    dependentSchemas,
    unevaluatedItems,
    unevaluatedProperties,
  }),
);
