/**
 * The check of a JSON Schema before anything is checked against it (ASK2).
 *
 * Owns: the form of each keyword, and the refusals: references to elsewhere, keywords of earlier drafts, patterns that need
 * backtracking, and references that lead back to the same value. Unknown keywords are annotations, as in JSON Schema.
 */
import { readPattern } from "./pattern.ts";
import { HOLDERS, type Schema, type SchemaObject, isObject, isSchema, own, resolve, schemasIn } from "./schema.ts";

const TYPES = ["string", "number", "integer", "boolean", "object", "array", "null"];

/** Returns what a value must be; `undefined`: it is. */
type Check = (value: unknown) => string | undefined;

const that =
  (must: string, holds: (value: unknown) => boolean): Check =>
  (value) =>
    holds(value) ? undefined : `must be ${must}`;

const isText = (value: unknown): value is string => typeof value === "string";
const isType = (value: unknown): boolean => TYPES.some((type) => type === value);
const isTexts = (value: unknown): boolean => Array.isArray(value) && value.every(isText);
const number = that("a number", Number.isFinite);
const count = that("a whole number of at least 0", (value) => Number.isSafeInteger(value) && Number(value) >= 0);
const pattern: Check = (value) => {
  const read = isText(value) ? readPattern(value) : "must be text";
  return isText(read) ? read : undefined;
};
const since =
  (keyword: string): Check =>
  () =>
    `is a keyword of an earlier draft. Use ${keyword}`;

/** The values of keywords that contain no schemas. */
const VALUES: Readonly<Record<string, Check>> = {
  $schema: that("that of JSON Schema 2020-12", (value) =>
    /^https?:\/\/json-schema\.org\/draft\/2020-12\/schema#?$/.test(String(value)),
  ),
  type: that(`one of ${TYPES.join(", ")}, or a list of some of them`, (value) =>
    Array.isArray(value) ? value.length > 0 && value.every(isType) : isType(value),
  ),
  enum: that("a list, and not empty", (value) => Array.isArray(value) && value.length > 0),
  multipleOf: that("a number above 0", (value) => Number.isFinite(value) && Number(value) > 0),
  minimum: number,
  maximum: number,
  exclusiveMinimum: number,
  exclusiveMaximum: number,
  minLength: count,
  maxLength: count,
  minItems: count,
  maxItems: count,
  minContains: count,
  maxContains: count,
  minProperties: count,
  maxProperties: count,
  uniqueItems: that("true or false", (value) => typeof value === "boolean"),
  required: that("a list of names", isTexts),
  dependentRequired: that(
    "an object of lists of names",
    (value) => isObject(value) && Object.values(value).every(isTexts),
  ),
  pattern,
  patternProperties: (value) =>
    isObject(value)
      ? Object.keys(value)
          .map(pattern)
          .find((problem) => problem !== undefined)
      : "must be an object",
  format: that("text", isText),
  $ref: that("text", isText),
  $dynamicRef: that("text", isText),
  $recursiveRef: since("$ref"),
  dependencies: since("dependentRequired or dependentSchemas"),
  additionalItems: since("items with prefixItems"),
};

/** Returns what is wrong with a schema, beginning with its path; `undefined`: nothing. `path`: that of the schema. */
export function schemaProblem(schema: unknown, path: string): string | undefined {
  if (!isSchema(schema)) return `${path}: must be a JSON Schema: an object, true or false.`;
  return new SchemaCheck(schema).problem(schema, path);
}

class SchemaCheck {
  readonly #root: Schema;
  /** The schemas that were found, with their paths. */
  readonly #found = new Map<SchemaObject, string>();

  constructor(root: Schema) {
    this.#root = root;
  }

  problem(schema: Schema, path: string): string | undefined {
    return this.#ofSchema(schema, path) ?? this.#ofCycles();
  }

  #ofSchema(schema: Schema, path: string): string | undefined {
    if (!isObject(schema) || this.#found.has(schema)) return undefined;
    this.#found.set(schema, path);
    for (const [keyword, value] of Object.entries(schema)) {
      const problem = this.#ofKeyword(schema, keyword, value);
      if (problem !== undefined) return `${path}.${keyword}: ${problem}.`;
    }
    for (const [place, part] of [...schemasIn(schema), ...this.#references(schema)]) {
      const problem = this.#ofSchema(part, `${path}.${place.replaceAll("/", ".")}`);
      if (problem !== undefined) return problem;
    }
    return undefined;
  }

  #ofKeyword(schema: SchemaObject, keyword: string, value: unknown): string | undefined {
    if (keyword === "$id" && schema !== this.#root) return "is allowed for the whole schema only";
    const problem =
      (Object.hasOwn(VALUES, keyword) ? VALUES[keyword] : undefined)?.(value) ?? formProblem(keyword, value);
    if (problem !== undefined || !REFERENCES.includes(keyword) || resolve(this.#root, String(value)) !== undefined)
      return problem;
    return String(value).startsWith("#")
      ? "names no schema of this document"
      : "refers to elsewhere. Put that schema into $defs, and refer to it as #/$defs/name";
  }

  *#references(schema: SchemaObject): Generator<readonly [keyword: string, target: Schema]> {
    for (const keyword of REFERENCES) {
      const reference = own(schema, keyword);
      const target = isText(reference) ? resolve(this.#root, reference) : undefined;
      if (target !== undefined) yield [keyword, target];
    }
  }

  /** A schema that leads back to itself for the same value: its check would not end. */
  #ofCycles(): string | undefined {
    const state = new Map<Schema, "open" | "done">();
    const visit = (schema: Schema): Schema | undefined => {
      if (!isObject(schema) || state.get(schema) === "done") return undefined;
      if (state.get(schema) === "open") return schema;
      state.set(schema, "open");
      const same = [...schemasIn(schema)].filter(([place]) => HOLDERS[place.split("/")[0] ?? ""]?.same);
      for (const [, next] of [...same, ...this.#references(schema)]) {
        const cycle = visit(next);
        if (cycle !== undefined) return cycle;
      }
      state.set(schema, "done");
      return undefined;
    };
    for (const [schema, path] of this.#found)
      if (visit(schema) !== undefined)
        return `${path}: leads back to itself for the same value, so its check would not end.`;
    return undefined;
  }
}

const REFERENCES = ["$ref", "$dynamicRef"];

function formProblem(keyword: string, value: unknown): string | undefined {
  const holds = Object.hasOwn(HOLDERS, keyword) ? HOLDERS[keyword]?.holds : undefined;
  if (holds === undefined) return undefined;
  if (holds === "one")
    return isSchema(value) ? undefined : `must be a schema${keyword === "items" ? ". Use prefixItems for a list" : ""}`;
  const isHolder = holds === "list" ? Array.isArray(value) && value.length > 0 : isObject(value);
  if (isHolder && Object.values(Object(value)).every(isSchema)) return undefined;
  return holds === "list" ? "must be a list of schemas, and not empty" : "must be an object of schemas";
}
