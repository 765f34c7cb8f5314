/**
 * `POST /hooks/:source`: webhooks of other services (EVT12).
 *
 * Owns: the registration of a hook, and the event that a verified request becomes. The tenant is that of the registration. A
 * request that is not verified is answered 401, and nothing of it is stored.
 */
import { idProblem } from "@holdfast/protocol";
import { keyProblem, readEventPath, textOfKey } from "@holdfast/orchestrator";
import type { Principal } from "../../auth/principal.ts";
import { type Hook, hookEventId, verifyWebhook } from "../../auth/webhook.ts";
import { ApiRefusal } from "../../refusal.ts";
import { readText, withoutMark } from "../../request-body.ts";
import { acceptEvent, storedEvent } from "./events.ts";
import { type Call, type Route, route } from "../call/route.ts";
import { limitsOf, requestBytesMax } from "../call/worker-deps.ts";

export const hookRoutes: readonly Route[] = [
  route({
    id: "receiveHook",
    verb: "POST",
    path: "/hooks/:source",
    summary: "Receives a webhook of another service. Its signature is verified; it needs no token.",
    ownBody: "What the service signs and sends: JSON, of any shape.",
    answers: { 202: "AcceptedEvent" },
    refusals: [
      "unauthorized",
      "invalid_json",
      "invalid_body",
      "invalid_event_data",
      "body_too_large",
      "body_timeout",
      "events_not_configured",
      "dispatcher_unreachable",
      "newer_format",
    ],
    handle: receive,
  }),
];

async function receive(call: Call & { readonly ids: { readonly source: string } }): Promise<Response> {
  const { request, deps, ids } = call;
  const { hooks = {} } = deps;
  const hook = Object.hasOwn(hooks, ids.source) ? hooks[ids.source] : undefined;
  const bounds = { bytesMax: requestBytesMax(deps), ms: limitsOf(deps).bodyMs };
  const body = await readText(request, bounds);
  const verified = hook && (await verifyWebhook(hook.verify, request.headers, body, Date.now()));
  // An unknown source is answered like a wrong signature: the answer does not say which sources exist.
  if (hook === undefined || verified === undefined)
    throw new ApiRefusal("unauthorized", "The webhook is not signed with the secret of this source, or it is too old.");
  const data = parse(body);
  const principal: Principal = { subject: `hook ${ids.source}`, scopes: [], tenantId: hook.tenantId };
  const event = storedEvent(hookEventId(ids.source, idOf(hook, verified.id, data)), {
    name: nameOf(hook, request.headers, data),
    key: keyIn(hook, data),
    source: ids.source,
    data,
  });
  return acceptEvent({ ...call, principal }, event, { raw: { body, headers: verified.headers } });
}

function parse(body: string): unknown {
  try {
    return JSON.parse(withoutMark(body));
  } catch {
    throw new ApiRefusal("invalid_json", "The body of the webhook is not JSON.");
  }
}

function idOf(hook: Hook, signed: string | undefined, data: unknown): string {
  const id = hook.id === undefined ? (signed ?? readEventPath(data, "id")) : readEventPath(data, hook.id);
  const text = typeof id === "number" ? textOfKey(id) : id;
  if (typeof text === "string" && idProblem(text) === undefined && text.length <= ID_CHARS) return text;
  const why = keyProblem(text) ?? `must have at most ${ID_CHARS} characters`;
  throw new ApiRefusal(
    "invalid_body",
    `The webhook has no id at ${hook.id ?? "id"}: it ${why}. Set id of the hook to its path.`,
  );
}

/** The id of the event begins with the source. */
const ID_CHARS = 128;

function nameOf({ verify, name, prefix = "" }: Hook, headers: Headers, data: unknown): string {
  const byHeader = verify.type === "github" && name === undefined ? headers.get("X-GitHub-Event") : undefined;
  const found = byHeader ?? readEventPath(data, name ?? "type");
  const text = typeof found === "string" ? prefix + found : undefined;
  if (text !== undefined && idProblem(text) === undefined) return text;
  throw new ApiRefusal(
    "invalid_body",
    `The webhook has no name at ${name ?? "type"}. Set name of the hook to its path.`,
  );
}

function keyIn({ key }: Hook, data: unknown): string | undefined {
  if (key === undefined) return undefined;
  const found = readEventPath(data, key);
  if (found === undefined || found === null) return undefined;
  const text = textOfKey(found);
  if (typeof text === "string" && keyProblem(text) === undefined) return text;
  throw new ApiRefusal("invalid_body", `The webhook has no valid key at ${key}.`);
}
