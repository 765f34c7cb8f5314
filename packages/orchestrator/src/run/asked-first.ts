/**
 * Limits that are asked before a run is created (L6).
 *
 * Owns: which limits these are, the messages, and what follows from the answers. A host sends the messages, and creates the
 * run only after the answers. If it dies between, the gate's probe finds no run, and frees the hold.
 */
import type { Address } from "@holdfast/protocol";
import type { Plan } from "../flow/plan.ts";
import { type Acquire, type Release, isAcquireAnswer } from "../gate/messages.ts";
import type { Hold } from "./hold.ts";
import { acquireOf, addressOf, releaseOf } from "./holds.ts";
import type { Granted, TriggerInput } from "./messages.ts";

/** A limit to ask before the run exists. */
export interface AskedFirst {
  readonly limit: string;
  readonly to: Address;
  readonly acquire: Acquire;
  /** Sent if the run is not created. */
  readonly release: Release;
}

/** The limits whose policy is `reject` or `skip`, in order. A run that starts later asks when it is due. */
export function askedFirst(
  { identity, unique, delayMs, heldAbove }: TriggerInput,
  plan: Plan,
  now: number,
): AskedFirst[] {
  if (delayMs !== undefined) return [];
  const { id, tenantId, workflowId } = identity;
  const holder = { id, tenantId, workflowId, ...unique, priority: plan.priority, createdAt: now, heldAbove };
  const asked = plan.holds.filter(({ onFull }) => onFull === "reject" || onFull === "skip");
  return asked.map((planned, index) => {
    const hold: Hold = { ...planned, state: "wanted", seq: index + 1, enqueuedAt: now };
    return {
      limit: hold.limit,
      to: addressOf(hold),
      acquire: acquireOf(holder, hold),
      release: releaseOf(holder, hold),
    };
  });
}

/** What the answer to an acquire means for the trigger. */
export type FirstAnswer =
  | { readonly type: "granted"; readonly granted: Granted }
  | { readonly type: "skipped"; readonly holder: string }
  | { readonly type: "not answered" }
  | { readonly type: "full"; readonly message: string; readonly retryAt?: number | undefined };

export function readFirstAnswer(asked: AskedFirst, answer: unknown): FirstAnswer {
  const { hold, place } = asked.acquire;
  if (!isAcquireAnswer(answer)) return { type: "not answered" };
  switch (answer.type) {
    case "granted":
      return {
        type: "granted",
        granted: {
          seq: hold.seq,
          enqueuedAt: place.enqueuedAt,
          ...(answer.startAt === undefined ? {} : { startAt: answer.startAt }),
        },
      };
    case "skip":
      // A run of another tenant cannot be the answer.
      return answer.holder === "" ? full(asked) : { type: "skipped", holder: answer.holder };
    case "full":
      return full(asked, answer.retryAt);
    default:
      return full(asked);
  }
}

function full({ limit, acquire: { settings } }: AskedFirst, retryAt?: number): FirstAnswer {
  const most = settings.max === undefined ? "" : ` (at most ${settings.max})`;
  const message = `The limit ${JSON.stringify(limit)} is full${most}. Nothing was stored. Trigger the run again later.`;
  return { type: "full", message, retryAt };
}
