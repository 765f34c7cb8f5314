/**
 * Creates the Worker and its Durable Object classes from a deployer's options.
 *
 * Owns: the classes. This file imports nothing of the platform. Their base class is a parameter, so tests in plain Node
 * can create them.
 */
import { CoordinatorObject } from "../coordinator/coordinator-object.ts";
import { serveCoordinatorAlarm, serveCoordinatorRequest } from "../coordinator/handlers.ts";
import { wakeSchedules } from "../api/routes/schedule-sync.ts";
import { handleDashboard } from "../dashboard/handle.ts";
import { type RunIndexObjectDeps, handleRunIndexRequest } from "../index-object/index-object.ts";
import type { ExecutionContextLike, HibernatingSocketLike } from "../platform-types.ts";
import type { RunRequest } from "../run-object/commands.ts";
import { serveAlarm, serveRequest, serveRpc, serveSocketMessage } from "../run-object/handlers.ts";
import { RunObject } from "../run-object/run-object.ts";
import { Misconfigured } from "../options.ts";
import { answerMisconfigured, handleWorkerRequest } from "../worker.ts";
import { Deployments, type HoldfastOptions, type ObjectContextLike } from "./deployment.ts";

/** `DurableObject` of `cloudflare:workers`. */
export type DurableObjectBase = new (ctx: object, env: object) => object;

/** An instance of the class of a run's object. */
export interface RunDurableObject {
  /** Answers a command of the Worker of the same deployment. The object is reachable only through its binding. */
  ask(command: unknown): Promise<unknown>;
  fetch(request: Request): Promise<Response>;
  alarm(): Promise<void>;
  webSocketMessage(socket: HibernatingSocketLike): Promise<void>;
  /** The platform does not answer the close of a hibernating socket: its reader would wait until it gives up. */
  webSocketClose(socket: HibernatingSocketLike): void;
}

/** An instance of the class of the run index. */
export interface IndexDurableObject {
  fetch(request: Request): Promise<Response>;
}

/** An instance of the class of coordinators. */
export interface CoordinatorDurableObject {
  fetch(request: Request): Promise<Response>;
  alarm(): Promise<void>;
}

export interface HoldfastApp<Env extends object = object> {
  /** The Worker's default export: the HTTP API, and the dashboard below `/ui`. */
  readonly worker: {
    // The type of `ctx` has no name: the declaration of a deployer's `export default app.worker` could not name it.
    fetch(request: Request, env: Env, ctx?: { waitUntil(work: Promise<unknown>): void }): Promise<Response>;
    /** For a cron trigger of the platform: wakes schedules that are late (SCH11). */
    scheduled(event: unknown, env: Env): Promise<void>;
  };
  /** One object per run. Its binding is WORKFLOW_RUN_DO. */
  readonly WorkflowRunDO: new (ctx: ObjectContextLike, env: Env) => RunDurableObject;
  /** The shards of the index of runs, and the list of them. Its binding is RUN_INDEX_DO. */
  readonly RunIndexDO: new (ctx: ObjectContextLike, env: Env) => IndexDurableObject;
  /** One object for each key of a limit, schedule and topic. Its binding is COORDINATOR_DO. */
  readonly CoordinatorDO: new (ctx: ObjectContextLike, env: Env) => CoordinatorDurableObject;
}

/** @throws HoldfastError `INVALID_ARGUMENT` for invalid options (RUN7). */
export function createApp<Env extends object>(
  Base: DurableObjectBase,
  options: HoldfastOptions<Env>,
): HoldfastApp<Env> {
  const deployments = new Deployments(options);
  const pages = (request: Request) => (options.dashboard === false ? undefined : handleDashboard(request));
  return {
    worker: {
      fetch: (request, env, ctx) => pages(request) ?? serveWorker(deployments, request, env, ctx),
      scheduled: (_event, env) => wakeSchedules(deployments.workerDeps(env)),
    },
    WorkflowRunDO: runObjectClass(Base, deployments),
    CoordinatorDO: coordinatorClass(Base, deployments),
    RunIndexDO: class extends Base {
      readonly #deps: RunIndexObjectDeps;

      constructor(ctx: ObjectContextLike, env: Env) {
        super(ctx, env);
        this.#deps = { storage: ctx.storage, id: ctx.id?.toString() };
      }

      fetch(request: Request): Promise<Response> {
        return handleRunIndexRequest(request, this.#deps);
      }
    },
  };
}

function runObjectClass<Env extends object>(
  Base: DurableObjectBase,
  deployments: Deployments<Env>,
): HoldfastApp<Env>["WorkflowRunDO"] {
  return class extends Base {
    readonly #ctx: ObjectContextLike;
    readonly #env: Env;
    #object: RunObject | undefined;

    constructor(ctx: ObjectContextLike, env: Env) {
      super(ctx, env);
      this.#ctx = ctx;
      this.#env = env;
    }

    /** Called by the handlers, not by the constructor: they answer an error of it, and set a failed alarm again. */
    readonly #open = (): RunObject => (this.#object ??= new RunObject(deployments.runObjectDeps(this.#ctx, this.#env)));

    ask(command: unknown): Promise<unknown> {
      return serveRpc(this.#open, command as RunRequest);
    }

    fetch(request: Request): Promise<Response> {
      return serveRequest(this.#open, request);
    }

    webSocketMessage(socket: HibernatingSocketLike): Promise<void> {
      return serveSocketMessage(this.#open, socket);
    }

    webSocketClose(socket: HibernatingSocketLike): void {
      socket.close(1000);
    }

    alarm(): Promise<void> {
      return serveAlarm(this.#open, this.#ctx);
    }
  };
}

function coordinatorClass<Env extends object>(
  Base: DurableObjectBase,
  deployments: Deployments<Env>,
): HoldfastApp<Env>["CoordinatorDO"] {
  return class extends Base {
    readonly #ctx: ObjectContextLike;
    readonly #env: Env;
    #object: CoordinatorObject | undefined;

    constructor(ctx: ObjectContextLike, env: Env) {
      super(ctx, env);
      this.#ctx = ctx;
      this.#env = env;
    }

    readonly #open = (): CoordinatorObject => {
      this.#object ??= new CoordinatorObject(deployments.coordinatorDeps(this.#ctx, this.#env));
      return this.#object;
    };

    fetch(request: Request): Promise<Response> {
      return serveCoordinatorRequest(this.#open, request);
    }

    alarm(): Promise<void> {
      return serveCoordinatorAlarm(this.#open, this.#ctx);
    }
  };
}

async function serveWorker<Env extends object>(
  deployments: Deployments<Env>,
  request: Request,
  env: Env,
  ctx: ExecutionContextLike | undefined,
): Promise<Response> {
  try {
    return await handleWorkerRequest(request, deployments.workerDeps(env), ctx);
  } catch (error) {
    if (!(error instanceof Misconfigured)) throw error;
    return answerMisconfigured(request, error);
  }
}
