/**
 * Workflow code in any process that serves `createStepHandler` over HTTP, for example a Node process.
 *
 * Owns: the options of the HTTP dispatcher and their validation. `TurnExecution` exchanges the turns.
 */
import { HOST_LIMITS, type StepDispatcher } from "@holdfast/protocol";
import { audienceProblem, checkSigningKey } from "@holdfast/protocol/transport";
import * as v from "valibot";
import { FIELDS, checkOptions, count, countOrZero, delayMs, isFunction } from "../options.ts";
import { ConnectedTurns } from "./connected-turns.ts";
import { isolateConnections } from "./connections.ts";
import { openOver } from "./open-connection.ts";
import { inPages } from "./paged-execution.ts";
import { TurnExecution } from "./turn-execution.ts";
import type { TurnCarrier } from "./turn-carrier.ts";
import { type TurnPipe, listOver, postOver } from "./turn-transport.ts";

export interface HttpDispatcherOptions {
  /** The URL where the step handler is mounted, for example `https://steps.example.com/holdfast`. */
  readonly url: string;
  /** The secret that signs requests: one of the handler's `signingKeys`. */
  readonly signingKey: string;
  /**
   * For whom the requests are: the text that the handler's option `audience` must have. The signature covers it, so that
   * no other handler with this key accepts a recorded request. Default: `url`, as it is written.
   */
  readonly audience?: string | undefined;
  /** Time-out of one request, ms. It must be longer than the handler's `holdMs`. Default 30,000. */
  readonly timeoutMs?: number | undefined;
  /**
   * `false`: turns go as requests only. By default the object of a busy run opens a WebSocket to the step handler, which
   * carries the turns as frames, if the handler's host accepts it (PIPE1).
   */
  readonly connections?: boolean | undefined;
  /**
   * The turns that go as requests, each time a run becomes busy, before the WebSocket opens. Default 2: a run with one step,
   * or one that only continues to its next wait, needs no more than these.
   */
  readonly connectAfter?: number | undefined;
  /** Connections of one isolate to step handlers, default 500. Runs beyond get turns as requests. */
  readonly connectionsMax?: number | undefined;
  /** Replaces the global `fetch`, for tests or for a deployment that sends requests through a proxy. */
  readonly fetch?: ((request: Request) => Promise<Response>) | undefined;
}

const TIMEOUT_MS = 30_000;
const CONNECT_AFTER = 2;

const OPTIONS = v.strictObject({
  url: FIELDS.httpUrl,
  signingKey: v.string("must be the secret that signs requests, as text"),
  audience: v.optional(v.custom<string>((value) => audienceProblem(value) === undefined, audienceProblem(undefined))),
  timeoutMs: v.optional(delayMs),
  connections: v.optional(v.boolean("must be true or false")),
  connectAfter: v.optional(countOrZero),
  connectionsMax: v.optional(count),
  fetch: v.optional(isFunction),
} satisfies Record<keyof HttpDispatcherOptions, v.GenericSchema>);

/** @throws HoldfastError `INVALID_ARGUMENT` for invalid options (RUN7). */
export function createHttpDispatcher(options: HttpDispatcherOptions): StepDispatcher {
  checkOptions(OPTIONS, options, "createHttpDispatcher");
  const { url, signingKey, timeoutMs = TIMEOUT_MS, fetch: send = (request: Request) => fetch(request) } = options;
  const { connections = true, connectionsMax = HOST_LIMITS.connections, connectAfter: after = CONNECT_AFTER } = options;
  // A header cannot carry every URL as it is written.
  const { audience = audienceProblem(url) === undefined ? url : new URL(url).href } = options;
  checkSigningKey(signingKey);
  const pipe: TurnPipe & { readonly key: string } = {
    fetch: send,
    url,
    key: signingKey,
    audience,
    timeoutMs,
    name: `The step handler at ${new URL(url).host}`,
  };
  const post = postOver(pipe);
  const open = openOver(pipe);
  const carrier = (): TurnCarrier => {
    if (!connections) return { post };
    return new ConnectedTurns(post, {
      open,
      connections: isolateConnections,
      url,
      max: connectionsMax,
      after,
      name: pipe.name,
    });
  };
  return {
    ...inPages((start, port) => new TurnExecution(start, port, carrier())),
    workflows: async () => (await listOver(pipe)).workflows,
  };
}
