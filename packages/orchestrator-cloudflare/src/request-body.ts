/**
 * Request bodies (LIM2, SEC6).
 *
 * Owns: the checks of content type, size, JSON and shape, each with its own refusal code.
 */
import { HoldfastError, encodeValue } from "@holdfast/protocol";
import { readBodyText } from "@holdfast/protocol/transport";
import * as v from "valibot";
import { ApiRefusal } from "./refusal.ts";

/** How large a body may be, in bytes, and how long it may take to arrive, ms. */
export interface BodyBounds {
  readonly bytesMax: number;
  readonly ms: number;
}

/**
 * Returns the request's body as the schema describes it. An empty body counts as `{}`.
 * @throws ApiRefusal `unsupported_media_type`, `body_too_large`, `body_timeout`, `invalid_json`, `invalid_body`.
 */
export async function readBody<S extends v.GenericSchema>(
  request: Request,
  schema: S,
  bounds: BodyBounds,
): Promise<v.InferOutput<S>> {
  const text = withoutMark(await readText(request, bounds));
  if (text !== "" || request.headers.has("Content-Type")) requireJson(request);
  const result = v.safeParse(schema, text === "" ? {} : parseJson(text));
  if (result.success) return result.output;
  const issues = result.issues.slice(0, 10).map((issue) => ({ path: pathOf(issue), message: messageOf(issue) }));
  const first = issues[0];
  // Another type than text, and an unknown or missing field, are faults of the body's shape.
  const isId = ID_FIELDS.has(first?.path ?? "") && !["string", "strict_object"].includes(result.issues[0].type);
  const code = isId ? "invalid_id" : "invalid_body";
  throw new ApiRefusal(code, `The body is invalid: ${first?.path}: ${first?.message.replace(/\.$/, "")}.`, {
    issues,
  });
}

/** Fields that contain ids: an invalid id has its own code. */
const ID_FIELDS: ReadonlySet<string> = new Set(["runId", "idempotencyKey", "deliveryId", "triggeredByUserId"]);

/**
 * Encodes a value of a request for storage.
 * @throws ApiRefusal `invalid_body` if the value cannot be stored.
 */
export function encodeGiven(value: unknown, path: string): string {
  try {
    return encodeValue(value, path);
  } catch (error) {
    if (!(error instanceof HoldfastError)) throw error;
    throw new ApiRefusal("invalid_body", error.message, { issues: [{ path, message: error.message }] });
  }
}

/** Whether the body is a form of a web page. */
export function isForm(request: Request): boolean {
  return typeOf(request) === "application/x-www-form-urlencoded";
}

/**
 * Returns the fields of a form of a web page.
 * @throws ApiRefusal `body_too_large`, `body_timeout`, `invalid_json`, `invalid_body`.
 */
export async function readForm(request: Request, bounds: BodyBounds): Promise<ReadonlyMap<string, string>> {
  const fields = [...new URLSearchParams(withoutMark(await readText(request, bounds)))];
  if (fields.length === 0) throw new ApiRefusal("invalid_body", "The body is invalid: the form has no field.");
  const form = new Map(fields);
  if (form.size < fields.length)
    throw new ApiRefusal("invalid_body", "The body is invalid: the form has a field twice.");
  return form;
}

function typeOf(request: Request): string {
  return (request.headers.get("Content-Type") ?? "").split(";")[0]?.trim().toLowerCase() ?? "";
}

function requireJson(request: Request): void {
  const type = typeOf(request);
  if (type === "application/json" || /^application\/[\w.-]+\+json$/.test(type)) return;
  throw new ApiRefusal(
    "unsupported_media_type",
    `The body's Content-Type is ${type === "" ? "missing" : JSON.stringify(type)}; send JSON with Content-Type: application/json.`,
  );
}

/**
 * Returns the body as text, every byte of it, as it was signed. Reads at most `bytesMax` bytes, whatever `Content-Length` states.
 * @throws ApiRefusal `body_too_large`, `body_timeout`, `invalid_json`.
 */
export async function readText(request: Request, { bytesMax, ms }: BodyBounds): Promise<string> {
  const body = await readBodyText(request, bytesMax, ms);
  if (body.ok) return body.text;
  if (body.why === "too_large") throw tooLarge(bytesMax);
  if (body.why === "not_utf8") throw new ApiRefusal("invalid_json", "The body is not UTF-8 text.");
  if (body.why === "broken") {
    throw new ApiRefusal("invalid_json", "The body ended before it was complete. Nothing was changed. Send it again.");
  }
  throw new ApiRefusal("body_timeout", `The body did not arrive within ${ms} ms. Nothing was changed. Send it again.`);
}

/** The text without a mark of the order of bytes in front, which no JSON has. */
export function withoutMark(text: string): string {
  return text.replace(/^\uFEFF/, "");
}

function tooLarge(bytesMax: number): ApiRefusal {
  return new ApiRefusal(
    "body_too_large",
    `The body is larger than ${bytesMax} bytes, which is the limit. Keep large data elsewhere (an object store, a database) and send a reference to it.`,
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ApiRefusal(
      "invalid_json",
      `The body is not JSON: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

function pathOf(issue: v.BaseIssue<unknown>): string {
  const path = (issue.path ?? []).map((item) => String(item.key));
  return path.length === 0 ? "(the whole body)" : path.join(".");
}

function messageOf(issue: v.BaseIssue<unknown>): string {
  if (issue.type !== "strict_object") return issue.message;
  if (issue.expected === "never") return "unknown field";
  return issue.received === "undefined" ? "is missing" : issue.message;
}
