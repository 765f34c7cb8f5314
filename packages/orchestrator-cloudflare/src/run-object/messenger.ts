/**
 * Messages between objects: of runs to runs and coordinators, and of coordinators to runs and coordinators.
 *
 * Owns: the request that carries a message, and the rule that messages never leave the tenant of their sender (SEC2), unless
 * the sender or the receiver belongs to the whole deployment.
 */
import type { CoordinatorSelf, RequestKey, RunMessage, SendResult } from "@holdfast/orchestrator";
import type { Address } from "@holdfast/protocol";
import type { DurableObjectNamespaceLike } from "../platform-types.ts";
import { callObject } from "./call-object.ts";
import { coordinatorName, coordinatorOf, runObjectName } from "./names.ts";

/** The bindings of the classes of objects. */
export interface ObjectBindings {
  readonly runDO?: DurableObjectNamespaceLike | undefined;
  readonly coordinatorDO?: DurableObjectNamespaceLike | undefined;
}

/** A request to a coordinator: a message of another object, or a command of the Worker. */
export type CoordinatorRequest = { readonly self: CoordinatorSelf } & (
  | { readonly ask: "message"; readonly message: object }
  | { readonly ask: "command"; readonly command: object; readonly key?: RequestKey | undefined }
);

/**
 * Returns a function that sends a message and calls `done` with the result. `tenantId` returns the tenant of the sender. The
 * host repeats a message after `unreachable`, which is also the result if the deployment lacks the binding.
 */
export function messengerOf(
  bindings: ObjectBindings,
  tenantId: () => string | undefined,
): (to: Address, message: object, done: (result: SendResult) => void) => void {
  return (to, message, done) => void send(bindings, to, tenantId(), message).then(done);
}

async function send(
  { runDO, coordinatorDO }: ObjectBindings,
  to: Address,
  tenantId: string | undefined,
  message: object,
): Promise<SendResult> {
  try {
    const answer =
      to.kind === "run"
        ? await toRun(runDO, runObjectName(to.tenantId ?? tenantId, to.name), message as RunMessage)
        : await askCoordinator(coordinatorDO, { self: coordinatorOf(to, tenantId), ask: "message", message });
    return answer?.ok === true ? ((await answer.json()) as SendResult) : UNREACHABLE;
  } catch {
    return UNREACHABLE;
  }
}

const UNREACHABLE: SendResult = { type: "unreachable" };

async function toRun(
  runDO: DurableObjectNamespaceLike | undefined,
  name: string,
  message: RunMessage,
): Promise<Response | undefined> {
  return runDO && callObject(runDO, runDO.idFromName(name), { ask: "message", message });
}

/** Sends a request to a coordinator. `undefined`: the deployment has no binding for coordinators. */
export function askCoordinator(
  coordinatorDO: DurableObjectNamespaceLike | undefined,
  request: CoordinatorRequest,
): Promise<Response | undefined> {
  return post(coordinatorDO, coordinatorName(request.self), request);
}

async function post(
  binding: DurableObjectNamespaceLike | undefined,
  name: string,
  body: object,
): Promise<Response | undefined> {
  const request = new Request("https://object.internal/", { method: "POST", body: JSON.stringify(body) });
  return binding?.get(binding.idFromName(name)).fetch(request);
}
