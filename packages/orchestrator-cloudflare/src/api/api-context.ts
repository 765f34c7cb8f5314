/**
 * What every route works with: the deployment's dependencies, and the way to a run's object.
 */
import { LIMITS } from "@holdfast/protocol";
import type { Context } from "hono";
import type { Principal, VerifyRequest } from "../auth/principal.ts";
import { runObjectName } from "../run-object/names.ts";
import type { DurableObjectNamespaceLike } from "../platform-types.ts";
import type { RunIndex } from "../index-object/run-index.ts";
import type { RunCommand } from "../run-object/commands.ts";

export interface WorkerDeps {
  /** The binding of the run's Durable Object class. */
  readonly runDO: DurableObjectNamespaceLike;
  /** Who may call. Without it everybody may, which is said once in the log. */
  readonly verifyRequest?: VerifyRequest | undefined;
  /** What lists runs. Without it listing answers `501 index_not_configured`, and everything else works. */
  readonly runIndex?: RunIndex | undefined;
  /** The environment that runs get unless the trigger names one. Default `"production"`. */
  readonly environment?: string | undefined;
  /** Where this API is reached from outside, for token URLs. Default: where the trigger's caller reached it. */
  readonly publicUrl?: string | undefined;
  /** The largest request body. Default LIMITS.requestBytes. */
  readonly requestBytesMax?: number | undefined;
}

export interface ApiVariables {
  /** Set before any route under /api is reached. */
  readonly principal: Principal;
}

export type ApiContext = Context<{ Bindings: WorkerDeps; Variables: ApiVariables }>;

/** Sends a command to the object of a run of the caller's tenant. The object's answer is the API's. */
export function askRunObject(c: ApiContext, runId: string, command: RunCommand): Promise<Response> {
  return askObject(c.env, c.env.runDO.idFromName(runObjectName(c.var.principal.tenantId, runId)), command);
}

/** Sends a command to an object. */
export async function askObject({ runDO }: WorkerDeps, id: unknown, command: RunCommand): Promise<Response> {
  const stub = runDO.get(id);
  return stub.fetch(new Request("https://run.internal/", { method: "POST", body: JSON.stringify(command) }));
}

/** Opens a socket to a run of the caller's tenant. */
export async function openSocket(
  c: ApiContext,
  runId: string,
  cursor: string | undefined,
  from: string,
): Promise<Response> {
  const { runDO } = c.env;
  const url = new URL(`https://run.internal/?from=${from}`);
  if (cursor !== undefined) url.searchParams.set("cursor", cursor);
  const stub = runDO.get(runDO.idFromName(runObjectName(c.var.principal.tenantId, runId)));
  return stub.fetch(new Request(url, { headers: { Upgrade: "websocket" } }));
}

/** The largest request body that this deployment takes. */
export function bytesMax(c: ApiContext): number {
  return c.env.requestBytesMax ?? LIMITS.requestBytes;
}
