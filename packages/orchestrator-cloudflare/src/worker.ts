/**
 * The Worker's handler: the HTTP API of a deployment.
 */
import { router } from "./api/router.ts";
import { type WorkerDeps, checkWorkerDeps } from "./api/worker-deps.ts";
import { Misconfigured } from "./options.ts";

/** Answers a request to the API (the routes are in docs/http-api.md). Never throws. */
export async function handleWorkerRequest(request: Request, deps: WorkerDeps): Promise<Response> {
  try {
    checkWorkerDeps(deps);
  } catch (error) {
    if (!(error instanceof Misconfigured)) throw error;
    return answerMisconfigured(request, error);
  }
  return router.fetch(request, deps);
}

/** Answers a request to a deployment that is misconfigured. The health check reports it too. */
export function answerMisconfigured(request: Request, failure: Misconfigured): Response {
  const health = new URL(request.url).pathname === "/healthz";
  return health ? Response.json({ ok: false, misconfigured: true }, { status: 503 }) : failure.toResponse();
}
