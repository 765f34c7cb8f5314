/**
 * A route as data: the router, the OpenAPI document and its reference page read the same table.
 *
 * Owns: the shape of a route and of the call that its handler gets. The query, the ids in the path and the body are
 * checked here, in this order; a handler sees checked values only (LIM2).
 */
import type { GenericSchema, InferOutput } from "valibot";
import type { Principal, Scope } from "../auth/principal.ts";
import type { ApiErrorCode } from "../refusal.ts";
import { readBody } from "../request-body.ts";
import type { AnswerName } from "./answers.ts";
import { type IdsOf, type QueryValues, readIds, readQuery } from "./url-parts.ts";
import { type WorkerDeps, requestBytesMax } from "./worker-deps.ts";

/** A request that may use its route. */
export interface Call {
  readonly request: Request;
  readonly queries: QueryValues;
  readonly deps: WorkerDeps;
  /** Without rights on a route that has no scope. */
  readonly principal: Principal;
}

/** A request whose parts were checked. A part that the route does not describe is `unknown`. */
export interface CheckedCall<Path extends string, Query, Body> extends Call {
  readonly ids: IdsOf<Path>;
  readonly query: Query;
  readonly body: Body;
}

export interface RouteDescription {
  /** `operationId` in the OpenAPI document. */
  readonly id: string;
  readonly verb: "GET" | "POST" | "DELETE" | "OPTIONS";
  /** Ids are `:id`, `:tokenId` and `:tenant`. */
  readonly path: string;
  readonly summary: string;
  /** What the credentials must allow; without it no credentials are needed. */
  readonly scope?: Scope;
  /** The route reads the index of runs: a deployment without one refuses it. */
  readonly indexed?: true;
  readonly query?: GenericSchema;
  /** Parameters of the query that may be repeated. */
  readonly repeatable?: readonly string[];
  /** Headers that mean something here, each with what it means. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: GenericSchema;
  /** By status: the answer's schema, a media type, or `null` for an answer without a body. */
  readonly answers: Readonly<Record<number, AnswerName | "text/event-stream" | null>>;
  /** Codes that are not implied by the other fields. */
  readonly refusals?: readonly ApiErrorCode[];
}

export interface Route extends RouteDescription {
  /** @throws ApiRefusal for a request whose parts are not as described, and what the route itself refuses. */
  readonly handle: (call: Call) => Promise<Response>;
}

interface RouteDefinition<
  Path extends string,
  Query extends GenericSchema,
  Body extends GenericSchema,
> extends RouteDescription {
  readonly path: Path;
  readonly query?: Query;
  readonly body?: Body;
  readonly handle: (call: CheckedCall<Path, InferOutput<Query>, InferOutput<Body>>) => Response | Promise<Response>;
}

/** Joins a description with its handler, which gets the types of what is described. */
export function route<
  const Path extends string,
  Query extends GenericSchema = GenericSchema,
  Body extends GenericSchema = GenericSchema,
>(definition: RouteDefinition<Path, Query, Body>): Route {
  const { path, query, repeatable = [], body, handle } = definition;
  return {
    ...definition,
    handle: async (call) => {
      const { request, queries, deps } = call;
      const checkedQuery = query && readQuery(queries, query, repeatable);
      const ids = readIds(request.url, path);
      const checkedBody = body && (await readBody(request, body, requestBytesMax(deps)));
      return handle({
        ...call,
        ids,
        query: checkedQuery,
        body: checkedBody,
      });
    },
  };
}
