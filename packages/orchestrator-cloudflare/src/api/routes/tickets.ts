/**
 * `POST /api/tickets`, and the requests that have a ticket in place of credentials (SEC11).
 *
 * Owns: the paths for which there are tickets: the streams of runs, with and without a socket. The Worker verifies a ticket
 * before it asks any object of a run.
 */
import { HOST_LIMITS, idProblem } from "@holdfast/protocol";
import * as v from "valibot";
import { isClosed } from "../../auth/principal.ts";
import { type Ticket, invalidTicket, readTicket, writeTicket } from "../../auth/tickets.ts";
import { keyRingOf } from "../../auth/url-keys.ts";
import { ApiRefusal } from "../../refusal.ts";
import { type CheckedCall, type Route, route } from "../call/route.ts";
import type { WorkerDeps } from "../call/worker-deps.ts";

const STREAM_PATH = /^\/api\/runs\/([^/]+)\/stream$/;

const pathField = v.pipe(
  v.string(),
  v.maxLength(HOST_LIMITS.ticketPathChars, `has more than ${HOST_LIMITS.ticketPathChars} characters`),
  v.check(
    isStreamPath,
    "must be the path of a run's stream with the id percent-encoded, as in /api/runs/order-1/stream",
  ),
  v.description("The path of a run's stream: `/api/runs/{id}/stream`."),
);

const ticketBody = v.strictObject({ path: pathField });

export const ticketRoutes: readonly Route[] = [
  route({
    id: "makeTicket",
    verb: "POST",
    path: "/api/tickets",
    summary: "Makes a ticket, with which a browser may follow one run, once, within 60 seconds.",
    scope: "read",
    body: ticketBody,
    answers: { 201: "Ticket" },
    refusals: ["tickets_not_configured"],
    handle: makeTicket,
  }),
];

async function makeTicket({
  deps,
  principal,
  body: { path },
}: CheckedCall<string, unknown, v.InferOutput<typeof ticketBody>>): Promise<Response> {
  const ring = await keyRingOf(deps, true);
  // The ticket itself is in no header: headers are logged.
  const headers = { Location: path };
  if (ring !== undefined) return Response.json(await writeTicket(ring, principal, path), { status: 201, headers });
  throw new ApiRefusal(
    "tickets_not_configured",
    "This deployment has no key with which to sign tickets. Set URL_KEYS, or bind the class RunIndexDO as RUN_INDEX_DO.",
  );
}

/** Whether a request for this path, as it was sent, leads to the stream of a run. */
function isStreamPath(path: string): boolean {
  const [, segment] = STREAM_PATH.exec(path) ?? [];
  if (segment === undefined || new URL(path, "https://api.internal").pathname !== path) return false;
  try {
    return idProblem(decodeURIComponent(segment)) === undefined;
  } catch {
    return false;
  }
}

/**
 * Returns the ticket of a request for a stream; `undefined`: it has none. A deployment without authentication accepts none.
 * @throws ApiRefusal `unauthorized`
 */
export async function ticketOf({ method, url }: Request, deps: WorkerDeps): Promise<Ticket | undefined> {
  // To parse each URL takes time.
  if (!url.includes("/stream")) return undefined;
  const { pathname, searchParams } = new URL(url);
  const [text, ...more] = searchParams.getAll("ticket");
  const isRead = method === "GET" || method === "HEAD";
  if (text === undefined || !isRead || !STREAM_PATH.test(pathname)) return undefined;
  if (isClosed(deps.verifyRequest)) return undefined;
  if (more.length > 0) throw invalidTicket();
  return readTicket(await keyRingOf(deps, false), text, pathname);
}
