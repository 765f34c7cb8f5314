/**
 * The files that `pnpm openapi` writes: the document, a copy as text that the Worker serves, the reference page, and the
 * JSON Schemas of a run's record and of an entry of its journal.
 */
import { format } from "oxfmt";
import { makeDocument } from "./document.ts";
import { journalEntrySchema, runSchema } from "./journal-entry.ts";
import { makeReference } from "./reference.ts";

const SERVED = `/**
 * The OpenAPI document as text, which the Worker serves. \`pnpm openapi\` writes it; docs/openapi.json has the same content.
 */
`;

const WIDTH = 120;

/** Returns the formatted text of each file, by path. */
export async function writtenFiles(): Promise<ReadonlyMap<string, string>> {
  const document = makeDocument();
  const texts = {
    "docs/openapi.json": JSON.stringify(document),
    "docs/reference/http.md": makeReference(document),
    "docs/schemas/run.schema.json": JSON.stringify(runSchema()),
    "docs/schemas/journal-entry.schema.json": JSON.stringify(journalEntrySchema()),
    "packages/orchestrator-cloudflare/src/api/openapi-text.ts": `${SERVED}export const OPENAPI_TEXT: string = ${JSON.stringify(JSON.stringify(document))};\n`,
  };
  const formatted = Object.entries(texts).map(async ([path, text]): Promise<[string, string]> => {
    const { code, errors } = await format(path, text, { printWidth: WIDTH });
    if (errors.length > 0) throw new Error(`${path} cannot be formatted: ${JSON.stringify(errors)}`);
    return [path, code];
  });
  return new Map(await Promise.all(formatted));
}
