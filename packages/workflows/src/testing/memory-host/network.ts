/**
 * The network from one run to another, and to the index of runs, with its faults.
 *
 * Owns: the delivery of messages. Each takes a turn of the event loop. It may be lost, late or delivered twice, or its
 * answer may be lost.
 */
import type { IndexRow, RunMessage, SendResult } from "@holdfast/orchestrator";
import { webPlatform } from "../../replay/platform.ts";
import type { VirtualClock } from "../virtual-clock.ts";
import { type Faults, lateBy } from "./faults.ts";

export interface NetworkOptions {
  readonly clock: VirtualClock;
  readonly faults: Faults | undefined;
  /** Delivers a message to the run `to`, and creates this run if it does not exist. */
  readonly reach: (to: string, message: RunMessage) => SendResult;
  /** Called when a row arrives. */
  readonly moved: () => void;
}

export class Network {
  readonly #options: NetworkOptions;

  constructor(options: NetworkOptions) {
    this.#options = options;
  }

  async deliver(to: string, message: RunMessage): Promise<SendResult> {
    const { faults, clock, reach } = this.#options;
    const fault = faults?.message?.();
    await webPlatform.turn();
    if (fault === "lost") return { type: "unreachable" };
    if (fault === "late") await lateBy(clock);
    const result = reach(to, message);
    if (fault === "twice") reach(to, message);
    return fault === "answer lost" ? { type: "unreachable" } : result;
  }

  /** Sends a row to the index. Resolves with whether the sender received an acknowledgement. */
  async deliverToIndex(index: Map<string, IndexRow>, row: IndexRow): Promise<boolean> {
    const { faults, clock, moved } = this.#options;
    const fault = faults?.index?.();
    await webPlatform.turn();
    if (fault === "lost") return false;
    if (fault === "late") await lateBy(clock);
    if ((index.get(row.id)?.version ?? 0) < row.version) index.set(row.id, row);
    moved();
    return fault !== "answer lost";
  }
}
