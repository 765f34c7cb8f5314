/**
 * The dashboard at the address of the local server.
 *
 * Owns: which requests it answers. The files come with the command, so they are there while workerd restarts and while the
 * code cannot be served. They are public: the data, which the page reads from the API, needs the token.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { handleDashboard } from "@holdfast/orchestrator-cloudflare/dashboard";

/** The origin in place of the header Host, which decides nothing here. */
const ORIGIN = "http://127.0.0.1";

/** Answers a request below `/ui`. Returns whether it is one. */
export function answersDashboard(request: IncomingMessage, response: ServerResponse): boolean {
  const { url: path = "", method = "GET", headers } = request;
  if (!path.startsWith("/ui")) return false;
  const answer = handleDashboard(
    new Request(ORIGIN + path, { method: NOT_FOR_FETCH.has(method) ? "POST" : method, headers: known(headers) }),
  );
  if (answer !== undefined) void answer.then(async (reply) => send(reply, response));
  return answer !== undefined;
}

/** Methods that `Request` refuses. They are answered as any other that reads nothing. */
const NOT_FOR_FETCH: ReadonlySet<string> = new Set(["CONNECT", "TRACE"]);

/** The headers that decide on an answer. */
function known(headers: IncomingMessage["headers"]): Record<string, string> {
  const { "accept-encoding": encodings = "", "if-none-match": tag = "" } = headers;
  return { "Accept-Encoding": encodings, "If-None-Match": tag };
}

async function send(reply: Response, response: ServerResponse): Promise<void> {
  response.writeHead(reply.status, Object.fromEntries(reply.headers));
  response.end(new Uint8Array(await reply.arrayBuffer()));
}

/** The path of the page of a run. */
export function runPagePath(runId: string): string {
  return `/ui/runs/${encodeURIComponent(runId)}`;
}
