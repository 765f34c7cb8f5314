/**
 * What the Worker asks of a run's object.
 *
 * Owns: the messages between the two. Both are one deployment and one trust: the Worker has authenticated, validated
 * and bounded everything, and the object is reachable through its binding only.
 */
import type { ChildTrigger, Input, ResumeRequest, RunMessage } from "@holdfast/orchestrator";

type InputOf<T extends Input["type"]> = Extract<Input, { readonly type: T }>;

/** An input of the state machine that a caller may cause. `by`: the caller, for the audit. */
type CallerInput =
  | (InputOf<"deliver" | "resolveToken" | "cancel" | "pause" | "unpause" | "retry"> & {
      readonly by: string;
    })
  | InputOf<"reindex">;

export type RunCommand =
  /** The answer says what became of the run. */
  | { readonly ask: "input"; readonly input: CallerInput }
  | {
      readonly ask: "trigger";
      readonly trigger: ChildTrigger;
      /** The object is the one that the trigger's idempotency key names. */
      readonly byKey: boolean;
      /** Answer when the run ends or parks, or after this time. */
      readonly waitMs: number;
    }
  /** To the object that an idempotency key names: the key stands for this run, if it stands for none. */
  | { readonly ask: "reserveKey"; readonly runId: string }
  /** The run that the key was reserved for was refused. */
  | { readonly ask: "releaseKey"; readonly runId: string }
  /** `waitMs`: answer when the run has ended, or after this time. */
  | { readonly ask: "read"; readonly waitMs: number }
  /** The run's events after `cursor`, as Server-Sent Events. */
  | { readonly ask: "follow"; readonly cursor?: string | undefined; readonly fromNow: boolean }
  | { readonly ask: "audit" }
  | { readonly ask: "journal"; readonly after: number; readonly limit: number }
  | { readonly ask: "planResume"; readonly request: ResumeRequest }
  | { readonly ask: "delete"; readonly by: string }
  /** A message of another run; the answer is a `SendResult`. */
  | { readonly ask: "message"; readonly message: RunMessage }
  | { readonly ask: "workflows" };

export type CommandOf<A extends RunCommand["ask"]> = RunCommand & { readonly ask: A };

/** What `trigger` answers, with 200, where an idempotency key stands for a run that has an id of its own: ask there. */
export interface KeyHolder {
  readonly keyStandsFor: string;
}

/** What `reserveKey` answers: the run that the key stands for, and whether it does so since now. */
export interface KeyReserved {
  readonly runId: string;
  readonly fresh: boolean;
}
