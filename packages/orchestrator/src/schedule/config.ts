/**
 * The stored declaration of a schedule.
 *
 * Owns: its form. `declaration.ts` makes it of what authors and callers write.
 *
 * Invariants
 * - SC1 Rows and messages have this form. Later versions only add optional fields (VER1).
 */
import type { TimesSpec } from "./times/next-time.ts";

/** What happens to a tick while the run of an earlier tick has not ended (SCH6). */
export type Overlap = "skip" | "queue" | "replace" | "allow";

/** What happens to ticks that were missed (SCH7). */
export type CatchUp = "latest" | "all" | "none";

/** The window after the nominal time in which a tick fires (SCH3): ms, or a share of the time to the next tick. */
export type Spread = { readonly ms: number } | { readonly share: number };

export interface ScheduleConfig {
  readonly id: string;
  readonly description?: string | undefined;
  readonly workflowId: string;
  /** Absent: the newest version that is served when the tick fires (SCH12). */
  readonly workflowVersion?: string | undefined;
  /** Encoded. */
  readonly input: string;
  readonly tags: readonly string[];
  readonly times: TimesSpec;
  readonly spread?: Spread | undefined;
  readonly overlap: Overlap;
  /** How many ticks wait, with `queue`. */
  readonly queueMax: number;
  readonly catchUp: CatchUp;
  /** The number of failed runs in a row after which the schedule is paused (SCH8). */
  readonly pauseAfter?: number | undefined;
}
