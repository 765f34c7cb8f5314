/**
 * The OpenAPI 3.1 document of the HTTP API.
 *
 * Owns: putting it together, from the schemas that check requests, the schemas of answers, and the status of each code.
 */
import { toJsonSchema } from "@valibot/to-json-schema";
import { ANSWERS, type JsonSchema } from "../../packages/orchestrator-cloudflare/src/api/answers/answers.ts";
import type { RouteDescription } from "../../packages/orchestrator-cloudflare/src/api/call/route.ts";
import { PARTS, SHOWN_FIELDS } from "../../packages/orchestrator-cloudflare/src/api/answers/shown-fields.ts";
import { ROUTES } from "../../packages/orchestrator-cloudflare/src/api/routes.ts";
import { type ApiErrorCode, STATUS_OF } from "../../packages/orchestrator-cloudflare/src/refusal.ts";
import { HOLDFAST_VERSION } from "@holdfast/protocol";

/** What parameters of queries mean, by name, or by operation and name. */
const MEANINGS: Readonly<Record<string, JsonSchema>> = {
  after: { default: 0 },
  createdAfter: { description: "Milliseconds since 1970; that time is included." },
  createdBefore: { description: "Milliseconds since 1970; that time is not included." },
  "readJournal before": { description: "With `order=desc`: the page starts before this entry." },
  "readSchedule before": { description: "A `nextBefore`: the page of ticks starts before this one." },
  "listApprovals before": { description: "Milliseconds since 1970: asks with a deadline before that time." },
};

const DESCRIPTIONS: Readonly<Record<string, string>> = {
  101: "The socket is open.",
  200: "As requested.",
  201: "It is durable.",
  202: "It is durable.",
  204: "Done.",
  503: "The deployment is misconfigured: its log names the field.",
};

export interface Document {
  readonly openapi: string;
  readonly info: Readonly<Record<string, unknown>>;
  readonly servers: readonly object[];
  readonly security: readonly object[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, DocumentedOperation>>>>;
  readonly components: {
    readonly securitySchemes: Readonly<Record<string, object>>;
    readonly headers: Readonly<Record<string, object>>;
    readonly schemas: Readonly<Record<string, JsonSchema>>;
  };
}

export interface DocumentedOperation {
  readonly operationId: string;
  readonly summary: string;
  readonly description?: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: RequestContent };
  readonly responses: Readonly<Record<string, DocumentedAnswer>>;
}

interface RequestContent {
  readonly "application/json": { readonly schema: JsonSchema };
  readonly "application/x-www-form-urlencoded"?: { readonly schema: JsonSchema };
}

interface DocumentedAnswer {
  readonly description: string;
  readonly headers?: Readonly<Record<string, { readonly $ref: string }>>;
  readonly content?: Content;
  readonly "x-views"?: Readonly<Record<string, JsonSchema>>;
}

interface Parameter {
  readonly name: string;
  readonly in: "path" | "query" | "header";
  readonly required: boolean;
  readonly description?: string;
  readonly schema: JsonSchema;
}

type Content = Readonly<Record<string, { readonly schema: JsonSchema }>>;

export function makeDocument(): Document {
  const paths: Record<string, Record<string, DocumentedOperation>> = {};
  for (const route of ROUTES) {
    const path = route.path.replaceAll(/:(\w+)/g, "{$1}");
    paths[path] = { ...paths[path], [route.verb.toLowerCase()]: describe(route) };
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Holdfast",
      version: HOLDFAST_VERSION,
      description: "Durable workflows: trigger runs, deliver to them, read, follow, list and operate them.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: "/" }],
    security: [{ bearer: [] }],
    paths,
    components: {
      securitySchemes: { bearer: { type: "http", scheme: "bearer" } },
      headers: Object.fromEntries(
        Object.entries(HEADERS).map(([name, description]) => [name, { description, schema: { type: "string" } }]),
      ),
      schemas: { ...ANSWERS, Refusal: refusal(Object.keys(STATUS_OF)) },
    },
  };
}

/** Codes by their statuses. */
function refusalsOf(route: RouteDescription): Map<number, ApiErrorCode[]> {
  const { scope, verb, path, indexed, query, body, answers, refusals = [] } = route;
  const codes = new Set<ApiErrorCode>(refusals);
  const add = (...more: readonly ApiErrorCode[]): void => more.forEach((code) => codes.add(code));
  if (answers[STATUS_OF.misconfigured] === undefined) add("misconfigured");
  if (scope !== undefined)
    add("unauthorized", "forbidden", "request_repeated", "auth_not_configured", "auth_unavailable", "internal_error");
  // Of a GET only with Upgrade.
  if (scope !== undefined) add("origin_not_allowed");
  if (/:(id|name|key|workflowId)\b/u.test(path) && verb !== "OPTIONS") add("invalid_id");
  if (path.includes("/runs/:id")) add("not_found", "not_started", "too_many_requests");
  if (path.includes("/runs/:id") && verb !== "GET") add("newer_format");
  if (indexed === true) add("index_not_configured");
  if (query !== undefined) add("invalid_query");
  if (body !== undefined)
    add(
      "invalid_json",
      "invalid_body",
      "invalid_id",
      "body_timeout",
      "body_too_large",
      "unsupported_media_type",
      "internal_error",
    );
  const byStatus = new Map<number, ApiErrorCode[]>();
  for (const code of [...codes].toSorted())
    byStatus.set(STATUS_OF[code], [...(byStatus.get(STATUS_OF[code]) ?? []), code]);
  return byStatus;
}

function describe(route: RouteDescription): DocumentedOperation {
  const { id, summary, scope, orScope, answers, views } = route;
  const responses: Record<string, DocumentedAnswer> = {};
  for (const [status, name] of Object.entries(answers)) {
    const described =
      status === "200" && views !== undefined ? inViews(answerOf(status, name), views) : answerOf(status, name);
    responses[status] = { ...described, headers: headersOf(route, Number(status)) };
  }
  const hasPages = Object.values(answers).includes("text/html");
  for (const [status, codes] of refusalsOf(route)) {
    responses[status] = {
      description: codes.map((code) => `\`${code}\``).join(", "),
      headers: headersOf(route, status, codes),
      content: {
        "application/json": {
          schema: { $ref: "#/components/schemas/Refusal", properties: { error: { enum: codes } } },
        },
        ...(hasPages ? { "text/html": { schema: { type: "string" } } } : {}),
      },
    };
  }
  const parameters = parametersOf(route);
  return {
    operationId: id,
    summary,
    ...(scope === undefined
      ? { security: [] }
      : {
          description: [
            `Needs the scope \`${scope}\`${orScope === undefined ? "" : ` or \`${orScope}\``}.`,
            ...partsOf(route),
          ].join(" "),
        }),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...bodyOf(route),
    responses,
  };
}

/** The headers of answers, described once. */
const HEADERS: Readonly<Record<string, string>> = {
  "Holdfast-Version": "The version of the deployment.",
  Location: "The path of the new run, or the path that the ticket opens.",
  "Preference-Applied": "The wait that was applied.",
  "Retry-After": "Seconds. Absent if repeating the request does not help.",
  "WWW-Authenticate": "The kind of credentials.",
};

function headersOf(
  { headers = {} }: RouteDescription,
  status: number,
  codes: readonly ApiErrorCode[] = [],
): NonNullable<DocumentedAnswer["headers"]> {
  const names = [
    "Holdfast-Version",
    ...(status === 201 ? ["Location"] : []),
    ...(status === 401 ? ["WWW-Authenticate"] : []),
    ...(status < 300 && "Prefer" in headers ? ["Preference-Applied"] : []),
    ...([429, 502, 503].includes(status) || codes.includes("not_started") ? ["Retry-After"] : []),
  ];
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
}

/** Describes what callers without the scope `read` see (SEC7). */
function partsOf({ id, scope }: RouteDescription): string[] {
  if (scope === PARTS.run) return [];
  const rule = SHOWN_FIELDS[id]?.find(([field, ...parts]) => field.endsWith("*") && parts.length > 0);
  if (rule === undefined) return [];
  const what = rule[0] === "*" ? "the answer" : `\`${rule[0].slice(0, -2)}\``;
  return [`Without the scope \`${PARTS.run}\`, ${what} has only \`id\` and \`status\`.`];
}

/** The fields of a form contain JSON. */
function bodyOf({ body, form, ownBody }: RouteDescription): Pick<DocumentedOperation, "requestBody"> {
  if (ownBody !== undefined)
    return { requestBody: { content: { "application/json": { schema: { description: ownBody } } } } };
  return body === undefined ? {} : { requestBody: { content: bodiesOf(body, form) } };
}

function bodiesOf(body: Parameters<typeof toJsonSchema>[0], form = false): RequestContent {
  const schema = schemaOf(body);
  const fields = Object.keys(schema.properties ?? {}).map((name) => [name, { type: "string", description: "JSON." }]);
  const inForm = { type: "object", properties: Object.fromEntries(fields), additionalProperties: false };
  return {
    "application/json": { schema },
    ...(form ? { "application/x-www-form-urlencoded": { schema: inForm } } : {}),
  };
}

function answerOf(status: string, name: string | null): { description: string; content?: Content } {
  const description = DESCRIPTIONS[status] ?? "";
  if (name === null) return { description };
  if (name.includes("/")) return { description, content: { [name]: { schema: { type: "string" } } } };
  return { description, content: { "application/json": { schema: { $ref: `#/components/schemas/${name}` } } } };
}

/** No schema can depend on a parameter: the extension `x-views` has those of other views, by the value of `view`. */
function inViews(answer: DocumentedAnswer, views: NonNullable<RouteDescription["views"]>): DocumentedAnswer {
  const named = Object.entries(views);
  const others = named.map(([view, name]) => `with \`view=${view}\` \`${name}\``).join(", ");
  return {
    ...answer,
    description: `As requested: ${others}, otherwise the record.`,
    "x-views": Object.fromEntries(named.map(([view, name]) => [view, { $ref: `#/components/schemas/${name}` }])),
  };
}

function refusal(codes: readonly string[]): JsonSchema {
  return {
    type: "object",
    properties: {
      error: { type: "string", enum: codes },
      message: { type: "string", minLength: 1 },
      docUrl: { type: "string", description: "The page about the code." },
      details: { description: "What exactly is wrong." },
    },
    required: ["error", "message"],
    additionalProperties: false,
  };
}

function parametersOf({ id, path, query, headers = {} }: RouteDescription): Parameter[] {
  const inPath = [...path.matchAll(/:(\w+)/g)].map(([, name = ""]): Parameter => ({
    name,
    in: "path",
    required: true,
    schema: { type: "string", minLength: 1 },
  }));
  const { properties = {}, required = [] } = query === undefined ? {} : schemaOf(query);
  const inQuery = Object.entries(properties).map(([name, schema]): Parameter => {
    const fields: Part["entries"] = Object(query).entries;
    const means = { ...schema, ...meantBy(fields?.[name]), ...(MEANINGS[`${id} ${name}`] ?? MEANINGS[name]) };
    return { name, in: "query", required: required.includes(name), schema: withNumber(means) };
  });
  const inHeader = Object.entries(headers).map(([name, description]): Parameter => ({
    name,
    in: "header",
    required: false,
    description,
    schema: { type: "string" },
  }));
  return [...inPath, ...inQuery, ...inHeader];
}

/** The default of a number in a query is text. */
function withNumber({ default: otherwise, ...schema }: JsonSchema & { readonly default?: unknown }): JsonSchema {
  if (otherwise === undefined) return schema;
  return { ...schema, default: "type" in schema && schema["type"] === "integer" ? Number(otherwise) : otherwise };
}

interface QuerySchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
}

/** A part of a Valibot schema. */
interface Part {
  readonly type: string;
  readonly entries?: Readonly<Record<string, Part>>;
  readonly wrapped?: Part;
  readonly pipe?: readonly (Part & { readonly requirement?: unknown })[];
}

/** No page is larger. A higher bound is none that a caller meets. */
const PAGE_MAX = 10_000;

/** Queries are text; the document gives the type that the text of a field stands for; `{}`: text. */
function meantBy(field: Part | undefined): JsonSchema {
  const { pipe = [] } = field?.wrapped ?? field ?? {};
  const bound = (type: string): unknown => pipe.find((one) => one.type === type)?.requirement;
  const [minimum, maximum] = [bound("min_value"), bound("max_value")];
  if (minimum === undefined) return {};
  return { type: "integer", pattern: undefined, minimum, ...(Number(maximum) > PAGE_MAX ? {} : { maximum }) };
}

/** What a caller may send. What JSON Schema cannot say is said in words, or by the refusal. */
function schemaOf(schema: Parameters<typeof toJsonSchema>[0]): JsonSchema & QuerySchema {
  const { $schema: _dialect, ...json } = toJsonSchema(schema, {
    target: "draft-2020-12",
    typeMode: "input",
    errorMode: "ignore",
    overrideSchema: ({ valibotSchema }) =>
      valibotSchema.type === "custom" ? { type: "object", additionalProperties: true } : undefined,
  });
  return json as unknown as JsonSchema & QuerySchema;
}
