/**
 * The type of a catalogue entry: a workflow, the actions from outside its run, and the outcomes that it allows.
 *
 * Owns: these types. Every kind of host runs the same entries (`contracts/host-contract.ts`).
 */
import type { Workflow, WorkflowContext } from "@holdfast/workflows";

/** What step bodies need from their host. Their times are a few milliseconds, so that hosts with a real clock can run them too. */
export interface Tools {
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
}

/** A scripted action from outside the run. It happens as soon as `when` is met. */
export interface Cue {
  /** `{ waitsFor }`: the run waits for this name; `{ step }`: this step is running; `{ status }`: the run has this status. */
  readonly when?: { readonly waitsFor: string } | { readonly step: string } | { readonly status: string };
  readonly act:
    | {
        readonly type: "signal" | "event";
        readonly name: string;
        readonly payload?: unknown;
        readonly deliveryId?: string;
      }
    /** Resolves the token of the open wait. */
    | { readonly type: "token"; readonly payload?: unknown }
    | { readonly type: "cancel"; readonly reason?: string }
    | { readonly type: "pause" | "unpause" }
    /** Lets time pass. */
    | { readonly type: "wait"; readonly ms: number };
}

export interface Outcome {
  readonly status: string;
  readonly output?: unknown;
  /** The code of the error, and the first characters of its message. */
  readonly error?: readonly [code: string, message: string];
  readonly metadata?: Readonly<Record<string, unknown>>;
}

export interface CatalogueEntry {
  /** Starts with the rules that the entry demonstrates, and reads as a sentence. */
  readonly title: string;
  // oxlint-disable-next-line typescript/no-explicit-any -- each workflow knows its own input
  readonly run: (ctx: WorkflowContext, input: any) => unknown;
  /** Other workflows that it invokes. */
  readonly others?: readonly Workflow[];
  readonly config?: { readonly retry: { readonly max: number; readonly initial: `${number}ms` } };
  readonly input?: unknown;
  readonly timeoutMs?: number;
  readonly cues?: readonly Cue[];
  readonly outcome: Outcome;
  /** The journal's entries are fixed, but their order is not: outcomes arrive from other objects at about the same time. */
  readonly anyOrder?: true;
  /** Further outcomes that are allowed if a process dies during the run. */
  readonly orAfterCrash?: readonly Outcome[];
}
