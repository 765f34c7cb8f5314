/**
 * The check of an event's data against the schemas of its definitions (EVT16).
 *
 * Owns: which schemas are asked, and the form of their issues. A schema is code, so only a process that has the definitions
 * knows it. It changes nothing: an event is stored as it was sent.
 */
import {
  type AnswerIssue,
  type EventUse,
  HOST_LIMITS,
  boundMessage,
  decodeValue,
  toErrorValue,
} from "@holdfast/protocol";
import { type StoredEvent, declarationsOf, pointerStep } from "@holdfast/orchestrator";

/** Returns what is wrong with the data of an event; empty: nothing, or no schema is known. Each schema gets the data for itself. */
export async function dataIssues(
  { name, data }: Pick<StoredEvent, "name" | "data">,
  workflows: readonly EventUse[],
): Promise<readonly AnswerIssue[]> {
  for (const schema of new Set(declarationsOf(name, workflows).map((declared) => declared.schema))) {
    const issues = schema === undefined ? [] : await issuesOf(schema, decodeValue(data));
    if (issues.length > 0) return issues;
  }
  return [];
}

async function issuesOf(schema: unknown, data: unknown): Promise<readonly AnswerIssue[]> {
  try {
    // An author's schema may be anything: one that cannot validate only gives a type.
    const result: Result | undefined = await Object(schema)["~standard"]?.validate?.(data);
    return (result?.issues ?? []).slice(0, HOST_LIMITS.answerIssues).map(({ path = [], message }) => ({
      path: boundMessage(path.map((part) => pointerStep(String(Object(part).key ?? part))).join("")),
      message: boundMessage(message),
    }));
  } catch (error) {
    return [{ path: "", message: boundMessage(`the schema threw ${toErrorValue(error).message}`) }];
  }
}

interface Result {
  readonly issues?: readonly { readonly message: string; readonly path?: readonly unknown[] }[];
}
