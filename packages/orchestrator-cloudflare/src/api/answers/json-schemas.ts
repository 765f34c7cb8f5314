/**
 * Parts of JSON Schema with which the answers of the API are described.
 *
 * Owns: the rule that a schema has the same fields as the type of the answer, which the compiler checks.
 */

export type JsonSchema = Readonly<Record<string, unknown>>;

export const text: JsonSchema = { type: "string" };
export const whole: JsonSchema = { type: "integer", minimum: 0 };
export const time: JsonSchema = { type: "integer", minimum: 0, description: "Milliseconds since 1970." };
export const flag: JsonSchema = { type: "boolean" };
/** An object with any fields. Without `additionalProperties`, generated types would allow none. */
export const open: JsonSchema = { type: "object", additionalProperties: true };
export const anything: JsonSchema = { description: "Any JSON value." };
export const listOf = (items: JsonSchema): JsonSchema => ({ type: "array", items });
export const oneOf = (...values: readonly string[]): JsonSchema => ({ type: "string", enum: values });
export const ref = (name: string): JsonSchema => ({ $ref: `#/components/schemas/${name}` });

/** A schema per field of a type. The names of optional fields end in `?`. */
export type Fields<T> = { readonly [K in keyof T & string as object extends Pick<T, K> ? `${K}?` : K]: JsonSchema };

/** Returns the schema of an object with the fields of `T` and no others. */
export function object<T>(fields: Fields<T>, description?: string): JsonSchema {
  const required = Object.keys(fields).filter((name) => !name.endsWith("?"));
  const properties = Object.fromEntries(
    Object.entries<JsonSchema>(fields).map(([name, schema]) => [name.replace(/\?$/, ""), schema]),
  );
  return {
    type: "object",
    ...(description === undefined ? {} : { description }),
    properties,
    required,
    additionalProperties: false,
  };
}
