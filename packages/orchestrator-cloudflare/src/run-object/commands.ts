/**
 * What the Worker asks of a run's object.
 *
 * Owns: the messages between the two. Both are one deployment and one trust: the Worker has authenticated, validated
 * and bounded everything, and the object is reachable through its binding only.
 */
import type { ChildTrigger, DeliveryKind, ResumeRequest, RunMessage } from "@holdfast/orchestrator";

/** Who asks, for the audit. */
interface Asked {
  readonly by: string;
}

export type RunCommand =
  | {
      readonly command: "trigger";
      readonly trigger: ChildTrigger;
      /** Answer when the run ends or parks, or after this time. */
      readonly waitMs: number;
    }
  /** Asked of the object that is named by an idempotency key: which run does the key stand for? */
  | { readonly command: "reserveKey"; readonly runId: string }
  /** The run that a key was reserved for was refused. */
  | { readonly command: "releaseKey"; readonly runId: string }
  /** `waitMs`: answer when the run has ended, or after this time. */
  | { readonly command: "read"; readonly waitMs: number }
  /** The run's events as Server-Sent Events, behind `cursor`. */
  | { readonly command: "follow"; readonly cursor?: string | undefined; readonly fromNow: boolean }
  | { readonly command: "audit" }
  | { readonly command: "journal"; readonly after: number; readonly limit: number }
  | { readonly command: "planResume"; readonly request: ResumeRequest }
  | (Asked & { readonly command: "noteResumed"; readonly runId: string })
  | (Asked & {
      readonly command: "deliver";
      readonly kind: DeliveryKind;
      readonly name: string;
      readonly payload: string;
      readonly deliveryId?: string | undefined;
    })
  | (Asked & {
      readonly command: "resolveToken";
      readonly tokenId: string;
      readonly payload: string;
      /** The caller has shown no credentials. */
      readonly publicly?: boolean;
    })
  | (Asked & { readonly command: "cancel"; readonly reason?: string | undefined })
  | (Asked & { readonly command: "operate"; readonly operation: "pause" | "unpause" | "retry" })
  | (Asked & { readonly command: "delete" })
  /** The index of runs asks to be told anew. */
  | { readonly command: "reindex" }
  /** A message of another run; the answer is a `SendResult`. */
  | { readonly command: "message"; readonly message: RunMessage }
  | { readonly command: "workflows" };

/** The answer to a trigger by an idempotency key that stands for a run elsewhere: ask there. */
export const KEY_RESERVED = 421;
