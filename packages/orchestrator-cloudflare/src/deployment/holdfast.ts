/**
 * Holdfast as a Worker: what a deployer exports, made from a few options, bindings and variables.
 *
 * Owns: the one import of `cloudflare:workers`. The classes extend the platform's `DurableObject`.
 */
import { DurableObject } from "cloudflare:workers";
import { type HoldfastApp, createApp } from "./app.ts";
import type { HoldfastOptions } from "./deployment.ts";

export type { HoldfastApp, IndexDurableObject, RunDurableObject } from "./app.ts";
export type { HoldfastDeps, HoldfastOptions, ObjectContextLike } from "./deployment.ts";

/**
 * The Worker and its Durable Object classes.
 *
 * ```ts
 * const app = holdfast({ workflows: [order] });
 * export default app.worker;
 * export const { WorkflowRunDO, RunIndexDO } = app;
 * ```
 *
 * Bindings and variables are in docs/operations.md. A missing binding, or a variable that holds what it may not, is
 * answered with `503 misconfigured` on every route.
 * @throws HoldfastError `INVALID_ARGUMENT` for unknown options (RUN7).
 */
export function holdfast<Env extends object = object>(options: HoldfastOptions<Env>): HoldfastApp<Env> {
  return createApp(DurableObject, options);
}
