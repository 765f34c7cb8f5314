/**
 * The network from one run to another, to the step handler that describes workflows, and to the index of runs, with its faults.
 *
 * Owns: the delivery of messages. Each takes a turn of the event loop. It may be lost, late or delivered twice, or its
 * answer may be lost. Nothing leaves a process before its commits are durable, neither messages nor answers (S4).
 */
import type { Description, IndexRow, RunMessage, SendResult } from "@holdfast/orchestrator";
import { type Address, type WorkflowDefinition, describeServed, errorValue } from "@holdfast/protocol";
import { webPlatform } from "../../replay/platform.ts";
import type { VirtualClock } from "../virtual-clock.ts";
import { type Faults, lateBy } from "./faults.ts";
import type { MemoryStore } from "./memory-store.ts";
import type { Tampering } from "./tampering.ts";

export interface NetworkOptions {
  readonly clock: VirtualClock;
  readonly faults?: Faults | undefined;
  /** The store of the sender. */
  readonly store: MemoryStore;
  readonly tampering?: Tampering | undefined;
  /** Delivers a message to the object `to`, and creates it if it does not exist. */
  readonly reach: (to: Address, message: object) => SendResult | Promise<SendResult>;
  /** Called when a row arrives. */
  readonly moved: () => void;
}

export class Network {
  readonly #options: NetworkOptions;

  constructor(options: NetworkOptions) {
    this.#options = options;
  }

  async deliver(to: Address, sent: object): Promise<SendResult> {
    const { faults, clock, reach, store, tampering } = this.#options;
    // A cast: what objects send to runs are the messages of runs.
    const message = to.kind === "run" ? (tampering?.message?.(sent as RunMessage) ?? sent) : sent;
    if (store.losable > 0) await leave(store);
    const fault = faults?.message?.();
    await webPlatform.turn();
    if (fault === "lost") return { type: "unreachable" };
    if (fault === "late") await lateBy(clock);
    let result = reach(to, message);
    if ("then" in result) result = await result;
    if (fault === "twice") void reach(to, message);
    return fault === "answer lost" ? { type: "unreachable" } : result;
  }

  /** Whether the step handler cannot be asked now. */
  isDown(): boolean {
    return this.#options.faults?.undescribed?.() === true;
  }

  /** The answer of the step handler to an undescribed run. A lost one never comes. */
  async describe(workflow: WorkflowDefinition | undefined): Promise<Description> {
    const { faults, clock, moved } = this.#options;
    const fault = faults?.message?.();
    await webPlatform.turn();
    moved();
    if (fault === "late") await lateBy(clock);
    if (fault === "lost" || fault === "answer lost") return new Promise(() => {});
    return this.isDown()
      ? { error: errorValue("DISPATCH_FAILED", "The step handler cannot be reached.") }
      : { workflow: describeServed(workflow) };
  }

  /** Sends a row to the index. Resolves with whether the sender received an acknowledgement. */
  async deliverToIndex(index: Map<string, IndexRow>, row: IndexRow): Promise<boolean> {
    const { faults, clock, moved, store } = this.#options;
    if (store.losable > 0) await leave(store);
    const fault = faults?.index?.();
    await webPlatform.turn();
    if (fault === "lost") return false;
    if (fault === "late") await lateBy(clock);
    if ((index.get(row.id)?.version ?? 0) < row.version) index.set(row.id, row);
    moved();
    return fault !== "answer lost";
  }
}

/** Resolves when the commits of the sender are durable; never if its process dies before. */
async function leave(store: MemoryStore): Promise<void> {
  if (!(await store.durable())) await new Promise(() => {});
}

/** Returns the answer of a run when its commits are durable. If its process dies before, its sender gets no answer. */
export function afterCommits(store: MemoryStore, answer: SendResult): SendResult | Promise<SendResult> {
  if (store.losable === 0) return answer;
  return store.durable().then((durable) => (durable ? answer : { type: "unreachable" }));
}
