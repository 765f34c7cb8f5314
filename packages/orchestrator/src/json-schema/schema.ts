/**
 * JSON Schema 2020-12 as data: where its schemas are, and the targets of its references.
 *
 * Owns: the keywords that contain schemas, and the resolution of references, which stay inside the document.
 */

export type SchemaObject = Readonly<Record<string, unknown>>;
export type Schema = boolean | SchemaObject;

/** How a keyword contains schemas. */
export type Holder = "one" | "list" | "map";

/** Keywords whose schemas apply to the same value, to its parts, or only where a reference names them. */
export const HOLDERS: Readonly<Record<string, { readonly holds: Holder; readonly same?: true }>> = {
  allOf: { holds: "list", same: true },
  anyOf: { holds: "list", same: true },
  oneOf: { holds: "list", same: true },
  not: { holds: "one", same: true },
  if: { holds: "one", same: true },
  // oxlint-disable-next-line unicorn/no-thenable -- the keyword of JSON Schema
  then: { holds: "one", same: true },
  else: { holds: "one", same: true },
  dependentSchemas: { holds: "map", same: true },
  properties: { holds: "map" },
  patternProperties: { holds: "map" },
  additionalProperties: { holds: "one" },
  propertyNames: { holds: "one" },
  unevaluatedProperties: { holds: "one" },
  prefixItems: { holds: "list" },
  items: { holds: "one" },
  contains: { holds: "one" },
  unevaluatedItems: { holds: "one" },
  $defs: { holds: "map" },
  definitions: { holds: "map" },
};

export function isObject(value: unknown): value is SchemaObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function isSchema(value: unknown): value is Schema {
  return typeof value === "boolean" || isObject(value);
}

/** Returns an own property. */
export function own(of: unknown, name: string): unknown {
  return typeof of === "object" && of !== null && Object.hasOwn(of, name) ? Reflect.get(of, name) : undefined;
}

/** A step of a JSON pointer: how it is written. */
export function pointerStep(name: string | number): string {
  return `/${String(name).replaceAll("~", "~0").replaceAll("/", "~1")}`;
}

/** Returns the schema that a reference such as `#/$defs/name`, `#name` or `#` names; `undefined`: none. */
export function resolve(root: Schema, reference: string): Schema | undefined {
  if (!reference.startsWith("#")) return undefined;
  let place: string;
  try {
    place = decodeURIComponent(reference.slice(1));
  } catch {
    return undefined;
  }
  if (place !== "" && !place.startsWith("/")) return findAnchor(root, place);
  const steps = place.split("/").slice(1);
  let found: unknown = root;
  for (const step of steps) found = own(found, step.replaceAll("~1", "/").replaceAll("~0", "~"));
  return isSchema(found) ? found : undefined;
}

function findAnchor(schema: Schema, name: string): Schema | undefined {
  if (!isObject(schema)) return undefined;
  if (own(schema, "$anchor") === name || own(schema, "$dynamicAnchor") === name) return schema;
  for (const [, inner] of schemasIn(schema)) {
    const found = findAnchor(inner, name);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Yields the schemas that a schema contains, with their places. */
export function* schemasIn(schema: SchemaObject): Generator<readonly [place: string, schema: Schema]> {
  for (const [keyword, value] of Object.entries(schema)) {
    const holder = Object.hasOwn(HOLDERS, keyword) ? HOLDERS[keyword] : undefined;
    if (holder === undefined) continue;
    const parts = holder.holds === "one" ? [["", value] as const] : Object.entries(Object(value));
    for (const [name, part] of parts) if (isSchema(part)) yield [keyword + (name && `/${name}`), part];
  }
}
