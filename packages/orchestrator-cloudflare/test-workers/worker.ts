/**
 * The Worker of the real-workerd suite: the library as a user wires it, with workflows for the tests.
 */
import {
  type RpcBinding,
  type StepDispatcher,
  createHttpDispatcher,
  createInlineDispatcher,
  createServiceBindingDispatcher,
} from "../src/index.ts";
import { holdfast } from "../src/deployment/holdfast.ts";
import { crashingStorage } from "./crashing-storage.ts";
import { workflows } from "./workflows.ts";

interface Env {
  readonly SIBLING: Fetcher;
  readonly SIBLING_RPC: RpcBinding;
  readonly STEP_HANDLER_URL: string;
  readonly STEP_HANDLER_KEY: string;
}

/** Dispatchers by the prefixes of the ids of runs. */
function pipesOf(env: Env): readonly (readonly [prefix: string, dispatcher: StepDispatcher])[] {
  const stepHandler = { url: env.STEP_HANDLER_URL, signingKey: env.STEP_HANDLER_KEY };
  return [
    ["rpc-", createServiceBindingDispatcher({ binding: env.SIBLING_RPC })],
    // A mistake in the wiring: this binding leads to the default export, which only has fetch.
    ["miswired-", createServiceBindingDispatcher({ binding: env.SIBLING })],
    ["fetch-", createServiceBindingDispatcher({ binding: env.SIBLING, pipe: "fetch" })],
    ["http-", createHttpDispatcher({ ...stepHandler, connections: false })],
    ["frames-", createHttpDispatcher(stepHandler)],
  ];
}

/** The prefix of a run's id selects the dispatcher. */
function dispatcherOf(env: Env): StepDispatcher {
  const inline = createInlineDispatcher({ workflows });
  const pipes = pipesOf(env);
  return {
    ...inline,
    start(start, port) {
      const [, found = inline] = pipes.find(([prefix]) => start.run.id.startsWith(prefix)) ?? [];
      return found.start(start, port);
    },
  };
}

const app = holdfast({
  dispatcher: dispatcherOf,
  deps: () => ({
    verifyRequest: () => true,
    telemetry: {},
    hooks: { payments: { verify: { type: "stripe", secret: "a secret of the tests" } } },
  }),
  runObject(deps, ctx: DurableObjectState, env) {
    // Only for some runs: other tests measure the cost of a run without a bucket and an index.
    const only = (prefix: string): boolean => ctx.id.name?.startsWith(prefix) === true;
    // As in a deployment whose workflows are all in another process.
    const [, remote] = pipesOf(env).find(([prefix]) => only(`listed-${prefix}`)) ?? [];
    return {
      ...deps,
      dispatcher: remote ?? deps.dispatcher,
      storage: crashingStorage({ storage: ctx.storage, abort: (reason) => ctx.abort(reason) }),
      bucket: only("bucket-") ? deps.bucket : undefined,
      runIndex: only("indexed-") ? deps.runIndex : undefined,
    };
  },
});

export default app.worker;
export const { WorkflowRunDO, RunIndexDO, CoordinatorDO } = app;
