/**
 * Messages that a run's object receives from other objects.
 *
 * Owns: their conversion into inputs, and what the sender gets for the reply.
 */
import { type ErrorCode, errorValue } from "@holdfast/protocol";
import type { HolderAnswer, HolderMessage } from "../../gate/messages.ts";
import type { SendResult } from "../../host/outbox-sender.ts";
import type { SubscriberMessage } from "../../topic/messages.ts";
import type { Input, RefusalCode, Reply } from "../draft/inputs.ts";
import { type Received, type RunMessage, toTriggerInput } from "../state/messages.ts";

/** The answer to a gate if the object has no run. */
export const NO_HOLDER: SendResult<HolderAnswer> = { type: "acknowledged", answer: { type: "not_found" } };

/** `seed`, 128 random bits, and the others: for a run that the message creates. */
export function inputOf(message: RunMessage, seed: string, { unique, ...more }: Received): Input {
  if (message.type === "trigger") return { ...toTriggerInput(message.trigger, seed, unique), ...more };
  if (isFromGate(message)) return { type: "fromGate", message };
  if (isFromTopic(message)) return { type: "fromTopic", message };
  return message.type === "cancel" ? { type: "cancel", reason: message.reason, parent: message.parent } : message;
}

export function isFromGate(message: RunMessage): message is HolderMessage {
  return message.type === "grant" || message.type === "drop" || message.type === "probeHold";
}

function isFromTopic(message: RunMessage): message is SubscriberMessage {
  return message.type === "topicEvent" || message.type === "topicGone" || message.type === "probeTopic";
}

export function resultOf(message: RunMessage, reply: Reply): SendResult {
  if (reply.type === "subscriber") return { type: "acknowledged", answer: reply.answer };
  if (reply.type === "holder") return { type: "acknowledged", answer: reply.answer };
  if (reply.type !== "refused") return { type: "acknowledged" };
  // Newer code can handle the message: its sender keeps it until that is deployed.
  if (reply.code === "newer_format") return { type: "unreachable" };
  if (message.type !== "trigger") return { type: "acknowledged" };
  return { type: "refused", error: errorValue(REFUSED[reply.code] ?? "IDEMPOTENCY_CONFLICT", reply.message) };
}

/** The codes with which the wait for a child ends whose start was refused. */
const REFUSED: Readonly<Partial<Record<RefusalCode, ErrorCode>>> = {
  workflow_not_found: "WORKFLOW_NOT_FOUND",
  limit_key_invalid: "LIMIT_KEY_INVALID",
  limits_not_configured: "LIMITS_NOT_CONFIGURED",
};
