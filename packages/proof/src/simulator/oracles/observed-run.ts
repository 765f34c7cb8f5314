/**
 * A run at the end of a scenario, as the oracles see it.
 *
 * Owns: the type. The world fills it in.
 */
import type { IndexRow } from "@holdfast/orchestrator";
import type { MemoryHost } from "@holdfast/workflows/testing";
import type { Act } from "../callers.ts";
import type { Program } from "../program.ts";

/** A run at the end of a scenario, and the observations of it. */
export interface ObservedRun {
  readonly host: MemoryHost;
  readonly program: Program;
  readonly resumed: boolean;
  /** A caller may have cancelled it. */
  readonly cancelled: boolean;
  /** A command to terminate it was acknowledged. */
  readonly terminated: boolean;
  /** A cancel was acknowledged before the run began to unwind. */
  readonly cancelAcknowledged: boolean;
  /** It had a time budget. */
  readonly bounded: boolean;
  /** Its limits are small. */
  readonly limited: boolean;
  /** Waits take deliveries in the order of arrival. */
  readonly inOrder: boolean;
  /** The deliveries that were acknowledged, in order. */
  readonly acknowledged: (on: string, name: string) => readonly string[];
  /** The answers to its tokens that were acknowledged. */
  readonly answered: readonly (readonly [tokenId: string, answer: string])[];
  /** The acts on it that were answered. */
  readonly acts: readonly Act[];
  /** The number of body starts per operation. */
  readonly started: ReadonlyMap<string, number>;
  /** The `try` blocks that the newest execution entered, by the label of their node. */
  readonly entered: ReadonlySet<string>;
  /** The row of the run in the index. */
  readonly listed: IndexRow | undefined;
  /** The replay flags that new runs got. */
  readonly flags: readonly number[];
}
