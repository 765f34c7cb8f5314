/**
 * Schemas of messages, as data (SEC10).
 *
 * Owns: the combinators. A schema describes what is wrong with a value: the path of the field, and what it must be. It
 * never repeats the value, which may be a secret or large. Records accept further fields, because newer code may send
 * them (VER2); `knownPart` removes them.
 */

export interface Problem {
  /** The path from the checked value to the field; `""`: the value itself. */
  readonly path: string;
  /** What the field must be, as in "must be text". */
  readonly must: string;
}

export interface Schema {
  /** Returns what is wrong. `decode`: encoded values are decoded, too. */
  (value: unknown, decode: boolean): Problem | undefined;
  /** The fields of a record. */
  readonly fields?: Readonly<Record<string, Schema>>;
  /** The field may be absent. */
  readonly optional?: true;
  /** The records of a variant, by their `type`. */
  readonly types?: Readonly<Record<string, Schema>>;
}

/** A schema of one condition. */
export function that(must: string, holds: (value: unknown) => boolean): Schema {
  const problem: Problem = { path: "", must };
  return (value) => (holds(value) ? undefined : problem);
}

export function optional(schema: Schema): Schema {
  const check: Schema = (value, decode) => (value === undefined ? undefined : schema(value, decode));
  return Object.assign(check, { ...schema, optional: true as const });
}

export function listOf(item: Schema, most: number = Infinity): Schema {
  const must = most === Infinity ? "must be a list" : `must be a list of at most ${most} elements`;
  return (value, decode) => {
    if (!Array.isArray(value) || value.length > most) return { path: "", must };
    // A loop by index: `every` skips the holes of a list.
    for (let place = 0; place < value.length; place++) {
      const problem = item(value[place], decode);
      if (problem !== undefined) return below(`[${place}]`, problem);
    }
    return undefined;
  };
}

export function record(fields: Readonly<Record<string, Schema>>): Schema {
  const entries = Object.entries(fields);
  const check: Schema = (value, decode) => {
    if (!isRecord(value)) return NO_RECORD;
    for (const [name, schema] of entries) {
      const problem = schema(value[name], decode);
      if (problem !== undefined) return below(name, problem);
    }
    return undefined;
  };
  return Object.assign(check, { fields });
}

/** A record whose `type` names its further fields. `others`: the schema of other types; absent: they are rejected. */
export function variant(types: Readonly<Record<string, Schema>>, others?: Schema): Schema {
  const must = `must be one of ${Object.keys(types).join(", ")}`;
  const check: Schema = (value, decode) => {
    if (!isRecord(value)) return NO_RECORD;
    const { type } = value;
    if (typeof type !== "string" || type.length > TYPE_CHARS_MAX) return { path: "type", must: TYPE };
    const schema = Object.hasOwn(types, type) ? types[type] : others;
    return schema === undefined ? { path: "type", must } : schema(value, decode);
  };
  return Object.assign(check, { types });
}

const TYPE_CHARS_MAX = 64;
const TYPE = `must be text of at most ${TYPE_CHARS_MAX} characters`;
const NO_RECORD: Problem = { path: "", must: "must be an object" };

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The problem of a field, as that of the value that contains it. */
export function below(name: string, { path, must }: Problem): Problem {
  return { path: path === "" || path.startsWith("[") ? name + path : `${name}.${path}`, must };
}

/** Describes a problem in a sentence: "report.events[0].value must be text". `name`: that of the checked value. */
export function describeProblem(name: string, problem: Problem): string {
  const { path, must } = below(name, problem);
  return `${path} ${must}`;
}

/** Returns a checked value without the fields that its schema does not name. The value itself, if it has none. */
export function knownPart<T>(value: T, schema: Schema): T {
  if (!isRecord(value)) return value;
  const { fields } = schema.types === undefined ? schema : (schema.types[String(value["type"])] ?? schema);
  if (fields === undefined) return value;
  const parts = Object.entries(value).map(([name, part]) => {
    const inner = name === "type" || Object.hasOwn(fields, name) ? fields[name] : DROPPED;
    return [name, part, inner === DROPPED ? DROPPED : inner === undefined ? part : knownPart(part, inner)] as const;
  });
  if (parts.every(([, part, known]) => part === known)) return value;
  // A cast: the fields that `T` names are those of the schema.
  return Object.fromEntries(parts.flatMap(([name, , known]) => (known === DROPPED ? [] : [[name, known]]))) as T;
}

const DROPPED: Schema = () => undefined;
