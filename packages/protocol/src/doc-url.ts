/**
 * The pages that explain error codes.
 *
 * Owns: which codes have a page. An address is made where an error is shown, and stored nowhere.
 */
import { DOCS_URL, ERROR_CODES, docUrlOf } from "./errors.ts";

const CODES: ReadonlySet<unknown> = new Set(ERROR_CODES);

/** Returns the address of the page about the code of a refusal of the API (LIM2). `base`: another place of the site. */
export function refusalDocUrl(code: string, base: string = DOCS_URL): string {
  return `${base}/reference/errors/http.html#${code}`;
}

/** Returns the address of the page about the code of a run's error; `undefined` for a code that is the author's own. */
export function errorDocUrl(code: unknown, base: string = DOCS_URL): string | undefined {
  return CODES.has(code) ? docUrlOf(String(code), base) : undefined;
}
