/**
 * Routes that deliver to one run: events, signals and tokens (WAIT2, WAIT7).
 */
import * as v from "valibot";
import { encodeGiven } from "../../request-body.ts";
import { idField, nameField, payloadField } from "../call/fields.ts";
import { ACT_HEADERS, readIdempotencyKey } from "../call/idempotency-key.ts";
import { type Route, route } from "../call/route.ts";
import { askRun } from "../call/run-objects.ts";

const eventBody = v.strictObject({
  eventType: nameField,
  payload: payloadField,
  deliveryId: v.optional(idField),
});

const signalBody = v.strictObject({ name: nameField, payload: payloadField, deliveryId: v.optional(idField) });

export const tokenBody = v.strictObject({ payload: payloadField });

export const deliveryRoutes: readonly Route[] = [
  route({
    id: "deliverEvent",
    verb: "POST",
    path: "/api/runs/:id/events",
    summary: "Delivers an event.",
    scope: "deliver",
    body: eventBody,
    answers: { 202: "Delivered" },
    refusals: ["inbox_full", "run_terminal", "run_unwinding"],
    handle: (call) => {
      const { eventType: name, payload, deliveryId } = call.body;
      const encoded = encodeGiven(payload, "payload");
      const by = call.principal.subject;
      return askRun(call, call.ids.id, {
        ask: "input",
        input: { type: "deliver", kind: "event", name, payload: encoded, deliveryId, by },
      });
    },
  }),
  route({
    id: "deliverSignal",
    verb: "POST",
    path: "/api/runs/:id/signals",
    summary: "Delivers a signal.",
    scope: "deliver",
    body: signalBody,
    answers: { 202: "Delivered" },
    refusals: ["inbox_full", "run_terminal", "run_unwinding"],
    handle: (call) => {
      const { name, payload, deliveryId } = call.body;
      const encoded = encodeGiven(payload, "payload");
      const by = call.principal.subject;
      return askRun(call, call.ids.id, {
        ask: "input",
        input: { type: "deliver", kind: "signal", name, payload: encoded, deliveryId, by },
      });
    },
  }),
  route({
    id: "resolveToken",
    verb: "POST",
    path: "/api/runs/:id/tokens/:tokenId",
    summary: "Answers a token, once.",
    scope: "deliver",
    headers: ACT_HEADERS,
    body: tokenBody,
    answers: { 202: "Delivered" },
    refusals: ["already_resolved", "invalid_answer", "run_terminal", "run_unwinding", "token_not_found"],
    handle: (call) => {
      const { id, tokenId } = call.ids;
      const payload = encodeGiven(call.body.payload, "payload");
      return askRun(call, id, {
        ask: "input",
        input: {
          type: "resolveToken",
          tokenId,
          payload,
          requestKey: readIdempotencyKey(call.request),
          by: call.principal.subject,
        },
      });
    },
  }),
];
