/**
 * What a workflow of the catalogue is: the code, what happens to it from outside, and what it must come to.
 *
 * Owns: the shape. Hosts of every kind play the same entries (`contracts/host-contract.ts`).
 */
import type { Workflow, WorkflowContext } from "@holdfast/workflows";

/** What step bodies need from where they run. Times are a few milliseconds, so that real clocks can play them too. */
export interface Tools {
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
}

/** Something that an outsider does as soon as the run has come so far. */
export interface Cue {
  /** `{ waitsFor }`: it waits for this name; `{ step }`: this step has begun; `{ status }`: it has this status. */
  readonly when?: { readonly waitsFor: string } | { readonly step: string } | { readonly status: string };
  readonly act:
    | {
        readonly type: "signal" | "event";
        readonly name: string;
        readonly payload?: unknown;
        readonly deliveryId?: string;
      }
    /** Answers the open token wait. */
    | { readonly type: "token"; readonly payload?: unknown }
    | { readonly type: "cancel"; readonly reason?: string }
    | { readonly type: "pause" | "unpause" }
    /** Lets time pass. */
    | { readonly type: "wait"; readonly ms: number };
}

export interface Outcome {
  readonly status: string;
  readonly output?: unknown;
  /** The error's code and the beginning of its message. */
  readonly error?: readonly [code: string, message: string];
  readonly metadata?: Readonly<Record<string, unknown>>;
}

export interface CatalogueEntry {
  /** Reads as a sentence; begins with the rules that it shows. */
  readonly title: string;
  // oxlint-disable-next-line typescript/no-explicit-any -- each workflow knows its own input
  readonly run: (ctx: WorkflowContext, input: any) => unknown;
  /** Further workflows that it invokes. */
  readonly others?: readonly Workflow[];
  readonly config?: { readonly retry: { readonly max: number; readonly initial: `${number}ms` } };
  readonly input?: unknown;
  readonly timeoutMs?: number;
  readonly cues?: readonly Cue[];
  readonly outcome: Outcome;
  /** What is in the journal is fixed, its order is not: it has outcomes that come from elsewhere at about the same time. */
  readonly anyOrder?: true;
  /** What it may come to as well, if a process dies on the way. */
  readonly orAfterCrash?: readonly Outcome[];
}
