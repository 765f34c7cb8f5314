/**
 * The options of a run in memory.
 *
 * Owns: their type, where `Host` is the type of the run, and that of the callers of its inputs.
 */
import type { IndexRow, PageSize, RunHeader } from "@holdfast/orchestrator";
import type { Limits } from "@holdfast/protocol";
import type { Workflow } from "../../authoring/workflow.ts";
import type { Platform } from "../../replay/platform.ts";
import type { VirtualClock } from "../virtual-clock.ts";
import type { Faults } from "./faults.ts";
import type { MemoryCoordinator, MemoryCoordinators } from "./memory-coordinator.ts";
import type { MemoryStore } from "./memory-store.ts";
import type { RemotePipe } from "./remote-pipe.ts";
import type { Tampering } from "./tampering.ts";

export type { Requested } from "@holdfast/orchestrator";

export interface HostOptions<Host> {
  readonly workflows: readonly Workflow[];
  readonly clock?: VirtualClock;
  readonly store?: MemoryStore;
  /** The runs of the same world, by id. A run that invokes children adds them here. */
  readonly world?: Map<string, Host>;
  /** The coordinators of the same world. */
  readonly coordinators?: MemoryCoordinators | undefined;
  /** Called with every new coordinator of the world. */
  readonly onCoordinator?: ((coordinator: MemoryCoordinator) => void) | undefined;
  /** The time of the version that declares limits, ms since 1970. */
  readonly rev?: number | undefined;
  /** Called after each commit of a coordinator. `true`: it crashes. */
  readonly crashesCoordinator?: ((coordinator: MemoryCoordinator) => boolean) | undefined;
  readonly runId?: string;
  /** Executions read the journal in pages of this size. Default: all of it at once. */
  readonly pageSize?: PageSize | undefined;
  /** Carries the messages of remote executions. Default: a pipe in memory. */
  readonly pipe?: RemotePipe | undefined;
  /** The index of runs, by run id. Default: none. */
  readonly index?: Map<string, IndexRow>;
  /** Runs cannot send messages to other runs. */
  readonly noChildren?: boolean;
  /** The version of the protocol in the start messages. */
  readonly protocol?: number;
  /** Replay flags in addition to the released ones, and the flags of new runs. */
  readonly replayFlags?: {
    readonly changes?: Platform["replayFlags"];
    readonly newest: readonly number[];
  };
  /** The limits of the runs. Default DEFAULT_LIMITS. */
  readonly limits?: Limits | undefined;
  /** How long an ended run is stored, ms; `undefined`: until it is deleted, which is the default. */
  readonly retentionMs?: number | ((header: RunHeader) => number | undefined) | undefined;
  /** Called when a run was deleted because its retention is over. */
  readonly onExpire?: (host: Host) => void;
  /** Crashes the run after each of these commits, counted from 1, or after every commit that writes to the journal. */
  readonly crashAfterCommits?: readonly number[] | "journal-writes";
  /** The faults between the parts. */
  readonly faults?: Faults;
  /** Replaces step bodies and compensations. */
  readonly replaceBody?: Platform["replaceBody"];
  /** Called with every new host of the world, this one included. */
  readonly onCreate?: (host: Host) => void;
  /** Deliberate faults of the engine. */
  readonly tampering?: Tampering;
}
