/**
 * The asks of the pictures, as the API lists them.
 *
 * Owns: one of each kind: a form of a schema, choices, a plain confirmation.
 */
import type { Approval } from "@holdfast/workflows/client";
import { NOW } from "./fixed-clock.ts";

const HOUR = 3_600_000;

export const JOURNEY_ASK = {
  title: "Approve the journey to Tokyo?",
  details:
    "**Ada Lovelace** travels for six nights.\n\n- hotel: room 12, 840 €\n- flight: seat 4 A, 1,290 €\n- car: `the small one`",
  schema: {
    type: "object",
    required: ["approved"],
    properties: {
      approved: { type: "boolean", title: "Approved" },
      budget: { type: "integer", title: "Budget in euros", minimum: 0, maximum: 5000, default: 2500 },
      class: { type: "string", title: "Class", enum: ["economy", "premium", "business"] },
      note: { type: "string", title: "Note for the traveller", maxLength: 500 },
    },
  },
  assignees: ["travel-desk"],
  risk: "medium",
} as const;

export const FIXED_ASKS: readonly Approval[] = [
  {
    runId: "payout-5530",
    workflowId: "payout",
    op: "token/0/token",
    tokenId: "tok_9",
    title: "Pay 48,200 € to Brandt & Söhne?",
    details: "The amount is **above the limit** of 20,000 €.",
    choices: [
      { label: "Pay", value: "pay" },
      { label: "Hold until Monday", value: "hold" },
      { label: "Reject", value: "reject" },
    ],
    assignees: ["finance", "grace"],
    risk: "high",
    openedAt: NOW - 2 * HOUR,
    until: NOW + 0.7 * HOUR,
  },
  {
    ...JOURNEY_ASK,
    runId: "journey-8",
    workflowId: "journey",
    op: "token/0/token",
    tokenId: "tok_7Q2",
    openedAt: NOW - 5.3 * HOUR,
    until: NOW + 162.7 * HOUR,
  },
  {
    runId: "release-4.2",
    workflowId: "release",
    op: "token/0/token",
    tokenId: "tok_3",
    title: "Publish release 4.2?",
    assignees: [],
    risk: "low",
    openedAt: NOW - 26 * HOUR,
  },
];
