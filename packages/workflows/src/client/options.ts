/**
 * Checks of the options that callers give to the client (RUN7).
 *
 * Owns: the fields of each method's options. The API checks the values that it gets; an option that stays in the client,
 * and would be ignored, is rejected here.
 */
import { type Defined, HoldfastError, checkFields, defined } from "@holdfast/protocol";
import { checkSigningKey } from "@holdfast/protocol/transport";
import type { ClientOptions } from "./transport.ts";

const FIELDS = {
  createClient: ["url", "token", "hmacKey", "headers", "attempts", "timeoutMs", "retryAfterMs", "signal", "fetch"],
  trigger: [
    "runId",
    "idempotencyKey",
    "workflowVersion",
    "tags",
    "delay",
    "timeout",
    "environment",
    "tenantMeta",
    "traceparent",
    "signal",
  ],
  resume: ["runId", "input", "workflowId", "resumeFromStep", "seedResults", "tags", "triggeredByUserId", "signal"],
  stream: ["from", "lastEventId", "signal"],
  ticket: ["from", "lastEventId", "signal"],
  journal: ["after", "order", "before", "signal"],
  deliver: ["deliveryId", "signal"],
  get: ["view", "why", "actions", "signal"],
  ended: ["view", "signal"],
  pause: ["reason", "signal"],
  approvals: ["assignee", "before", "limit", "cursor", "signal"],
  sendEvent: ["id", "key", "at", "source", "signal"],
  testEvent: ["key", "at", "source", "signal"],
  replay: ["mode", "triggers", "waits", "signal"],
  replayEvents: ["name", "from", "until", "mode", "triggers", "waits", "dryRun", "signal"],
  call: ["signal"],
} as const;

/**
 * Returns the options that have a value. `undefined` stands for no option, so it never replaces a default.
 * @throws HoldfastError `INVALID_ARGUMENT` naming an unknown option.
 */
export function given<T extends object>(options: T, kind: keyof typeof FIELDS, where: string = kind): Defined<T> {
  checkFields(options, FIELDS[kind], where);
  return defined(options);
}

/** @throws HoldfastError `INVALID_ARGUMENT` naming an option that is unknown, or whose value has no meaning. */
export function checkClientOptions(options: ClientOptions): void {
  given(options, "createClient");
  const { hmacKey, token, headers } = options;
  if (hmacKey !== undefined) {
    checkFields(hmacKey, ["id", "secret"], "createClient.hmacKey");
    if (typeof hmacKey.id !== "string" || hmacKey.id === "") reject("hmacKey.id", "must be the id of the key");
    if (typeof hmacKey.secret !== "string") reject("hmacKey.secret", "must be the secret of the key");
    checkSigningKey(hmacKey.secret);
    if (token !== undefined || new Headers(headers).has("Authorization"))
      reject("hmacKey", "takes the place of token and of the header Authorization; give one of them");
  }
  // The platform's error for such a header would quote the token.
  if (typeof token === "string" && /[^\x20-\x7e]/.test(token))
    reject("token", "has a character that no HTTP header can have");
  const { url, attempts = 1, timeoutMs = 1, retryAfterMs = 0 } = options;
  const parsed = URL.parse(url);
  if (parsed === null) reject("url", "must be the URL of the API, as in https://flows.example");
  if (parsed.username !== "" || parsed.password !== "")
    reject("url", "must not have a user name or a password. Give the credentials as token or hmacKey");
  if (!Number.isInteger(attempts) || attempts < 1) reject("attempts", "must be a whole number of at least 1");
  if (!(timeoutMs > 0 && timeoutMs < Infinity)) reject("timeoutMs", "must be a positive number of milliseconds");
  if (!(retryAfterMs >= 0 && retryAfterMs < Infinity)) reject("retryAfterMs", "must be a number of milliseconds");
}

export function checkFrom(from: unknown, where: string): void {
  if (from !== undefined && from !== "start" && from !== "now") reject("from", 'must be "start" or "now"', where);
}

function reject(option: string, problem: string, where = "createClient"): never {
  throw new HoldfastError("INVALID_ARGUMENT", `${where}.${option}: ${problem}.`);
}
