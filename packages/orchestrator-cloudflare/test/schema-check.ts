/**
 * Checks records and journals that the black-box suites read against the JSON Schemas of docs/schemas.
 *
 * Owns: being stricter than a reader. A field of an entry that the schema of its type does not name is a failure here.
 */
import { readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";

interface EntrySchema {
  readonly properties: Readonly<Record<string, { readonly const?: string; readonly not?: object }>>;
}

const read = (name: string): object =>
  JSON.parse(readFileSync(new URL(`../../../docs/schemas/${name}.schema.json`, import.meta.url), "utf8")) as object;

const ajv = new Ajv2020({ strict: false, allErrors: true });
const isRun = ajv.compile(read("run"));
const entrySchema = read("journal-entry") as { readonly anyOf: readonly EntrySchema[] };
const isEntry = ajv.compile(entrySchema);

/** Throws if the body of a record does not fit. */
export function checkRun(body: unknown): void {
  if (!isRun(body)) throw new Error(`A record does not fit run.schema.json: ${ajv.errorsText(isRun.errors)}`);
}

/** Throws if an entry does not fit, or has a field that the schema of its type does not name. */
export function checkEntry(entry: Readonly<Record<string, unknown>>): void {
  const type = String(entry["type"]);
  const schema = entrySchema.anyOf.find(({ properties }) => properties["type"]?.const === type);
  const more = schema === undefined ? [] : Object.keys(entry).filter((field) => !(field in schema.properties));
  if (isEntry(entry) && more.length === 0) return;
  const what = more.length > 0 ? `has the fields ${more.join(", ")}` : ajv.errorsText(isEntry.errors);
  throw new Error(`An entry ${type} does not fit journal-entry.schema.json: ${what} in ${JSON.stringify(entry)}`);
}

/** Checks an answer with the record of a run or its journal. */
export function checkShapes(path: string, view: string | null, body: unknown): void {
  if (path === "/api/runs/{id}" && view === null && "steps" in Object(body)) checkRun(body);
  if (path !== "/api/runs/{id}/journal") return;
  for (const entry of (body as { entries: readonly Record<string, unknown>[] }).entries) checkEntry(entry);
}
