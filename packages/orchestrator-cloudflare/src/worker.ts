/**
 * The Worker's handler: the HTTP API of a deployment.
 */
import { router } from "./api/router.ts";
import type { WorkerDeps } from "./api/worker-deps.ts";

let warned = false;

/** Answers a request to the API (the routes are in docs/http-api.md). Never throws. */
export async function handleWorkerRequest(request: Request, deps: WorkerDeps): Promise<Response> {
  if (deps.verifyRequest === undefined && !warned) {
    warned = true;
    console.warn(
      "holdfast: this API accepts every request. Pass verifyRequest, for example bearerAuth(env.API_TOKENS).",
    );
  }
  return router.fetch(request, deps);
}
