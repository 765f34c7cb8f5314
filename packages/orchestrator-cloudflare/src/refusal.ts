/**
 * Refusals of the API (LIM2): a stable code, a message that states what to do, and an HTTP status.
 *
 * Owns: the status of each code.
 */

import { refusalDocUrl } from "@holdfast/protocol";
import { type Answer, jsonAnswer, responseOf } from "./answer.ts";

/** The status of each code. */
export const STATUS_OF = {
  already_resolved: 409,
  auth_not_configured: 503,
  auth_unavailable: 503,
  body_timeout: 408,
  body_too_large: 413,
  dispatcher_unreachable: 502,
  events_not_configured: 501,
  forbidden: 403,
  idempotency_conflict: 409,
  inbox_full: 429,
  index_not_configured: 501,
  internal_error: 500,
  invalid_answer: 400,
  invalid_body: 400,
  invalid_event_data: 422,
  invalid_host: 400,
  invalid_id: 400,
  invalid_json: 400,
  invalid_query: 400,
  limit_full: 429,
  limit_key_invalid: 422,
  limits_not_configured: 501,
  method_not_allowed: 405,
  misconfigured: 503,
  newer_format: 503,
  not_applicable: 409,
  not_found: 404,
  not_started: 404,
  origin_not_allowed: 403,
  parent_not_ended: 409,
  request_repeated: 425,
  route_not_found: 404,
  run_not_ended: 409,
  run_terminal: 409,
  run_unwinding: 409,
  schedule_exists: 409,
  sockets_not_configured: 501,
  tickets_not_configured: 501,
  token_not_found: 404,
  too_many_requests: 429,
  too_many_readers: 429,
  unauthorized: 401,
  unknown_step: 400,
  unsupported_media_type: 415,
  workflow_not_found: 404,
} as const;

export type ApiErrorCode = keyof typeof STATUS_OF;

/** Thrown while a request is handled. The router and the run's object turn it into a response. */
export class ApiRefusal extends Error {
  readonly code: ApiErrorCode;
  readonly details: unknown;
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: ApiErrorCode, message: string, details?: unknown, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.code = code;
    this.details = details;
    this.headers = headers;
  }

  get status(): number {
    return STATUS_OF[this.code];
  }

  /** The headers of every answer with this refusal. */
  get allHeaders(): Readonly<Record<string, string>> {
    return { ...(isTemporary(this.code) ? { "Retry-After": "5" } : {}), ...this.headers };
  }

  toAnswer(): Answer {
    const { code, message, details, allHeaders } = this;
    const body = { error: code, message, docUrl: refusalDocUrl(code), ...(details === undefined ? {} : { details }) };
    return jsonAnswer(body, STATUS_OF[code], allHeaders);
  }

  toResponse(): Response {
    return responseOf(this.toAnswer());
  }
}

/** Whether the same request may succeed soon. */
function isTemporary(code: ApiErrorCode): boolean {
  return STATUS_OF[code] === 429 || code === "auth_unavailable" || code === "dispatcher_unreachable";
}
