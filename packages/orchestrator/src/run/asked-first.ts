/**
 * Limits that are asked before a run is created (L6).
 *
 * Owns: which limits these are, the order of the questions, and what follows from the answers. A host creates the run only after
 * the answers. If it dies between, or a release is lost, the gate's probe finds no run, and frees the hold.
 */
import type { Address } from "@holdfast/protocol";
import type { Plan, PlanRefusal } from "../flow/plan.ts";
import { type Acquire, type Release, isAcquireAnswer } from "../gate/messages.ts";
import type { SendResult } from "../host/outbox-sender.ts";
import type { Hold } from "./state/hold.ts";
import { acquireOf, addressOf, releaseOf } from "./holds.ts";
import type { Granted, TriggerInput } from "./state/messages.ts";

/** A trigger after the limits were asked. */
export type AskedTrigger =
  | { readonly type: "granted"; readonly input: TriggerInput }
  /** Another run holds a limit whose policy is `skip`: this run is not created. */
  | { readonly type: "skipped"; readonly holder: string }
  | { readonly type: "full"; readonly message: string; readonly retryAt?: number | undefined }
  | { readonly type: "not answered"; readonly message: string };

/** The parts of a host that questions need. */
export interface Asking {
  readonly clock: () => number;
  readonly send: (to: Address, message: object, done: (result: SendResult) => void) => void;
}

/** How long the gates may take, ms: less than until the first probe of a hold. */
const ASK_MS_MAX = 30_000;

/**
 * Asks the limits of a new run whose policy is `reject` or `skip`, one after the other, then calls `done`. `giveBack` frees the
 * holds of a run that was not created.
 */
export function askLimits(
  trigger: TriggerInput,
  plan: Plan | PlanRefusal | undefined,
  { clock, send }: Asking,
  done: (asked: AskedTrigger, giveBack: () => void) => void,
): void {
  const startedAt = clock();
  const limits = plan === undefined || "code" in plan ? [] : askedFirst(trigger, plan, startedAt);
  const holds: AskedFirst[] = [];
  const granted: Record<string, Granted> = {};
  const giveBack = (): void => {
    for (const { to, release } of holds) send(to, release, () => {});
  };
  const ask = (asked: AskedFirst | undefined): void => {
    if (asked === undefined) {
      const input = plan === undefined || "code" in plan ? trigger : { ...trigger, plan, granted };
      return done({ type: "granted", input }, giveBack);
    }
    send(asked.to, asked.acquire, (result) => {
      // A gate that gets no answer of a run frees its hold: a run that is created that late would not hold.
      const isLate = clock() - startedAt > ASK_MS_MAX;
      const answer = readFirstAnswer(asked, result.type === "acknowledged" && !isLate ? result.answer : undefined);
      if (answer.type !== "granted") {
        giveBack();
        return done(answer, giveBack);
      }
      holds.push(asked);
      granted[asked.limit] = answer.granted;
      ask(limits[holds.length]);
    });
  };
  ask(limits[0]);
}

/** A limit to ask before the run exists. */
interface AskedFirst {
  readonly limit: string;
  readonly to: Address;
  readonly acquire: Acquire;
  /** Sent if the run is not created. */
  readonly release: Release;
}

/** The limits whose policy is `reject` or `skip`, in order. A run that starts later asks when it is due. */
function askedFirst({ identity, unique, delayMs, heldAbove }: TriggerInput, plan: Plan, now: number): AskedFirst[] {
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
type FirstAnswer =
  | { readonly type: "granted"; readonly granted: Granted }
  | Exclude<AskedTrigger, { readonly type: "granted" }>;

function readFirstAnswer(asked: AskedFirst, answer: unknown): FirstAnswer {
  const { hold, place } = asked.acquire;
  if (!isAcquireAnswer(answer)) {
    const message = `The limit ${JSON.stringify(asked.limit)} did not answer. Nothing was stored. Send the request again.`;
    return { type: "not answered", message };
  }
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
