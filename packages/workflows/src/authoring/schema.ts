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
  const shown = result.issues.slice(0, ISSUES_SHOWN).map((issue) => `${pathOf(issue)}: ${issue.message}`);
  const more = result.issues.length > ISSUES_SHOWN ? ` (and ${result.issues.length - ISSUES_SHOWN} more)` : "";
  const what = code === "INVALID_INPUT" ? "input" : "output";
  const error = new HoldfastError(
    code,
    `The ${what} does not fit the schema of workflow ${JSON.stringify(workflowId)}: ${shown.join("; ")}${more}`,
  );
  if (code === "INVALID_INPUT") markInputRefusal(error);
  throw error;
}

function pathOf(issue: StandardSchemaV1.Issue): string {
  const keys = (issue.path ?? []).map((part) => String(typeof part === "object" ? part.key : part));
  return keys.length === 0 ? "(the whole value)" : keys.join(".");
}
