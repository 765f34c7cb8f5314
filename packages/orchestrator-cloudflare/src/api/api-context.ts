/**
 * What every route works with: the deployment's dependencies, and the way to a run's object.
 */
import { LIMITS } from "@holdfast/protocol";
import type { Context } from "hono";
import type { VerifyRequest } from "../auth.ts";
import type { DurableObjectNamespaceLike } from "../platform-types.ts";
import type { RunCommand } from "../run-commands.ts";

export interface WorkerDeps {
  /** The binding of the run's Durable Object class. */
  readonly runDO: DurableObjectNamespaceLike;
  /** Who may call. Without it everybody may, which is said once in the log. */
  readonly verifyRequest?: VerifyRequest | undefined;
  /** The environment that runs get unless the trigger names one. Default `"production"`. */
  readonly environment?: string | undefined;
  /** Where this API is reached from outside, for token URLs. Default: where the trigger's caller reached it. */
  readonly publicUrl?: string | undefined;
  /** The largest request body. Default LIMITS.requestBytes. */
  readonly requestBytesMax?: number | undefined;
}

export type ApiContext = Context<{ Bindings: WorkerDeps }>;

/** Sends a command to a run's object. The object's answer is the API's. */
export async function askObject(c: ApiContext, name: string, command: RunCommand): Promise<Response> {
  const { runDO } = c.env;
  const stub = runDO.get(runDO.idFromName(name));
  return stub.fetch(new Request("https://run.internal/", { method: "POST", body: JSON.stringify(command) }));
}

/** The largest request body that this deployment takes. */
export function bytesMax(c: ApiContext): number {
  return c.env.requestBytesMax ?? LIMITS.requestBytes;
}
