/**
 * A route as data: the router, the OpenAPI document and the reference page use the same table.
 *
 * Owns: the types of a route and of a handler's call, and the checks of the query, the path's ids and the body, in this
 * order. A handler gets only checked values (LIM2).
 */
import type { RunView } from "@holdfast/protocol";
import { type GenericSchema, type InferOutput, strictObject } from "valibot";
import type { Principal, Scope } from "../../auth/principal.ts";
import type { TicketUse } from "../../auth/tickets.ts";
import type { ApiErrorCode } from "../../refusal.ts";
import { type BodyBounds, isForm, readBody, readForm } from "../../request-body.ts";
import type { AnswerName } from "../answers/answers.ts";
import type { QueryValues } from "./match.ts";
import { type IdsOf, readIds, readQuery } from "./url-parts.ts";
import { type WorkerDeps, limitsOf, requestBytesMax } from "./worker-deps.ts";

/** An authorized request. */
export interface Call {
  readonly request: Request;
  readonly queries: QueryValues;
  readonly deps: WorkerDeps;
  /** On a route without a scope: a principal without scopes. */
  readonly principal: Principal;
  /** The ticket that the request has in place of credentials. */
  readonly ticket?: TicketUse | undefined;
}

/** A request with checked parts. A part that the route does not describe is `unknown`. */
export interface CheckedCall<Path extends string, Query, Body> extends Call {
  readonly ids: IdsOf<Path>;
  readonly query: Query;
  readonly body: Body;
  /** The fields of a form of a web page, which has no body of the schema. */
  readonly form?: ReadonlyMap<string, string> | undefined;
}

export interface RouteDescription {
  /** The `operationId` in the OpenAPI document. */
  readonly id: string;
  readonly verb: "GET" | "POST" | "PATCH" | "DELETE" | "OPTIONS";
  /** Each segment that starts with a colon is an id, such as `:id` and `:tokenId`. */
  readonly path: string;
  readonly summary: string;
  /** The required scope. `undefined`: the route needs no credentials. */
  readonly scope?: Scope;
  /** Another scope that suffices. */
  readonly orScope?: Scope;
  /** The route needs the index of runs. A deployment without an index answers `index_not_configured`. */
  readonly indexed?: true;
  readonly query?: GenericSchema;
  /** Parameters of the query that may be repeated. */
  readonly repeatable?: readonly string[];
  /** The request headers that the route uses, each with a description. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: GenericSchema;
  /** By status: the answer's schema, a media type, or `null` for an answer without a body. */
  readonly answers: Readonly<Record<number, AnswerName | "text/event-stream" | "text/html" | "text/plain" | null>>;
  /** The schemas of the answer with 200 in other views of a run than the record (API7). */
  readonly views?: Readonly<Record<Exclude<RunView, "record">, AnswerName>>;
  /** What the body is that the route itself reads, as it arrived. */
  readonly ownBody?: string;
  /** The body may also be a form of a web page. */
  readonly form?: true;
  /** The largest body. Default: that of every request. */
  readonly bodyLimit?: "publicTokenBytes";
  /** Refusal codes that the other fields do not imply. */
  readonly refusals?: readonly ApiErrorCode[];
}

export interface Route extends RouteDescription {
  /** @throws ApiRefusal for a request whose parts do not match the description, or with a code of the route. */
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
  /** Rejects a request before its body is read. */
  readonly admit?: (call: CheckedCall<Path, InferOutput<Query>, undefined>) => Promise<void>;
  readonly handle: (call: CheckedCall<Path, InferOutput<Query>, InferOutput<Body>>) => Response | Promise<Response>;
}

function bodyBounds(deps: WorkerDeps, limit: RouteDescription["bodyLimit"]): BodyBounds {
  const limits = limitsOf(deps);
  const bytesMax = requestBytesMax(deps);
  return { bytesMax: limit === undefined ? bytesMax : Math.min(bytesMax, limits[limit]), ms: limits.bodyMs };
}

/** An unknown parameter is refused. Not on routes without credentials: others add parameters to the URLs of those. */
const NO_QUERY = strictObject({});

/** Combines a description with its handler. The handler's types are those of the described parts. */
export function route<
  const Path extends string,
  Query extends GenericSchema = GenericSchema,
  Body extends GenericSchema = GenericSchema,
>(definition: RouteDefinition<Path, Query, Body>): Route {
  const { path, scope, repeatable = [], body, form, bodyLimit, admit, handle } = definition;
  const query = definition.query ?? (scope === undefined ? undefined : NO_QUERY);
  return {
    ...definition,
    ...(query === undefined ? {} : { query }),
    handle: async (call) => {
      const { request, queries, deps } = call;
      const checkedQuery = query && readQuery(queries, query, repeatable);
      const ids = readIds(request.url, path);
      await admit?.({ ...call, ids, query: checkedQuery, body: undefined });
      const bounds = bodyBounds(deps, bodyLimit);
      const sent = form === true && isForm(request) ? await readForm(request, bounds) : undefined;
      const checkedBody = body && sent === undefined ? await readBody(request, body, bounds) : undefined;
      return handle({
        ...call,
        ids,
        query: checkedQuery,
        body: checkedBody,
        form: sent,
      });
    },
  };
}
