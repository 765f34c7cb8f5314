/**
 * Checks every answer of the black-box suites against docs/openapi.json and docs/schemas, and the requests that the API
 * accepts against what the document says of them.
 */
import { readFileSync } from "node:fs";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import { pathOf } from "../src/api/call/match.ts";
import { checkShapes } from "./schema-check.ts";

interface DocumentedAnswer {
  readonly content?: object;
  readonly headers?: object;
  /** Schemas of other views, by the value of `view`. */
  readonly "x-views"?: Readonly<Record<string, object>>;
}

interface Operation {
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly schema: { type?: string } }[];
  readonly requestBody?: object;
  readonly responses: Readonly<Record<string, DocumentedAnswer>>;
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

/** The headers that mean something to callers of one operation. */
const HEADERS = ["Location", "Preference-Applied", "Retry-After", "WWW-Authenticate"] as const;

const document = JSON.parse(readFileSync(new URL("../../../docs/openapi.json", import.meta.url), "utf8")) as Document;
// The API checks times itself.
const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false });
ajv.addSchema(document, "openapi");
const validators = new Map<string, ValidateFunction>();

/** Returns what is wrong with a value, by the schema at this place of the document; `undefined`: nothing. */
function problemOf(value: unknown, ...path: readonly (string | number)[]): string | undefined {
  const place = path.map(escapePart).join("/");
  const validate = validators.get(place) ?? ajv.compile({ $ref: `openapi#/${place}` });
  validators.set(place, validate);
  return validate(value) ? undefined : `${ajv.errorsText(validate.errors)} in ${JSON.stringify(value)}`;
}

/**
 * Throws if the document does not describe the answer, or the request that the API accepted. For a path or method without
 * a route the answer must be a refusal. `sent`: the body of the request, if it is text.
 */
export async function checkAnswer(request: Request, response: Response, sent?: string): Promise<void> {
  const { searchParams } = new URL(request.url);
  // As the router reads it.
  const pathname = pathOf(request.url);
  const verb = request.method === "HEAD" ? "get" : request.method.toLowerCase();
  const path = Object.keys(document.paths).find(
    (one) => matches(one, pathname) && document.paths[one]?.[verb] !== undefined,
  );
  const operation = path === undefined ? undefined : document.paths[path]?.[verb];
  const { status, headers } = response;
  const what = `${request.method} ${pathname} answered ${status}`;
  const type = (headers.get("Content-Type") ?? "").split(";")[0] ?? "";
  if (path === undefined || operation === undefined) return checkRefusal(what, type, request, response);
  const documented = operation.responses[String(status)];
  if (documented === undefined) throw new Error(`${what}, which docs/openapi.json does not know`);
  const extra = HEADERS.find((name) => headers.has(name) && !(name in (documented.headers ?? {})));
  if (extra !== undefined) throw new Error(`${what} with ${extra}, which docs/openapi.json does not know`);
  if (status < 300) checkRequest(what, [path, verb], operation, searchParams, sent);
  if (documented.content === undefined || request.method === "HEAD") {
    const isEmpty = response.body === null || (await response.clone().text()) === "";
    if (!isEmpty) throw new Error(`${what} with a body, which docs/openapi.json does not know`);
    return;
  }
  if (!(type in documented.content)) throw new Error(`${what} with ${type}, which docs/openapi.json does not know`);
  if (type !== "application/json") return;
  const view =
    documented["x-views"]?.[searchParams.get("view") ?? ""] === undefined ? undefined : searchParams.get("view");
  const schema = view ? ["x-views", view] : ["content", type, "schema"];
  const body: unknown = await response.clone().json();
  const problem = problemOf(body, "paths", path, verb, "responses", String(status), ...schema);
  if (problem !== undefined) throw new Error(`${what} otherwise than docs/openapi.json says: ${problem}`);
  if (status === 200) checkShapes(path, view ?? null, body);
}

/** Throws if an answer without an operation is none of the router's refusals. A verifier may answer otherwise. */
async function checkRefusal(what: string, type: string, { method }: Request, response: Response): Promise<void> {
  const { status, headers } = response;
  if (status === 405 && !headers.has("Allow")) throw new Error(`openapi: ${what} without Allow`);
  if (method === "HEAD" || (type !== "application/json" && status !== 404 && status !== 405)) return;
  const problem = problemOf(await response.clone().json(), "components", "schemas", "Refusal");
  if (problem !== undefined) throw new Error(`${what} otherwise than docs/openapi.json says of refusals: ${problem}`);
}

/** Throws if the API accepted a parameter or a body that the document does not allow. */
function checkRequest(
  what: string,
  place: readonly [path: string, verb: string],
  { parameters = [], requestBody }: Operation,
  given: URLSearchParams,
  sent: string | undefined,
): void {
  for (const [at, { name, in: where, schema }] of parameters.entries()) {
    const [text] = given.getAll(name);
    if (where !== "query" || text === undefined) continue;
    const value = schema.type === "array" ? given.getAll(name) : schema.type === "integer" ? Number(text) : text;
    const problem = problemOf(value, "paths", ...place, "parameters", at, "schema");
    if (problem !== undefined) throw new Error(`${what} to ${name} otherwise than docs/openapi.json says: ${problem}`);
  }
  if (requestBody === undefined || sent === undefined || sent === "") return;
  const schema = ["requestBody", "content", "application/json", "schema"];
  const problem = problemOf(JSON.parse(sent), "paths", ...place, ...schema);
  if (problem !== undefined) throw new Error(`${what} to a body otherwise than docs/openapi.json says: ${problem}`);
}

/** Throws if an answer lacks a header that every answer has (API5). */
export function checkHeaders({ status, headers }: Response): void {
  const missing = ["Cache-Control", "X-Content-Type-Options", "Holdfast-Version"].filter((name) => !headers.has(name));
  if (status === 201) missing.push(...(headers.has("Location") ? [] : ["Location"]));
  if (missing.length > 0) throw new Error(`openapi: an answer ${status} has no header ${missing.join(", ")}`);
}

function matches(path: string, pathname: string): boolean {
  const [parts, given] = [path.split("/"), pathname.split("/")];
  return (
    parts.length === given.length &&
    parts.every((part, i) => part === given[i] || (part.startsWith("{") && given[i] !== ""))
  );
}

/** Encodes a name for a JSON pointer in a URI fragment. */
function escapePart(part: string | number): string {
  return encodeURIComponent(String(part).replaceAll("~", "~0").replaceAll("/", "~1"));
}
