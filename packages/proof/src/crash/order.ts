/**
 * One order of the crash test: it is triggered, approved, and followed until it ends.
 *
 * Owns: the observations of this order. `verdict.ts` checks them.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Api, JournalEntry, RunRecord } from "./api.ts";
import type { CounterServer } from "./counter-server.ts";
import { ensure } from "@holdfast/local-runtime/until";

export const STEPS = ["reserve", "charge", "ship"] as const;
export type StepName = (typeof STEPS)[number];

const POLL_EVERY_MS = 200;
const NOT_ENDED = new Set(["pending", "running", "waiting"]);

export interface CrashTargets {
  readonly api: Api;
  readonly counter: CounterServer;
}

export class Order {
  readonly id: string;
  /** The API answered the approval with 202: from then on it must not be lost. */
  approved = false;
  /** The most recently read record and journal. */
  record: RunRecord | undefined;
  journal: readonly JournalEntry[] = [];
  /** The error that ended the following of this order. */
  failure: string | undefined;
  /** The number of starts of each step's body when the step was first read as completed. */
  readonly startsAtCompletion: Map<string, number> = new Map<string, number>();
  /** Resolves when the run has ended or is paused, when a request failed, or after `stopFollowing`. */
  followed: Promise<void> = Promise.resolve();
  hasEnded = false;
  readonly #targets: CrashTargets;
  #stopped = false;

  constructor(targets: CrashTargets, number: number) {
    this.#targets = targets;
    this.id = `order-${number}`;
  }

  /** Resolves when the API has accepted the run, and continues to follow the run. */
  async trigger(): Promise<void> {
    const { api, counter } = this.#targets;
    const input = { orderId: this.id, cents: 100, counterUrl: `${counter.url}/${this.id}`, shippingMs: 0 };
    const { status, body } = await api.trigger({ runId: this.id, workflowId: "order", input });
    // 200: the runtime accepted an earlier attempt, whose answer was lost.
    ensure(
      status === 201 || status === 200,
      `${this.id}: the answer to the trigger is ${status} ${JSON.stringify(body)}`,
    );
    this.followed = this.#follow();
  }

  /** Ends the polling. */
  stopFollowing(): void {
    this.#stopped = true;
  }

  async readAgain(): Promise<void> {
    await this.#readRecord();
    this.journal = await this.#targets.api.journal(this.id);
  }

  /** Describes the progress of the order, from the counts of the counter server. */
  describeProgress(): string {
    const { counter } = this.#targets;
    for (const step of [...STEPS].toReversed()) {
      const [started, ended] = [counter.count(step, "start", this.id), counter.count(step, "end", this.id)];
      if (started > 0) return ended > 0 ? `after the body of ${step}` : `inside the body of ${step}`;
    }
    return "before the first step";
  }

  async #follow(): Promise<void> {
    try {
      await this.#approve();
      while (!this.#stopped) {
        const { status } = await this.#readRecord();
        this.hasEnded = !NOT_ENDED.has(status);
        if (this.hasEnded) return;
        await delay(POLL_EVERY_MS);
      }
    } catch (error) {
      this.failure = error instanceof Error ? error.message : String(error);
    }
  }

  async #approve(): Promise<void> {
    const { status, body } = await this.#targets.api.signal(this.id, {
      name: "approval",
      payload: { ok: true, by: "the crash test" },
      deliveryId: `approval-of-${this.id}`,
    });
    ensure(status === 202, `the answer to the signal is ${status} ${JSON.stringify(body)}`);
    this.approved = true;
  }

  async #readRecord(): Promise<RunRecord> {
    const { api, counter } = this.#targets;
    const record = await api.run(this.id);
    this.record = record;
    for (const { name, status } of record.steps) {
      if (status !== "completed" || this.startsAtCompletion.has(name)) continue;
      this.startsAtCompletion.set(name, counter.count(name, "start", this.id));
    }
    return record;
  }
}
