/**
 * One order in the storm: triggered, approved, followed to its end.
 *
 * Owns: what was seen of it. It judges nothing; `verdict.ts` does.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Api, JournalEntry, RunRecord } from "./api.ts";
import type { CounterServer } from "./counter-server.ts";
import { insist } from "@holdfast/cli/until";

export const STEPS = ["reserve", "charge", "ship"] as const;
export type StepName = (typeof STEPS)[number];

const LOOK_EVERY_MS = 200;
const STILL_GOING = new Set(["pending", "running", "waiting"]);

export interface Storm {
  readonly api: Api;
  readonly counter: CounterServer;
}

export class Order {
  readonly id: string;
  /** The API said 202 to the approval: from then on it must not be lost. */
  approved = false;
  /** The newest record and journal that were read. */
  record: RunRecord | undefined;
  journal: readonly JournalEntry[] = [];
  /** What went wrong in following it. */
  trouble: string | undefined;
  /** How often each step's body had started when the step was first seen to be completed. */
  readonly startsWhenDone: Map<string, number> = new Map<string, number>();
  /** Resolves when the run has ended, is paused, or was given up. */
  followed: Promise<void> = Promise.resolve();
  hasEnded = false;
  readonly #storm: Storm;
  #givenUp = false;

  constructor(storm: Storm, number: number) {
    this.#storm = storm;
    this.id = `order-${number}`;
  }

  /** Resolves when the API has accepted the run; goes on to follow it. */
  async trigger(): Promise<void> {
    const { api, counter } = this.#storm;
    const input = { orderId: this.id, cents: 100, counterUrl: `${counter.url}/${this.id}`, shippingMs: 0 };
    const { status, body } = await api.trigger({ runId: this.id, workflowId: "order", input });
    // 200: the runtime accepted it before, and the answer was lost.
    insist(
      status === 201 || status === 200,
      `${this.id}: the trigger was answered with ${status} ${JSON.stringify(body)}`,
    );
    this.followed = this.#follow();
  }

  /** Looks no further. */
  giveUp(): void {
    this.#givenUp = true;
  }

  async readAgain(): Promise<void> {
    await this.#look();
    this.journal = await this.#storm.api.journal(this.id);
  }

  /** How far it is, as far as the outside world can tell. */
  describeProgress(): string {
    const { counter } = this.#storm;
    for (const step of [...STEPS].toReversed()) {
      const [started, ended] = [counter.count(step, "start", this.id), counter.count(step, "end", this.id)];
      if (started > 0) return ended > 0 ? `after the body of ${step}` : `inside the body of ${step}`;
    }
    return "before the first step";
  }

  async #follow(): Promise<void> {
    try {
      await this.#approve();
      while (!this.#givenUp) {
        const { status } = await this.#look();
        this.hasEnded = !STILL_GOING.has(status);
        if (this.hasEnded) return;
        await delay(LOOK_EVERY_MS);
      }
    } catch (error) {
      this.trouble = error instanceof Error ? error.message : String(error);
    }
  }

  async #approve(): Promise<void> {
    const { status, body } = await this.#storm.api.signal(this.id, {
      name: "approval",
      payload: { ok: true, by: "the storm" },
      deliveryId: `approval-of-${this.id}`,
    });
    insist(status === 202, `the signal was answered with ${status} ${JSON.stringify(body)}`);
    this.approved = true;
  }

  async #look(): Promise<RunRecord> {
    const { api, counter } = this.#storm;
    const record = await api.run(this.id);
    this.record = record;
    for (const { name, status } of record.steps) {
      if (status !== "completed" || this.startsWhenDone.has(name)) continue;
      this.startsWhenDone.set(name, counter.count(name, "start", this.id));
    }
    return record;
  }
}
