/** The check of an answer against a JSON Schema. */
import type { AnswerIssue, AskSchema } from "@holdfast/protocol";

export function answerIssues(_schema: AskSchema, _answer: unknown): readonly AnswerIssue[] {
  return [];
}
