/**
 * What the page of HTTP refusals says of each code: who refuses and when, and what to do.
 *
 * Owns: these texts. A code without one does not compile.
 */
import type { ApiErrorCode } from "../../packages/orchestrator-cloudflare/src/refusal.ts";

interface RefusalText {
  readonly cause: string;
  readonly cure: string;
}

export const REFUSAL_TEXTS: Readonly<Record<ApiErrorCode, RefusalText>> = {
  already_resolved: {
    cause: "From the run: the token was answered or timed out. `details.by` says to readers who answered.",
    cure: "Nothing: the token is settled.",
  },
  auth_not_configured: {
    cause: "From the Worker: no tokens are configured.",
    cure: "`wrangler secret put API_TOKENS`; self-hosted: the environment variable.",
  },
  auth_unavailable: {
    cause: "From the Worker: it cannot load the keys of the token issuer.",
    cure: "Try again; check the address of the keys.",
  },
  body_timeout: {
    cause: "From the Worker: the body did not arrive within `bodyMs`.",
    cure: "Send it again over a faster connection, or send less.",
  },
  body_too_large: {
    cause: "From the Worker: the body is over the limit.",
    cure: "Store large data elsewhere and send a reference; or raise `requestBytesMax`.",
  },
  dispatcher_unreachable: {
    cause: "From the run's object: the step handler cannot be reached, or its list of workflows is invalid.",
    cure: "Start it, or correct its URL and key; the log has the reason. Runs wait for it.",
  },
  events_not_configured: {
    cause: "The deployment has no objects of events.",
    cure: "Bind the class `CoordinatorDO` as `COORDINATOR_DO`.",
  },
  forbidden: {
    cause: "From the Worker: the credentials lack a scope.",
    cure: "Use credentials that have it: [authentication](../../how-to/secure.md).",
  },
  idempotency_conflict: {
    cause: "From the run: another request has taken its id or key.",
    cure: "Choose another id or key, or repeat the first request exactly.",
  },
  inbox_full: {
    cause: "From the run: it buffers 1,000 deliveries or 16 Mi characters, or remembers 100,000 delivery ids.",
    cure: "Deliver again when the run has taken some deliveries. Delivery ids are never forgotten: leave them out, or use another run.",
  },
  index_not_configured: { cause: "From the Worker: it has no index of its runs.", cure: "Bind `RUN_INDEX_DO`." },
  internal_error: {
    cause: "The Worker or the run's object: an internal fault, or a failure of the storage.",
    cure: "Repeat the request with the same ids.",
  },
  invalid_answer: {
    cause: "From the run: an answer does not fit the schema or the choices of its ask.",
    cure: "Correct what `details.issues` lists, and answer again: the ask is still open.",
  },
  invalid_body: {
    cause: "From the Worker: shape, type, id, duration, unknown field.",
    cure: "Correct what `details.issues` lists.",
  },
  invalid_event_data: {
    cause:
      "A schema of the event's definition refuses the data. Nothing was stored. `details.issues` lists what is wrong, with JSON pointers.",
    cure: "Correct the data, or the schema. After a correction of the schema the same request is accepted.",
  },
  invalid_host: {
    cause: "From the Worker: the header `Host` is not the name of a host, or there are several.",
    cure: "Send one `Host` header with the name of the deployment; check the proxy.",
  },
  invalid_id: {
    cause: "From the Worker: an id in the path or the header `Idempotency-Key`.",
    cure: "Encode it, shorten it, remove control characters.",
  },
  invalid_json: { cause: "From the Worker: the body is not JSON in UTF-8.", cure: "Send JSON." },
  invalid_query: {
    cause:
      "From the Worker: a parameter of the query has a wrong value, or the route does not know it. Routes without credentials ignore unknown parameters.",
    cure: "Correct the parameter that the message names; send a `nextCursor` unchanged.",
  },
  limit_full: {
    cause: 'A limit of the workflow with `onFull: "reject"` is full.',
    cure: 'Trigger later, or let runs wait with `onFull: "queue"`.',
  },
  limit_key_invalid: {
    cause: "The key of a limit of the workflow is no text, number or boolean for this input.",
    cure: "Correct the input, or the key.",
  },
  limits_not_configured: {
    cause:
      "The deployment has no objects of limits and schedules, and the request needs them; or a workflow in another process declares a limit, or a use of events, that is refused.",
    cure: "Bind the class `CoordinatorDO` as `COORDINATOR_DO`, or correct the field that the message names.",
  },
  method_not_allowed: {
    cause: "From the Worker: the path exists, but not with this verb.",
    cure: "Use a verb of the header `Allow`.",
  },
  misconfigured: {
    cause:
      "From the Worker: a required binding is missing, of the wrong kind, or leads to a Worker without the entry point; or a variable has an invalid value.",
    cure: "Read the message or the log: it names the binding, or the field. See [operations](../configuration.md).",
  },
  newer_format: {
    cause: "From the run: a newer version wrote it.",
    cure: "Deploy the newer version again, then repeat the request.",
  },
  not_applicable: {
    cause: "From the run: pause, unpause or retry does not fit its state.",
    cure: "Read the message: it names the action that fits.",
  },
  not_found: { cause: "From the run's object: there is no such run.", cure: "Check the id and its encoding." },
  not_started: {
    cause:
      'From the run\'s object: a debounce or batch collects triggers, and starts the run at `startsAt` of `details`. With `state: "refused"` in `details`: the start was refused for good, for the reason in the message.',
    cure: "Read the run after that time, or fire the window with `POST /api/windows/:workflowId/fire`. After a refused start correct the reason and trigger again.",
  },
  origin_not_allowed: {
    cause: "From the Worker: a page of another site sent the request.",
    cure: "Call from a server, or from a page of `PUBLIC_URL`; or add the origin to `ALLOWED_ORIGINS`.",
  },
  parent_not_ended: {
    cause: "From the run: it cannot be resumed before its end.",
    cure: "Wait for its end or cancel it.",
  },
  request_repeated: {
    cause:
      "From the Worker (`hmacAuth`): the signature is right, but was used before, or its time is not near that of the Worker.",
    cure: "Sign the request again, and send it with the same idempotency key; the client does. Check the clock.",
  },
  route_not_found: {
    cause: "From the Worker: no route has this path.",
    cure: "Check the path; a slash inside an id is `%2F`.",
  },
  run_not_ended: {
    cause: "From the run: it cannot be deleted before its end, nor while messages to other runs are pending.",
    cure: "Cancel it first, or try again in a moment.",
  },
  run_terminal: { cause: "From the run: it has ended.", cure: "Nothing: deliveries and cancels come too late." },
  run_unwinding: {
    cause: "From the run: it compensates its steps and then ends.",
    cure: "Nothing: no wait can take the delivery.",
  },
  schedule_exists: { cause: "There is a schedule of this id already.", cure: "Change that one, or choose another id." },
  sockets_not_configured: {
    cause: "The run's object was not given `sockets`.",
    cure: "Use the class of `holdfast`, or pass `sockets: ctx`.",
  },
  tickets_not_configured: {
    cause: "From the Worker: there is no key with which to sign tickets.",
    cure: "Set `URL_KEYS`, or bind the index of runs.",
  },
  token_not_found: {
    cause: "From the run: it never issued that token; or the Worker: no key of this deployment made that public URL.",
    cure: "Check the token; it exists once the run has reached `waitForToken`. Check `URL_KEYS`.",
  },
  too_many_readers: {
    cause: "From the run: 256 readers follow it.",
    cure: "Try again in a moment, or read its record.",
  },
  too_many_requests: {
    cause:
      "From the Worker: 1,000 requests of these credentials in an hour were about runs or workflows that do not exist, or the rate-limiting binding refused the address; the run's object: 10,000 tickets were used within their 60 s.",
    cure: "Check the ids; wait as long as `Retry-After` says.",
  },
  unauthorized: { cause: "From the Worker: there is no valid token.", cure: "Send `Authorization: Bearer <token>`." },
  unknown_step: {
    cause: "From the run: `resumeFromStep` names no step, or is missing.",
    cure: "Name one of the steps that the message lists.",
  },
  unsupported_media_type: {
    cause: "From the Worker: the content type is not JSON.",
    cure: "`Content-Type: application/json`.",
  },
  workflow_not_found: {
    cause: "From the run's object: workflow or version is not served.",
    cure: "Correct the id, or add the workflow to the deployment.",
  },
};
