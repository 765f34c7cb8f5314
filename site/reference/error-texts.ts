/**
 * What the page of each error code says: the message as a reader sees it, the cause and the cure.
 *
 * Owns: these texts. A code without one does not compile.
 */
import type { ErrorCode } from "@holdfast/protocol";

export interface ErrorText {
  /** One sentence, for lists. */
  readonly summary: string;
  /** A message with this code. */
  readonly message: string;
  readonly cause: string;
  readonly cure: string;
  /** Pages to read on, relative to docs/. */
  readonly see: readonly string[];
}

export const ERROR_TEXTS: Readonly<Record<ErrorCode, ErrorText>> = {
  CANCELLED: {
    summary: "The run was cancelled, or its time budget is used up.",
    message: "The run was cancelled: the customer changed her mind",
    cause:
      "Somebody cancelled the run, a parent that ended cancelled its child, or the run's `timeout` passed. Everything that the code awaits or requests afterwards is rejected with this error. It is also the error of the cancelled run, and the reason of an aborted `signal`.",
    cure: "Clean up in `finally`, or in `ctx.shielded`. Do not catch the error: the run is ending, whatever the code does next.",
    see: ["how-to/saga.md"],
  },
  CHILDREN_NOT_CONFIGURED: {
    summary: "The deployment cannot start child runs.",
    message:
      "The host of this run cannot send messages to other runs, so ctx.invoke cannot start a child. Pass runDO beside storage and dispatcher in the Durable Object.",
    cause:
      "The Durable Object of the run has no binding to its own class. The child counts as failed, and this error is the `cause` of the `ChildRunError`.",
    cure: "Use the class that `holdfast` makes, or pass `runDO` beside `storage` and `dispatcher` in your own class.",
    see: ["reference/configuration.md"],
  },
  CHILD_RUN_FAILED: {
    summary: "A child run of ctx.invoke did not complete.",
    message: "The child run 01K8V4… ended failed: the card was declined",
    cause:
      "The child failed, was cancelled or terminated, or compensated its steps. `cause` is the error of the child. `data` has its `runId`, `status` and `error`.",
    cure: "Catch the error where the parent can continue without the child. If you do not catch it, the parent fails with it.",
    see: ["how-to/fan-out.md"],
  },
  COMPENSATED: {
    summary: "The run called ctx.compensate().",
    message: "The workflow asked to be undone.",
    cause: "The code called `ctx.compensate()`, which never returns. The error is visible in the journal only.",
    cure: "Nothing. Code after `ctx.compensate()` does not run.",
    see: ["how-to/saga.md"],
  },
  DISPATCH_FAILED: {
    summary: "The code of the workflow could not be reached for six hours.",
    message: "The step handler could not be reached for 21600 s. Last error: connect ECONNREFUSED",
    cause:
      "The Worker or process with the workflow's code was away, or did not serve the version of the run. The run is `paused`, and its journal is unchanged.",
    cure: "Make the code reachable, or serve the version. Then retry the run.",
    see: ["how-to/debug-a-stuck-run.md", "how-to/steps-elsewhere.md"],
  },
  DISPATCH_REFUSED: {
    summary: "The step handler, or your dispatcher, rejected the execution.",
    message: "The step handler rejected the execution.",
    cause:
      "The step handler answered with a 4xx other than 408, 425 and 429: a wrong key, or a request that is too large. Or your own dispatcher refused. The run is `paused`. Callers with the scope `operate`, and the log, see the details.",
    cure: "Fix what the message names, then retry the run.",
    see: ["how-to/steps-elsewhere.md"],
  },
  EVENTS_NOT_CONFIGURED: {
    summary: "The deployment has no objects for events.",
    message: "ctx.sendEvent: this deployment has no objects of events. Bind the class CoordinatorDO as COORDINATOR_DO.",
    cause:
      "The code called `ctx.sendEvent`, or `ctx.waitForEvent` for a key, in a deployment without the binding `COORDINATOR_DO`.",
    cure: "Bind the class `CoordinatorDO`, then start a new run.",
    see: ["how-to/events.md", "reference/configuration.md"],
  },
  EVENT_HISTORY_GONE: {
    summary: "Events that a wait asked for are no longer stored.",
    message:
      'ctx.waitForEvent: events "paid" with the key "17" are no longer stored, and the run has not seen them. Set a longer keep on the event, a later since, or allowGap: true.',
    cause:
      "A wait with `key` starts at `since`. Events in between were dropped, because they are older than `keep` or too many.",
    cure: "Set a longer `keep` on the event, or a later `since`. Pass `allowGap: true` if a gap does not matter.",
    see: ["how-to/events.md"],
  },
  EXECUTION_SILENT: {
    summary: "A step body blocks the event loop of its process.",
    message:
      'The process of the step handler gave no sign of life for 40 s while the body of step "render" executed, 4 times in a row without progress.',
    cause:
      "Four executions in a row gave no sign of life for 40 s during the body of one step: a long computation, synchronous I/O or an endless loop. An outage of the handler does not count. The run is `paused`, and the message names the step.",
    cure: "Move the work to a worker thread, or await between its parts. Deploy, then retry the run.",
    see: ["how-to/debug-a-stuck-run.md"],
  },
  EXECUTOR_CRASHED: {
    summary: "The process that executes the run died ten times without progress.",
    message:
      "The process that executed this run died 10 times in a row without progress after journal entry 4. The journal is intact. Find the cause (memory, CPU time, an endless loop), then retry the run.",
    cause: "A body uses more memory or CPU time than its process may, or ends the process. The run is `paused`.",
    cure: "Read the log of the process at these times. Fix the cause, deploy, then retry the run.",
    see: ["how-to/debug-a-stuck-run.md"],
  },
  FATAL: {
    summary: "Your code threw a FatalError.",
    message: "the customer does not exist",
    cause:
      "`FatalError` in a step body ends its retries at once. Outside of a step it ends the run as any other error does.",
    cure: "Follow the message, which is yours.",
    see: ["how-to/retry.md"],
  },
  IDEMPOTENCY_CONFLICT: {
    summary: "The key or id of a child belongs to another run.",
    message:
      'Run "order-17" already exists, with another input. Nothing was changed. Choose another run id or idempotency key, or repeat the first request exactly.',
    cause:
      "The `idempotencyKey` or id of `ctx.invoke` names a run with another workflow or input, a run with a chosen id, or the parent itself. The error is the `cause` of the `ChildRunError`.",
    cure: "Choose another key, or repeat the first call exactly.",
    see: ["how-to/fan-out.md"],
  },
  INVALID_ARGUMENT: {
    summary: "An argument is invalid.",
    message: "workflow.name: unknown option. Known are: id, input, output, run, description, version, …",
    cause:
      "`workflow()`, `ctx.*`, the client, `RetryableError` or a dispatcher was given an unknown option, or an invalid name, duration, date or policy. The error is thrown at once, not as a rejection.",
    cure: "Correct what the message names.",
    see: ["reference/workflow.md", "reference/ctx.md"],
  },
  INVALID_INPUT: {
    summary: "The input of the run does not fit the schema of the workflow.",
    message: 'The input does not fit the schema of workflow "order": total: expected number, received string',
    cause:
      "The trigger sent other data than `input` allows. The run fails before its first step. If the input of a run in flight no longer fits, the code is `NON_DETERMINISM`.",
    cure: "Trigger again with input that fits. The message names each path.",
    see: ["reference/workflow.md"],
  },
  INVALID_OUTPUT: {
    summary: "The return value does not fit the schema of the workflow.",
    message: 'The output does not fit the schema of workflow "order": total: expected number, received undefined',
    cause: "The function returned other data than `output` allows.",
    cure: "Correct the code or the schema, deploy, then resume the run.",
    see: ["reference/workflow.md", "how-to/change-code.md"],
  },
  LIMITS_NOT_CONFIGURED: {
    summary: "The deployment has no objects for limits.",
    message:
      "This deployment has no objects of limits, schedules and events. Bind the class CoordinatorDO as COORDINATOR_DO.",
    cause:
      "A workflow has limits, and the deployment has no binding `COORDINATOR_DO` or refuses the declaration. The error stands in place of a child. A run whose step handler was down at its trigger is `paused` with it.",
    cure: "Bind the class `CoordinatorDO`, or correct what the message names. Retry a run that is paused.",
    see: ["how-to/limits.md", "reference/configuration.md"],
  },
  LIMIT_DEADLOCK: {
    summary: "Runs waited for each other at limits, and this one ended.",
    message:
      'Runs wait for each other: this run waits for the limit "database", which run order-7 holds; run order-7 waits for the limit "mailer", which this run holds. The newest of them ends, so that the others continue.',
    cause:
      "A run keeps a limit while a step, or a child, of it waits for another limit, and a second run does so the other way round. When a run has waited for 30 seconds, it looks for such a circle. The newest run of the circle fails, and its completed steps are compensated.",
    cure: "Let all workflows get these limits in the same order: for example, hold both limits for the whole run, in both workflows. Or use a limit of its own for the steps. Then retry the run with the same input.",
    see: ["how-to/limits.md"],
  },
  LIMIT_EXCEEDED: {
    summary: "The run reached a limit of its size.",
    message: "10000 operations are open already, which is the limit. Await some of them first.",
    cause:
      "In the code: too many operations, children or messages are open, or the metadata is full; you can catch the error. In the orchestrator: the journal, the waits or a stream are full. Then the run fails at once, and no step is compensated.",
    cure: "Await some operations first, or split the work over several runs.",
    see: ["reference/limits.md", "how-to/fan-out.md"],
  },
  LIMIT_FULL: {
    summary: "A limit of the workflow is full and rejects runs.",
    message: 'The limit "exports" is full (at most 4), and rejects further runs.',
    cause:
      'The limit has `onFull: "reject"`, and all its places are held. A run ends with this error if the limit could not be asked at its trigger: it is a child, is delayed, or its step handler was down.',
    cure: 'Trigger the run later, or let runs wait with `onFull: "queue"`.',
    see: ["how-to/limits.md"],
  },
  LIMIT_KEY_INVALID: {
    summary: "The key of a limit is no text, number or boolean.",
    message: 'limits[0].key: "customer.id" leads to no text, number or boolean in the input.',
    cause: "The key of a limit is computed from the input, and this input has no usable value there.",
    cure: "Correct the input, or the key of the limit.",
    see: ["how-to/limits.md"],
  },
  NESTED_OPERATION: {
    summary: "A ctx operation was called inside a step body.",
    message:
      'ctx.step("b") was called inside step "a". A step body cannot contain operations. Call it outside the step.',
    cause:
      "A step body runs outside of the replay, so an operation inside could not be found in the journal again. The step is not retried.",
    cure: "Call the operation after the step, and give the body its result.",
    see: ["concepts/rules.md"],
  },
  NEWER_FORMAT: {
    summary: "A newer version of Holdfast wrote the run.",
    message:
      'Newer code wrote this run: entry 12 has the kind "example". This version shows the run and does not change it. Deploy the newer code again; the run then continues.',
    cause: "You deployed an older version after a newer one. The stored rows hold what only the newer one knows.",
    cure: "Deploy the newer version again. The run continues by itself.",
    see: ["how-to/upgrade.md"],
  },
  NON_DETERMINISM: {
    summary: "The code no longer requests the operations that the journal holds.",
    message:
      'The workflow\'s code no longer matches what this run has done: the journal (entry 2) holds step "charge" as operation no. 2, but the code now requests step "reserve" in its place. The run is paused and its journal is unchanged.',
    cause:
      "The code was changed while the run was in flight: an operation was added, removed, renamed or moved. Or it decides by a value that differs between replays, such as `Date.now()`, `Math.random()`, a global or a read outside of a step.",
    cure: "Deploy code that requests the same operations, or give the new code a `version`. Then retry the run.",
    see: ["how-to/change-code.md", "concepts/rules.md"],
  },
  PROTOCOL_MISMATCH: {
    summary: "Step handler and orchestrator do not fit.",
    message: "Step handler and orchestrator do not fit: a message was invalid, or one side does not know a part of it.",
    cause:
      "The two sides have versions that do not know each other's protocol, or a step handler of your own sent an invalid message. The run is `paused`.",
    cure: "Deploy versions of both sides that fit, or correct the step handler. Then retry the run.",
    see: ["how-to/upgrade.md"],
  },
  PUBLIC_TOKENS_NOT_CONFIGURED: {
    summary: "The deployment has no key for public URLs.",
    message: "ctx.waitForToken: public: true needs URL_KEYS or RUN_INDEX_DO, then a new run.",
    cause:
      "The code called `ctx.waitForToken({ public: true })`, and the deployment had no key for URLs when the run was created.",
    cure: "Set `URL_KEYS`, or bind `RUN_INDEX_DO`. Then start a new run.",
    see: ["how-to/human-approval.md", "reference/configuration.md"],
  },
  QUEUE_TIMEOUT: {
    summary: "The run was not admitted to its limits in time.",
    message: 'The run was not admitted to the limit "exports" within 60000 ms (queueTimeout).',
    cause: "Other runs held all places of a limit for longer than `queueTimeout`.",
    cure: "Raise `max` or `queueTimeout`, or trigger fewer runs.",
    see: ["how-to/limits.md"],
  },
  RELEASED: {
    summary: "The operation lost a ctx.race.",
    message: "sleep was let go, because another member of its race ended first. Request an operation for each race.",
    cause:
      "`ctx.race` let go of its losers. The promise of such an operation rejects, and so does a later race with it.",
    cure: "Nothing, unless you await the operation yourself. Request a new operation for each race.",
    see: ["concepts/time-and-order.md"],
  },
  RETRYABLE: {
    summary: "Your step body threw a RetryableError.",
    message: "the service asked for a pause",
    cause:
      "The attempt failed, and the body knows when to try again. Another attempt follows after `retryAfter`, while `max` allows.",
    cure: "Nothing while attempts are left. After the last one, the step fails with this error.",
    see: ["how-to/retry.md"],
  },
  SESSION_LOST: {
    summary: "The step handler no longer holds the execution.",
    message: "The step handler no longer holds this execution.",
    cause: "The process restarted, or it gave no sign of life for 40 s. The error is internal.",
    cure: "Nothing: another execution begins from the journal. Repeated losses without progress are delayed more and more.",
    see: ["how-to/steps-elsewhere.md"],
  },
  SHIELDED_OPERATION: {
    summary: "Code in ctx.shielded called something other than step.",
    message: "ctx.sleep was called inside ctx.shielded, which allows only steps. Call it outside.",
    cause:
      "`ctx.shielded` protects a few steps from a cancellation. Waits inside it could hold the run back for as long as they last.",
    cure: "Call the operation outside of `ctx.shielded`.",
    see: ["reference/ctx.md"],
  },
  STEP_FAILED: {
    summary: "A step failed with an error without a code, and the run ended with it.",
    message: "the card was declined",
    cause: "The last attempt of a step threw an error without a code, and the workflow did not catch it.",
    cure: "Read `error.message` and `error.step` of the record. Fix the cause, then resume the run.",
    see: ["how-to/retry.md", "how-to/debug-a-stuck-run.md"],
  },
  STEP_INTERRUPTED: {
    summary: "The outcome of a step with once: true is unknown.",
    message:
      'step "charge" was started and its outcome was lost with its process. It has once: true, so it is not executed again. Check whether it took effect, then handle this error in a catch, or resume the run with seedResults.',
    cause:
      "The process died between the start of the step and its outcome. In a resumed run: the step may be one that the parent executed.",
    cure: "Find out whether the step took effect. Catch the error and continue, or resume the run with `seedResults`.",
    see: ["how-to/retry.md"],
  },
  STICKY_ROUTING_REQUIRED: {
    summary: "Requests of one execution reach several instances of the step handler.",
    message:
      "All requests of an execution must reach one instance: route them by the header Holdfast-Session, or run one instance. Then retry the run.",
    cause:
      "A load balancer spreads the requests of one execution. After three replacements without progress the run is `paused`, and the message names both instances.",
    cure: "Route requests by the header `Holdfast-Session`, or run one instance. Then retry the run.",
    see: ["how-to/steps-elsewhere.md"],
  },
  TERMINATED: {
    summary: "An operator terminated the run.",
    message: "The run was terminated: it charged the wrong account",
    cause:
      "Somebody called `POST /api/runs/{id}/terminate`. The run ended at once, and no step was compensated. `data.reason` has the reason.",
    cure: "Undo by hand what the record lists in `undone` and `inFlight`.",
    see: ["how-to/debug-a-stuck-run.md"],
  },
  TIMEOUT: {
    summary: "An attempt, or a wait with onTimeout throw, took too long.",
    message: 'step "charge" took longer than its timeout of 30000 ms.',
    cause:
      'An attempt of a step took longer than its `timeout`. Or a compensation took longer than 5 minutes, or than the timeout of its step. Or nothing arrived for a wait with `onTimeout: "throw"`.',
    cure: "The policy decides whether the attempt is repeated. Catch the error where a wait may time out.",
    see: ["how-to/retry.md", "concepts/time-and-order.md"],
  },
  TOKEN_IN_USE: {
    summary: "The run has already issued this tokenId.",
    message: 'ctx.waitForToken: this run already issued the token "approve". Choose another tokenId, or leave it out.',
    cause: "Two calls of `ctx.waitForToken` in one run have the same `tokenId`.",
    cure: "Choose another id for each call, or leave it out.",
    see: ["how-to/human-approval.md"],
  },
  TOO_LARGE: {
    summary: "A value is larger than what one journal entry or chunk may hold.",
    message:
      'The output of step "export" takes 20971520 characters when encoded; the limit is 10485760 (10 MiB). Keep large data elsewhere (an object store, a database) and return a reference to it.',
    cause:
      "A step or the run returned a value of more than 10 MiB when encoded, or a chunk of a stream is over its limit. The step is not retried.",
    cure: "Store the data elsewhere and return a reference. Split a chunk that is too large.",
    see: ["how-to/call-your-bindings.md", "reference/limits.md"],
  },
  UNSERIALIZABLE: {
    summary: "A value is not plain data.",
    message:
      'The output of step "load" cannot be encoded at callback: Cannot stringify a function. Return plain data: objects, arrays, strings, numbers, Date, Map, Set, BigInt, Uint8Array, URL, Error.',
    cause:
      "A step or the run returned a function, a class instance or data nested more than 1,000 levels deep. The step is not retried. Or a stored outcome cannot be decoded, which the API shows as `[unreadable]`.",
    cure: "Return plain data. The message names the path.",
    see: ["concepts/rules.md"],
  },
  WORKFLOW_FAILED: {
    summary: "The workflow threw an error without a code.",
    message: "Cannot read properties of undefined (reading 'total')",
    cause: "The function of the workflow, not a step, threw an error without a code.",
    cure: "Read `error.message`, fix the code, then resume the run.",
    see: ["how-to/change-code.md"],
  },
  WORKFLOW_NOT_FOUND: {
    summary: "The deployment does not serve the workflow, or not in this version.",
    message: 'This deployment does not serve the workflow "order" in version "2". Add it to its list of workflows.',
    cause:
      "The list of workflows of `holdfast`, or of the step handler, lacks the workflow or its version. The text is a part of the message of `DISPATCH_FAILED`, or the `cause` of a `ChildRunError`.",
    cure: "Add the workflow to the list, and deploy.",
    see: ["reference/worker.md", "how-to/change-code.md"],
  },
  WORKFLOW_TIMEOUT: {
    summary: "The time budget of the run is used up.",
    message: "The run's time budget of 3600000 ms is used up.",
    cause:
      "The run did not end within the `timeout` of its workflow. The budget includes waits. The run is `failed`, or `compensated` if a step was compensated.",
    cure: "Give the workflow a longer `timeout`, or find out what took so long.",
    see: ["how-to/retry.md", "how-to/debug-a-stuck-run.md"],
  },
};
