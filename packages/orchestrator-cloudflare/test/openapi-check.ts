/**
 * Checks every answer of the black-box suites against docs/openapi.json and docs/schemas.
 */
import { readFileSync } from "node:fs";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import { checkShapes } from "./schema-check.ts";

interface DocumentedAnswer {
  readonly content?: object;
  /** Schemas of other views, by the value of `view`. */
  readonly "x-views"?: Readonly<Record<string, object>>;
}

interface Document {
  readonly paths: Readonly<
    Record<string, Readonly<Record<string, { readonly responses: Readonly<Record<string, DocumentedAnswer>> }>>>
  >;
}

const document = JSON.parse(readFileSync(new URL("../../../docs/openapi.json", import.meta.url), "utf8")) as Document;
const ajv = new Ajv2020({ strict: false, allErrors: true });
ajv.addSchema(document, "openapi");
const validators = new Map<string, ValidateFunction>();

/** Throws if the document does not describe the answer. For a path or method without a route it must be a refusal. */
export async function checkAnswer(request: Request, response: Response): Promise<void> {
  const { pathname, searchParams } = new URL(request.url);
  const verb = request.method === "HEAD" ? "get" : request.method.toLowerCase();
  const path = Object.keys(document.paths).find(
    (one) => matches(one, pathname) && document.paths[one]?.[verb] !== undefined,
  );
  const operation = path === undefined ? undefined : document.paths[path]?.[verb];
  const { status } = response;
  const what = `${request.method} ${pathname} answered ${status}`;
  if (path === undefined || operation === undefined) return;
  const documented = operation.responses[String(status)];
  if (documented === undefined) throw new Error(`${what}, which docs/openapi.json does not know`);
  const type = (response.headers.get("Content-Type") ?? "").split(";")[0] ?? "";
  if (documented.content === undefined || request.method === "HEAD") return;
  if (!(type in documented.content)) throw new Error(`${what} with ${type}, which docs/openapi.json does not know`);
  if (type !== "application/json") return;
  const view =
    documented["x-views"]?.[searchParams.get("view") ?? ""] === undefined ? undefined : searchParams.get("view");
  const schema = view ? ["x-views", view] : ["content", type, "schema"];
  const place = ["paths", path, verb, "responses", String(status), ...schema].map(escapePart).join("/");
  const validate = validators.get(place) ?? ajv.compile({ $ref: `openapi#/${place}` });
  validators.set(place, validate);
  const body: unknown = await response.clone().json();
  if (validate(body)) return status === 200 ? checkShapes(path, view ?? null, body) : undefined;
  throw new Error(
    `${what} otherwise than docs/openapi.json says: ${ajv.errorsText(validate.errors)} in ${JSON.stringify(body)}`,
  );
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
function escapePart(part: string): string {
  return encodeURIComponent(part.replaceAll("~", "~0").replaceAll("/", "~1"));
}
