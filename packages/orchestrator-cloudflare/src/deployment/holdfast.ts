/**
 * Holdfast as a Worker: the exports of a deployer's Worker from options, bindings and variables.
 *
 * Owns: the only import of `cloudflare:workers`. The classes extend the platform's `DurableObject`.
 */
import { DurableObject } from "cloudflare:workers";
import { type HoldfastApp, createApp } from "./app.ts";
import type { HoldfastOptions } from "./deployment.ts";

export type { CoordinatorDurableObject, HoldfastApp, IndexDurableObject, RunDurableObject } from "./app.ts";
export type { HoldfastDeps, HoldfastOptions, ObjectContextLike } from "./deployment.ts";

/**
 * Creates the Worker and its Durable Object classes.
 *
 * ```ts
 * const app = holdfast({ workflows: [order] });
 * export default app.worker;
 * export const { WorkflowRunDO, RunIndexDO, CoordinatorDO } = app;
 * ```
 *
 * docs/reference/configuration.md lists the bindings and variables. If a required binding is missing, or a binding or
 * variable is invalid, every route answers `503 misconfigured`.
 * @throws HoldfastError `INVALID_ARGUMENT` for unknown options (RUN7).
 */
export function holdfast<Env extends object = object>(options: HoldfastOptions<Env>): HoldfastApp<Env> {
  return createApp(DurableObject, options);
}
