/**
 * `ctx.invoke`: child runs.
 */
import { checkFields, defined, encodeValue, invalid, nameProblem } from "@holdfast/protocol";
import * as LIMITS from "@holdfast/protocol/limits";
import type { Execution } from "../replay/execution.ts";
import type { ChildRequest } from "../replay/operation.ts";
import { checkName } from "./checks.ts";
import type { InvokableWorkflow, InvokeOptions, WorkflowContext } from "./types.ts";

const INVOKE_FIELDS = ["detach", "tags", "idempotencyKey"];

export function createInvoke(execution: Execution): WorkflowContext["invoke"] {
  return (workflow: InvokableWorkflow, input: unknown, options?: InvokeOptions): Promise<never> => {
    checkName(workflow?.id, "ctx.invoke", "needs what workflow({ … }) returned, whose id");
    const where = `ctx.invoke(${JSON.stringify(workflow.id)})`;
    const child = childRequest(workflow, input, options ?? {}, where);
    const operation = execution.operations.request("run", workflow.id, { type: "child", child });
    return execution.races.promiseOf(operation);
  };
}

function childRequest(
  workflow: InvokableWorkflow,
  input: unknown,
  options: InvokeOptions,
  where: string,
): ChildRequest {
  checkFields(options, INVOKE_FIELDS, where);
  const { detach = false, tags = [], idempotencyKey } = options;
  const wrong = [...tags, ...(idempotencyKey === undefined ? [] : [idempotencyKey])].find(
    (text) => nameProblem(text) !== undefined,
  );
  if (wrong !== undefined || tags.length > LIMITS.tags) {
    throw invalid(
      where,
      `tags and idempotencyKey must be names of 1 to ${LIMITS.nameBytes} bytes, at most ${LIMITS.tags} tags.`,
    );
  }
  return defined({
    workflowId: workflow.id,
    workflowVersion: workflow.version,
    input: encodeValue(input, `The input of ${where}`),
    tags,
    idempotencyKey,
    detached: detach,
  });
}
