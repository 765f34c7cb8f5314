/**
 * `createStepHandler`: serves workflows to an orchestrator over requests.
 *
 * Owns: routes, and the start of sessions. `RequestCheck` authenticates the orchestrator (SEC3). Runs in every runtime
 * that has `Request` and `Response`: Node, Workers, Bun, Deno.
 */
import {
  type ExecutionStart,
  HOST_LIMITS,
  PROTOCOL_VERSION,
  type TurnAnswer,
  type TurnContent,
  type TurnRequest,
  WorkflowIndex,
  type WorkflowsAnswer,
  checkFields,
  describeWorkflow,
  errorValue,
} from "@holdfast/protocol";
import { type BodyText, readBodyText } from "@holdfast/protocol/transport";
import type { Workflow } from "../authoring/workflow.ts";
import { checkPlatform } from "../platform-check.ts";
import { type Platform, isWorkerd } from "../replay/platform.ts";
import { guardedPlatform } from "../replay/unhandled-rejections.ts";
import { executeOver } from "./execute-over.ts";
import { answerInLines } from "./line-stream.ts";
import { RequestCheck, type RequestCheckOptions } from "./request-check.ts";
import { RunEpochs } from "./run-epochs.ts";
import { completeStart } from "./older-start.ts";
import { notServed, otherVersion } from "./served.ts";
import { Session } from "./session.ts";
import { type SessionLimits, Sessions } from "./sessions.ts";
import { NO_STORE, streamAnswer } from "./stream-answer.ts";
import { parseTurn } from "./turn-request.ts";

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
  /** For tests. */
  readonly platform?: Platform | undefined;
}

export type StepHandler = (request: Request) => Promise<Response>;

const FIELDS =
  "workflows signingKeys audience nonces holdMs bodyBytesMax stateless platform sessionsMax charsMax idleMsMax".split(
    " ",
  );

const HOLD_MS = 20_000;

const TOO_MANY_SESSIONS =
  "This step handler executes as many sessions as its limits admit (sessionsMax, charsMax). Send the turn again later, or start more instances.";

const NO_BODY: BodyText = { ok: true, text: "" };

/**
 * Serves `POST …/turn` and `GET …/workflows`, under any path prefix.
 * @throws HoldfastError `INVALID_ARGUMENT` for invalid options.
 */
export function createStepHandler(options: StepHandlerOptions): StepHandler {
  checkPlatform();
  checkFields(options, FIELDS, "createStepHandler");
  const handler = new Handler(options);
  return (request) => handler.handle(request);
}

class Handler {
  readonly #index: WorkflowIndex<Workflow>;
  readonly #check: RequestCheck;
  readonly #holdMs: number;
  readonly #bytesMax: number;
  readonly #platform: Platform;
  readonly #sessions: Sessions;
  readonly #stateless: boolean;
  readonly #epochs = new RunEpochs();
  /** On the monotonic clock, ms. */
  readonly #createdAt = performance.now();
  #instance: string | undefined;

  constructor({
    workflows,
    signingKeys,
    audience,
    nonces,
    holdMs = HOLD_MS,
    stateless = isWorkerd,
    bodyBytesMax = stateless ? HOST_LIMITS.statelessTurnBytes : HOST_LIMITS.turnBytes,
    platform = guardedPlatform,
    ...limits
  }: StepHandlerOptions) {
    this.#index = new WorkflowIndex(workflows);
    this.#check = new RequestCheck({ signingKeys, audience, nonces });
    this.#holdMs = holdMs;
    this.#bytesMax = bodyBytesMax;
    this.#platform = platform;
    this.#sessions = new Sessions(limits, platform);
    this.#stateless = stateless;
  }

  async handle(request: Request): Promise<Response> {
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
    const refusal = await this.#check.refusalOf(request, text, this.#platform.now());
    if (refusal !== undefined) return refuse(refusal.status, refusal.code, refusal.message);
    return isTurn ? this.#turn(text) : Response.json(this.#list());
  }

  #refuseBody(why: (BodyText & { readonly ok: false })["why"]): Response {
    if (why === "too_slow")
      return refuse(408, "body_timeout", `The body did not arrive within ${HOST_LIMITS.silentMsMax} ms.`);
    if (why === "broken")
      return refuse(400, "invalid_turn", "The turn is invalid: the body ended before it was complete.");
    if (why === "not_utf8") return refuse(400, "invalid_turn", "The turn is invalid: the body is not UTF-8 text.");
    return refuse(413, "payload_too_large", `The body is larger than ${this.#bytesMax} bytes (bodyBytesMax).`);
  }

  #list(): WorkflowsAnswer {
    return { protocol: PROTOCOL_VERSION, instance: this.#self(), workflows: this.#index.all.map(describeWorkflow) };
  }

  /** Created by the first request: Workers allow no random numbers before. */
  #self(): string {
    return (this.#instance ??= this.#platform.randomId());
  }

  async #turn(body: string): Promise<Response> {
    const request = parseTurn(body);
    if (typeof request === "string") return refuse(400, "invalid_turn", `The turn is invalid: ${request}.`);
    this.#sessions.sweep();
    const { start } = request;
    const mine = this.#self();
    const upMs = performance.now() - this.#createdAt;
    if (request.instance !== undefined && request.instance !== mine)
      return this.#answer(request, { type: "wrong_instance", mine, upMs });
    const known = this.#sessions.get(request.session);
    if (known !== undefined) return this.#answer(request, await known.turn(request, this.#holdMs));
    if (start === undefined) return this.#answer(request, { type: "unknown_session", upMs });
    return this.#start(request, start, body.length);
  }

  async #start(request: TurnRequest, start: ExecutionStart, chars: number): Promise<Response> {
    const other = otherVersion(start);
    if (other !== undefined) return this.#answer(request, { type: "lost", error: other });
    const workflow = this.#index.find(start.workflowId, start.workflowVersion);
    if (workflow === undefined)
      return this.#answer(request, { type: "lost", error: errorValue("WORKFLOW_NOT_FOUND", notServed(start)) });
    if (!this.#epochs.accept(start)) return this.#answer(request, { type: "unknown_session" });
    const session = new Session(this.#platform, this.#stateless, start);
    const platform = session.announcer.platform(this.#platform);
    if (this.#stateless) {
      session.begin(workflow.executeOn(platform, completeStart(start), session.port));
      return streamAnswer(session, this.#platform, (content) => this.#message(request, content));
    }
    const admission = this.#sessions.admit(start, chars);
    if (admission === "full") return refuse(503, "too_many_sessions", TOO_MANY_SESSIONS);
    session.begin(workflow.executeOn(platform, completeStart(start), session.port));
    this.#sessions.add(request.session, start, session, chars);
    return this.#answer(request, await session.turn(request, this.#holdMs));
  }

  #answer(request: TurnRequest, content: TurnContent): Response {
    return Response.json(this.#message(request, content), { headers: NO_STORE });
  }

  #message({ session }: TurnRequest, content: TurnContent): TurnAnswer {
    return { session, instance: this.#self(), ...(this.#stateless ? { stateless: true } : {}), ...content };
  }
}

function refuse(status: number, error: string, message: string): Response {
  return Response.json({ error, message }, { status });
}
