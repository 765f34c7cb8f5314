/**
 * `createStepHandler`: serves workflows to an orchestrator over requests.
 *
 * Owns: the routes. `TurnServer` holds the executions, and `RequestCheck` authenticates the orchestrator (SEC3). Runs in
 * every runtime that has `Request` and `Response`: Node, Workers, Bun, Deno.
 */
import {
  HOST_LIMITS,
  PROTOCOL_VERSION,
  WorkflowIndex,
  type WorkflowsAnswer,
  checkFields,
  describeWorkflow,
} from "@holdfast/protocol";
import { type BodyText, MAC_QUERY, SIGNATURE_HEADER, frameKey, readBodyText } from "@holdfast/protocol/transport";
import type { Workflow } from "../authoring/workflow.ts";
import { checkPlatform } from "../platform-check.ts";
import { type Platform, isWorkerd } from "../replay/platform.ts";
import { guardedPlatform } from "../replay/unhandled-rejections.ts";
import { type AcceptConnection, Connections } from "./connections.ts";
import { executeOver } from "./execute-over.ts";
import { answerInLines } from "./line-stream.ts";
import { RequestCheck, type RequestCheckOptions, type SignedBy } from "./request-check.ts";
import type { SessionLimits } from "./sessions.ts";
import { NO_STORE, streamAnswer } from "./stream-answer.ts";
import { parseTurn } from "./turn-request.ts";
import { TurnServer } from "./turn-server.ts";

export interface StepHandlerOptions extends SessionLimits, RequestCheckOptions {
  readonly workflows: readonly Workflow[];
  /**
   * The maximum time of a request while bodies execute, ms. Default 20,000. Set it below the time-outs of proxies. A
   * handler without sessions answers when the bodies have ended.
   */
  readonly holdMs?: number | undefined;
  /**
   * The maximum size of a request body, bytes. Default 268,435,456. Without sessions 33,554,432, because the memory of a
   * Worker holds the journal that a body carries several times.
   */
  readonly bodyBytesMax?: number | undefined;
  /**
   * Holds no sessions between requests: a turn is answered when all its bodies have ended, and the next one costs a
   * replay. Default on Workers, where an execution cannot outlive its request.
   */
  readonly stateless?: boolean | undefined;
  /**
   * Connections that this handler accepts, default 1,000. An upgrade beyond is answered 503, and its run gets turns as
   * requests. 0: none. Only a host that passes upgrades to `connect` has connections.
   */
  readonly connectionsMax?: number | undefined;
  /** For tests. */
  readonly platform?: Platform | undefined;
}

export interface StepHandler {
  (request: Request): Promise<Response>;
  /**
   * Answers the request of a WebSocket upgrade, for a host that has WebSockets: either with the response to send instead of
   * the upgrade, or with a function that the host calls with the socket when the upgrade is complete (PIPE1).
   */
  connect(request: Request): Promise<Response | AcceptConnection>;
  /**
   * For the end of the process (SIGTERM): begins no execution, refuses connections, and ends each one when its turns are
   * answered. Runs whose bodies have ended continue in another process. Resolves when no body executes and all outcomes are
   * stored; requests must be served until then (PIPE7).
   */
  drain(): Promise<void>;
}

const FIELDS =
  "workflows signingKeys audience nonces holdMs bodyBytesMax stateless platform sessionsMax charsMax idleMsMax connectionsMax".split(
    " ",
  );

const HOLD_MS = 20_000;

const TOO_MANY_SESSIONS =
  "This step handler executes as many sessions as its limits admit (sessionsMax, charsMax), or ends. Send the turn again later, or start more instances.";

const TOO_MANY_CONNECTIONS =
  "This step handler accepts no further connection (connectionsMax), holds no sessions, or ends. Send turns as requests.";

const NO_KEY =
  "This step handler has no key for the codes that frames without TLS need. Set signingKeys, or send turns as requests.";

const NO_BODY: BodyText = { ok: true, text: "" };

/**
 * Serves `POST …/turn` and `GET …/workflows`, under any path prefix.
 * @throws HoldfastError `INVALID_ARGUMENT` for invalid options.
 */
export function createStepHandler(options: StepHandlerOptions): StepHandler {
  checkPlatform();
  checkFields(options, FIELDS, "createStepHandler");
  const handler = new Handler(options);
  return Object.assign((request: Request) => handler.handle(request), {
    connect: (request: Request) => handler.connect(request),
    drain: () => handler.drain(),
  });
}

class Handler {
  readonly #index: WorkflowIndex<Workflow>;
  readonly #check: RequestCheck;
  readonly #bytesMax: number;
  readonly #platform: Platform;
  readonly #server: TurnServer;
  readonly #connections: Connections;
  /** On the monotonic clock, ms. In a Worker no clock runs outside of requests, and the first one creates the isolate. */
  #createdAt = isWorkerd ? undefined : performance.now();

  constructor({
    workflows,
    signingKeys,
    audience,
    nonces,
    holdMs = HOLD_MS,
    stateless = isWorkerd,
    bodyBytesMax = stateless ? HOST_LIMITS.statelessTurnBytes : HOST_LIMITS.turnBytes,
    platform = guardedPlatform,
    connectionsMax = HOST_LIMITS.handlerConnections,
    ...limits
  }: StepHandlerOptions) {
    this.#index = new WorkflowIndex(workflows);
    this.#check = new RequestCheck({ signingKeys, audience, nonces });
    this.#bytesMax = bodyBytesMax;
    this.#platform = platform;
    const upMs = (): number => performance.now() - (this.#createdAt ?? 0);
    this.#server = new TurnServer(this.#index, { platform, holdMs, stateless, limits, upMs });
    // An execution that cannot outlive a request cannot be reached by a later frame either.
    this.#connections = new Connections(this.#server, platform, stateless ? 0 : connectionsMax);
  }

  async handle(request: Request): Promise<Response> {
    this.#createdAt ??= performance.now();
    const { pathname } = new URL(request.url);
    const isTurn = request.method === "POST" && pathname.endsWith("/turn");
    const isList = request.method === "GET" && pathname.endsWith("/workflows");
    // A request for a whole execution is unsigned, so it is served only to service bindings.
    if (request.method === "POST" && pathname.endsWith("/execute") && this.#check.isOpen)
      return answerInLines(request, (start, port) => executeOver(this.#index, start, port));
    if (!isTurn && !isList)
      return refuse(404, "not_found", "This step handler serves only POST …/turn and GET …/workflows.");
    const body = isTurn ? await readBodyText(request, this.#bytesMax, HOST_LIMITS.silentMsMax) : NO_BODY;
    if (!body.ok) return this.#refuseBody(body.why);
    const { text } = body;
    const checked = await this.#check.check(request, text, this.#platform.now());
    if (!("key" in checked)) return refuse(checked.status, checked.code, checked.message);
    return isTurn ? this.#turn(text) : Response.json(this.#list());
  }

  drain(): Promise<void> {
    this.#connections.drain();
    return this.#server.drain();
  }

  /** The upgrade is signed as the list of workflows is: it has no body. */
  async connect(request: Request): Promise<Response | AcceptConnection> {
    const { pathname, search } = new URL(request.url);
    if (request.method !== "GET" || !pathname.endsWith("/connect"))
      return refuse(404, "not_found", "This step handler accepts connections at GET …/connect only.");
    if (this.#connections.isFull) return refuse(503, "too_many_connections", TOO_MANY_CONNECTIONS);
    const checked = await this.#check.check(request, "", this.#platform.now());
    if (!("key" in checked)) return refuse(checked.status, checked.code, checked.message);
    if (this.#connections.isFull) return refuse(503, "too_many_connections", TOO_MANY_CONNECTIONS);
    const needsMac = search === `?${MAC_QUERY}`;
    if (needsMac && checked.key === undefined) return refuse(403, "no_key", NO_KEY);
    const macKey = needsMac ? await macKeyOf(request, checked) : undefined;
    return (socket) => this.#connections.accept(socket, macKey);
  }

  #refuseBody(why: (BodyText & { readonly ok: false })["why"]): Response {
    if (why === "too_slow")
      return refuse(408, "body_timeout", `The body did not arrive within ${HOST_LIMITS.silentMsMax} ms.`);
    if (why === "broken") return refuse(408, "body_incomplete", "The body ended before it was complete.");
    if (why === "not_utf8") return refuse(400, "invalid_turn", "The turn is invalid: the body is not UTF-8 text.");
    return refuse(413, "payload_too_large", `The body is larger than ${this.#bytesMax} bytes (bodyBytesMax).`);
  }

  #list(): WorkflowsAnswer {
    return {
      protocol: PROTOCOL_VERSION,
      instance: this.#server.instance,
      workflows: this.#index.all.map(describeWorkflow),
    };
  }

  async #turn(body: string): Promise<Response> {
    const request = parseTurn(body);
    if (typeof request === "string") return refuse(400, "invalid_turn", `The turn is invalid: ${request}.`);
    const reply = await this.#server.turn(request, body.length);
    if (reply.type === "full") return refuse(503, "too_many_sessions", TOO_MANY_SESSIONS);
    if (reply.type === "later") return streamAnswer(reply.session, this.#platform, reply.toAnswer);
    return Response.json(reply.answer, { headers: NO_STORE });
  }
}

/** Returns the key of the MACs of the frames. */
async function macKeyOf(request: Request, { key }: SignedBy): Promise<CryptoKey | undefined> {
  return key === undefined ? undefined : frameKey(key, request.headers.get(SIGNATURE_HEADER) ?? "");
}

function refuse(status: number, error: string, message: string): Response {
  return Response.json({ error, message }, { status });
}
