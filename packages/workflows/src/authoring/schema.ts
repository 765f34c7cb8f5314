/**
 * Checks input and output against the author's schema (RUN5).
 */
import { type ErrorCode, HoldfastError } from "@holdfast/protocol";
import type { StandardSchemaV1 } from "@standard-schema/spec";
import { markInputRefusal } from "../replay/input-refusal.ts";

const ISSUES_SHOWN = 5;

/**
 * Returns the value that the schema returns.
 * @throws HoldfastError with `code`; the message names the path of each invalid value.
 */
export async function checkValue(
  schema: StandardSchemaV1 | undefined,
  value: unknown,
  code: ErrorCode & ("INVALID_INPUT" | "INVALID_OUTPUT"),
  workflowId: string,
): Promise<unknown> {
  if (schema === undefined) return value;
  const result = await schema["~standard"].validate(value);
  if (result.issues === undefined) return result.value;
  const what = code === "INVALID_INPUT" ? "input" : "output";
  const error = new HoldfastError(
    code,
    `The ${what} does not fit the schema of workflow ${JSON.stringify(workflowId)}: ${textOf(result.issues)}`,
  );
  if (code === "INVALID_INPUT") markInputRefusal(error);
  throw error;
}

/** Returns the first issues as text. */
export function textOf(issues: readonly StandardSchemaV1.Issue[]): string {
  const shown = issues
    .slice(0, ISSUES_SHOWN)
    .map((issue) => `${pathOf(issue)}: ${issue.message}`)
    .join("; ");
  const more = issues.length - ISSUES_SHOWN;
  return more > 0 ? `${shown} (and ${more} more)` : shown;
}

function pathOf(issue: StandardSchemaV1.Issue): string {
  return (issue.path ?? []).map((part) => String(Object(part).key ?? part)).join(".") || "(the whole value)";
}
