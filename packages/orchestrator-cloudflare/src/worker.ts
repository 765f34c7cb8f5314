/**
 * The Worker's handler: the HTTP API of a deployment.
 */
import { HOLDFAST_VERSION } from "@holdfast/protocol";
import { withHeaders } from "./api/call/answer-headers.ts";
import { serveApi } from "./api/router.ts";
import { registerSchedules } from "./api/routes/schedule-sync.ts";
import { type WorkerDeps, checkWorkerDeps } from "./api/call/worker-deps.ts";
import { ApiRefusal } from "./refusal.ts";
import { Misconfigured, failureText, reportMisconfigured } from "./options.ts";
import type { ExecutionContextLike } from "./platform-types.ts";
import { exportCounters } from "./telemetry/counters.ts";

/**
 * Answers a request to the API (the routes are in docs/reference/http-guide.md). Never throws.
 * @param given The dependencies, or a function that makes them. An error of the function, for example of an invalid list of
 *   tokens, is answered `503 misconfigured` (SEC9).
 * @param ctx That of the Worker: without it, an export of counters may be cut off by the end of the request.
 */
export async function handleWorkerRequest(
  request: Request,
  given: WorkerDeps | (() => WorkerDeps),
  ctx?: ExecutionContextLike,
): Promise<Response> {
  if (!hasHost(request)) return answerInvalidHost();
  let deps: WorkerDeps;
  try {
    deps = typeof given === "function" ? makeDeps(given) : given;
    checkWorkerDeps(deps);
  } catch (error) {
    if (!(error instanceof Misconfigured)) throw error;
    return answerMisconfigured(request, error);
  }
  const registering = registerSchedules(deps);
  if (registering !== undefined) ctx?.waitUntil(registering);
  const answer = withHeaders(await serveApi(request, deps));
  const exporting = exportCounters(deps.telemetry?.counted, Date.now());
  if (exporting !== undefined) ctx?.waitUntil(exporting);
  return answer;
}

/**
 * Whether the request's URL has the path of the request line. workerd makes the URL of the header `Host`, whatever its
 * text is.
 */
function hasHost({ url, headers }: Request): boolean {
  const host = headers.get("Host") ?? "";
  const origin = url.slice(0, url.indexOf("/", url.indexOf("://") + 3));
  // To parse each URL takes time, and most requests have one host.
  if (host === known?.host && origin === known.origin) return true;
  if (!URL.canParse(url) || /[\s/\\?#@]/.test(host)) return false;
  known = { host, origin };
  return true;
}

let known: { readonly host: string; readonly origin: string } | undefined;

function answerInvalidHost(): Response {
  const refusal = new ApiRefusal("invalid_host", "The header Host is not the name of a host, or there are several.");
  return withHeaders(refusal.toResponse());
}

function makeDeps(make: () => WorkerDeps): WorkerDeps {
  try {
    return make();
  } catch (error) {
    throw reportMisconfigured(new Misconfigured(failureText(error)));
  }
}

/** Answers a request to a deployment that is misconfigured. The health check reports it too. */
export function answerMisconfigured(request: Request, failure: Misconfigured): Response {
  if (!hasHost(request)) return answerInvalidHost();
  const health = new URL(request.url).pathname === "/healthz";
  return withHeaders(
    health
      ? Response.json({ ok: false, version: HOLDFAST_VERSION, misconfigured: true }, { status: 503 })
      : failure.toResponse(),
  );
}
