/**
 * The deployable Worker: the API, one Durable Object per run, and the workflows, all in one.
 *
 * Owns: bindings and authentication. Closed by default: without the secret API_TOKENS every API route answers
 * `503 auth_not_configured`; local development sets AUTH to "off" (SEC1).
 */
import { env as environment } from "cloudflare:workers";
import { order } from "@holdfast/example-order";
import {
  type Duration,
  type RunIndex,
  type RunObjectDeps,
  type Telemetry,
  type VerifyRequest,
  bearerAuth,
  createInlineDispatcher,
  durableObjectIndex,
  handleDurableObjectAlarm,
  handleDurableObjectRequest,
  handleDurableObjectWebSocketMessage,
  handleRunIndexRequest,
  handleWorkerRequest,
  logEvents,
  otlpExporter,
  setLimits,
} from "@holdfast/orchestrator-cloudflare";

interface Env {
  readonly WORKFLOW_RUN_DO: DurableObjectNamespace;
  /** The index of runs. Take the binding away and listing answers 501; nothing else changes. */
  readonly RUN_INDEX_DO?: DurableObjectNamespace;
  /** Tokens that may call the API, separated by commas. */
  readonly API_TOKENS?: string;
  /** "off" opens the API to everybody who can reach it. For local development only. */
  readonly AUTH?: string;
  /** An OpenTelemetry collector, and headers for it as JSON. */
  readonly OTLP_URL?: string;
  readonly OTLP_HEADERS?: string;
  /** Limits other than the default, as JSON: docs/limits.md. */
  readonly LIMITS?: string;
  /** How long ended runs are kept, for example "30d". Without it, until they are deleted. */
  readonly RETENTION?: string;
  /** What runs are marked with. */
  readonly ENVIRONMENT?: string;
}

setLimits((environment as unknown as Env).LIMITS);

const dispatcher = createInlineDispatcher({ workflows: [order] });

let toldOpen = false;

export default {
  fetch: (request: Request, env: Env): Promise<Response> =>
    handleWorkerRequest(request, {
      runDO: env.WORKFLOW_RUN_DO,
      runIndex: runIndexOf(env),
      verifyRequest: verifierOf(env),
      environment: env.ENVIRONMENT,
    }),
};

/** One object per run. */
export class WorkflowRunDO {
  readonly #deps: RunObjectDeps;

  constructor(state: DurableObjectState, env: Env) {
    this.#deps = {
      storage: state.storage,
      dispatcher,
      runDO: env.WORKFLOW_RUN_DO,
      runIndex: runIndexOf(env),
      sockets: state,
      telemetry: telemetryOf(env),
      retention: env.RETENTION ? { default: env.RETENTION as Duration } : undefined,
    };
  }

  fetch(request: Request): Promise<Response> {
    return handleDurableObjectRequest(request, this.#deps);
  }

  webSocketMessage(socket: WebSocket): Promise<void> {
    return handleDurableObjectWebSocketMessage(socket, this.#deps);
  }

  alarm(): Promise<void> {
    return handleDurableObjectAlarm(this.#deps);
  }
}

/** The runs of one stretch of time, or the list of such shards. */
export class RunIndexDO {
  readonly #storage: DurableObjectStorage;

  constructor(state: DurableObjectState) {
    this.#storage = state.storage;
  }

  fetch(request: Request): Promise<Response> {
    return handleRunIndexRequest(request, { storage: this.#storage });
  }
}

function runIndexOf({ RUN_INDEX_DO }: Env): RunIndex | undefined {
  return RUN_INDEX_DO && durableObjectIndex({ binding: RUN_INDEX_DO });
}

function telemetryOf({ OTLP_URL, OTLP_HEADERS }: Env): Telemetry {
  const headers = JSON.parse(OTLP_HEADERS || "{}") as Record<string, string>;
  return { event: logEvents(), ...(OTLP_URL ? { ended: otlpExporter({ url: OTLP_URL, headers }) } : {}) };
}

function verifierOf(env: Env): VerifyRequest {
  if (env.AUTH !== "off") return bearerAuth(env.API_TOKENS);
  if (!toldOpen) console.warn("holdfast: AUTH is off. Everybody who can reach this address can use the API.");
  toldOpen = true;
  return () => true;
}
