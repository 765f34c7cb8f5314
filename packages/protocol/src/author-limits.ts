/**
 * The limits that the author's package applies, and perhaps others too (LIM1). No deployment changes them.
 *
 * Owns: the numbers. Each is an export of its own, so a bundler replaces the name with the number in an author's Worker.
 * That needs `import * as LIMITS` from this file: an object, or the namespace as an export of another file, stays whole.
 */

/** Workflow, step, signal, event and tag names, run ids, delivery ids, token ids and idempotency keys (RUN8). */
export const nameBytes = 256;
/** One encoded value: a step's result, a run's input or output, a delivery's payload (STEP5). */
export const valueChars = 10_485_760;
/** Levels of nesting of one value, as the codec goes. An error takes three. Every runtime's stack suffices to decode that many. */
export const valueDepth = 1_000;
/** Tags of one run. */
export const tags = 64;
/** Operations of a run that are requested and have no outcome yet. */
export const openOperations = 10_000;
/** Journaled error messages. Longer ones are cut. */
export const errorMessageChars = 4_096;
/** The encoded original of a thrown error. A larger one is journaled as a smaller copy (STEP9). */
export const errorChars = 65_536;
/** The stack of a thrown error, with those of its causes. A longer one is cut (STEP9). */
export const errorStackChars = 8_192;
/** Places at limits that the steps of one run have or wait for at the same time. Further steps ask when one of them ends (STEP10). */
export const stepPlaces = 50;
/** `retry.max` of a step. */
export const stepAttempts = 1_000;
/** The longest valid duration: ten years. */
export const durationMs = 315_360_000_000;
/** Encoded metadata of one run (META1). */
export const metadataChars = 65_536;
/** One encoded chunk of a stream. */
export const chunkChars = 262_144;
/** One encoded value of a body's progress (STEP8). */
export const progressChars = 4_096;
/** The shortest time between two messages about the progress of a run's bodies (STEP8). */
export const progressMs = 1_000;
/** How long a run that fails or completes waits for step bodies that still execute (STEP6). */
export const siblingGraceMs = 5_000;
/** How long in all outcomes that a resumed run takes over wait for steps before them that execute again (RES3). */
export const takeOverWaitMs = 30_000;
/** The time-out of `ctx.shielded`, unless it sets one (CAN9). */
export const shieldedMs = 60_000;
/** The longest time-out of `ctx.shielded`: one hour. */
export const shieldedMsMax = 3_600_000;
/** One attempt of a compensation whose step has no `timeout`. */
export const compensationMs = 300_000;
