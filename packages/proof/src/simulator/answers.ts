/**
 * The answers to tokens, and the asks of programs.
 *
 * Owns: which answers fit.
 */
import { encodeValue } from "@holdfast/protocol";
import type { AskOptions } from "@holdfast/workflows";

/** The text of the nth answer. Each differs from all others. */
export function answerText(nth: number): string {
  return `answer ${nth}`;
}

export function isAnswer(value: unknown): boolean {
  return typeof value === "string" && value.startsWith("answer ");
}

/** An answer that fits no ask. */
export const MISFIT = "another text";

/** An answer that fits each ask. */
export const ENCODED_ANSWER: string = encodeValue(answerText(0), "answer");

/** The ask of a node. Some are so large that their wait has a row. */
export function askOf(id: number): AskOptions {
  const details = id % 3 === 0 ? "x".repeat(3_000) : undefined;
  return {
    title: `Node ${id}?`,
    schema: { type: "string", pattern: String.raw`^answer \d+$` },
    ...(details === undefined ? {} : { details }),
  };
}
