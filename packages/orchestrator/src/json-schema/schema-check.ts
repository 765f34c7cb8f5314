/** The check of a JSON Schema. */
export function schemaProblem(schema: unknown, path: string): string | undefined {
  const isObject = typeof schema === "object" && schema !== null && !Array.isArray(schema);
  return isObject || typeof schema === "boolean"
    ? undefined
    : `${path}: must be a JSON Schema: an object, true or false.`;
}
