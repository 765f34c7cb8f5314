/**
 * Generators of hostile requests, for the property tests and for `pnpm fuzz` against the real Worker.
 *
 * Owns: the shape of the requests. Most are valid requests with one or two invalid parts, because these reach more code
 * than random text does.
 */
import * as fc from "fast-check";
import { hostileTokenUrl } from "./hostile-urls.ts";

export interface HostileRequest {
  readonly method: string;
  /** Path and query, as in the request line. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array | undefined;
}

const VERBS = ["GET", "POST", "DELETE", "PUT", "PATCH", "HEAD", "OPTIONS", "PROPFIND"] as const;

/** Generates ids of existing runs, and text of every kind. */
function idOf(known: readonly string[]): fc.Arbitrary<string> {
  const strange = fc.oneof(
    fc.string({ unit: "binary", maxLength: 20 }),
    fc.string({ unit: "grapheme", maxLength: 20 }),
    fc.constantFrom(
      "",
      ".",
      "..",
      "%",
      "%2",
      "%zz",
      "%00",
      "%c3%28",
      "a%2Fb",
      "bulk",
      "\u202e",
      "x".repeat(257),
      "__proto__",
      "%01t%01r",
    ),
  );
  return fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...known) },
    { weight: 2, arbitrary: strange.map(encode) },
    { weight: 1, arbitrary: fc.constantFrom("%", "%2", "%zz", "%c3%28", "%01t%01r") },
  );
}

function encode(text: string): string {
  try {
    return encodeURIComponent(text);
  } catch {
    // A lone surrogate has no encoding.
    return "%ED%A0%80";
  }
}

/** What follows the id of a run. */
const IN_RUN = fc.constantFrom(
  "",
  "/journal",
  "/audit",
  "/stream",
  "/resume",
  "/events",
  "/signals",
  "/tokens/t",
  "/cancel",
  "/terminate",
  "/pause",
  "/unpause",
  "/retry",
  "/nothing",
  "/",
);

function pathOf(known: readonly string[], urls: readonly string[]): fc.Arbitrary<string> {
  const id = idOf(known);
  return fc.oneof(
    { weight: 8, arbitrary: fc.tuple(id, IN_RUN).map(([run, rest]) => `/api/runs/${run}${rest}`) },
    {
      weight: 3,
      arbitrary: fc.constantFrom(
        "/api/runs",
        "/api/runs/bulk",
        "/api/index/rebuild",
        "/api/workflows",
        "/api/tickets",
        "/healthz",
        "/openapi.json",
      ),
    },
    {
      weight: 1,
      arbitrary: fc.array(id, { minLength: 3, maxLength: 6 }).map((ids) => `/public/tokens/${ids.join("/")}`),
    },
    ...(urls.length === 0 ? [] : [{ weight: 3, arbitrary: hostileTokenUrl(urls) }]),
    { weight: 1, arbitrary: fc.string({ unit: "binary-ascii", maxLength: 40 }).map((text) => `/${encode(text)}`) },
  );
}

const queryOf = fc.oneof(
  { weight: 4, arbitrary: fc.constant("") },
  {
    weight: 3,
    arbitrary: fc
      .array(
        fc.tuple(
          fc.constantFrom(
            "limit",
            "after",
            "cursor",
            "status",
            "tag",
            "order",
            "createdAfter",
            "createdBefore",
            "workflowId",
            "parentRunId",
            "from",
            "lastEventId",
            "ticket",
            "why",
            "x",
          ),
          fc.oneof(
            fc.constantFrom(
              "1",
              "0",
              "-1",
              "1e9",
              "999999999999999999999",
              "completed",
              "desc",
              "now",
              "deep",
              "",
              "NaN",
              "1.AAAA",
              "1~2.3.4.5",
              `1${"~9.9.9.9".repeat(2_000)}`,
              "e30.00000000000000000000000000000000",
            ),
            fc.string({ maxLength: 12 }),
          ),
        ),
        { maxLength: 4 },
      )
      .map((pairs) => `?${pairs.map(([name, value]) => `${name}=${encode(value)}`).join("&")}`),
  },
);

/** A value of any kind, including values that JSON readers often handle incorrectly. */
const anything = fc.oneof(
  fc.jsonValue({ maxDepth: 4 }),
  fc.constantFrom(null, 0, -0, 1e308, -1, 2 ** 53, "", "x".repeat(300), [], {}, [[]], true),
  fc.constantFrom("1 minute", "P1D", "-1s", "99999999999d", "10ms", "__proto__", "constructor", "\u0000", "\ud800"),
);

/** Generates a field that is valid in most cases. */
const mostly = (right: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 8, arbitrary: right }, { weight: 1, arbitrary: anything });

const text = fc.string({ minLength: 1, maxLength: 8 });
const all = { requiredKeys: [] };
const streamPath = fc.constantFrom(
  "/api/runs/r1/stream",
  "/api/runs/r1/stream?from=now",
  "/api/runs/r1?why=deep",
  "/api/runs/%72/stream",
  "/api/runs/x/stream",
  "/api/runs/%2F/stream",
  "/api/runs/%zz/stream",
  "/api/runs/x",
  "/api/runs",
);
const bodyForPath: readonly (readonly [RegExp, fc.Arbitrary<unknown>])[] = [
  [
    /^\/api\/runs$/,
    fc.record(
      {
        workflowId: mostly(fc.constant("order")),
        runId: mostly(text),
        input: anything,
        tags: mostly(fc.array(text, { maxLength: 3 })),
        delay: mostly(fc.constant("1h")),
        timeout: mostly(fc.constant("1d")),
        idempotencyKey: mostly(text),
        tenantMeta: mostly(fc.constant({ plan: "gold" })),
        environment: mostly(text),
        workflowVersion: anything,
      },
      { requiredKeys: ["workflowId"] },
    ),
  ],
  [
    /signals$/,
    fc.record(
      { name: mostly(fc.constantFrom("approval", "x")), payload: anything, deliveryId: mostly(text) },
      { requiredKeys: ["name"] },
    ),
  ],
  [
    /events$/,
    fc.record(
      { eventType: mostly(fc.constant("paid")), payload: anything, deliveryId: mostly(text) },
      { requiredKeys: ["eventType"] },
    ),
  ],
  [
    /resume$/,
    fc.record(
      {
        resumeFromStep: mostly(
          fc.constantFrom("reserve", "charge", { name: "charge", occurrence: 0 }, { name: "reserve", occurrence: 1 }),
        ),
        seedResults: anything,
        input: anything,
        runId: mostly(text),
        workflowId: mostly(fc.constant("order")),
        triggeredByUserId: mostly(fc.oneof(text, fc.constantFrom("engine", "Public  Token", "holdfast:x"))),
        idempotencyKey: mostly(text),
        tags: mostly(fc.array(text, { maxLength: 3 })),
      },
      all,
    ),
  ],
  [/cancel$/, fc.record({ reason: mostly(text) }, all)],
  [/terminate$/, fc.record({ reason: mostly(text) }, all)],
  [/tickets$/, fc.record({ path: mostly(streamPath) }, all)],
  [
    /bulk$/,
    fc.record(
      {
        action: mostly(fc.constantFrom("cancel", "retry")),
        ids: mostly(fc.array(text, { minLength: 1, maxLength: 2 })),
        filter: anything,
        cursor: anything,
      },
      { requiredKeys: ["action"] },
    ),
  ],
  [
    /rebuild$/,
    fc.record(
      { runIds: mostly(fc.array(text, { maxLength: 2 })), objectIds: mostly(fc.constant(["0".repeat(64)])) },
      all,
    ),
  ],
  [/tokens/, fc.record({ payload: anything }, all)],
  [/pause$|retry$/, fc.constant({})],
];

const nonsense: fc.Arbitrary<HostileRequest["body"]> = fc.oneof(
  fc.constant(undefined),
  anything.map((value) => JSON.stringify(value)),
  fc.string({ maxLength: 60 }),
  fc.uint8Array({ maxLength: 40 }),
  fc.constantFrom(
    '{"workflowId":"order","workflowId":"none"}',
    `${"[".repeat(2_000)}${"]".repeat(2_000)}`,
    `{"name":"x","payload":${"[".repeat(3_000)}${"]".repeat(3_000)}}`,
    '{"__proto__":{"workflowId":"order"}}',
    '{"name":"x","payload":{"__proto__":1,"constructor":{"prototype":1}}}',
    '{"name":"x","payload":1e999}',
    "\ufeff{}",
    "{} {}",
    "null",
    "nul",
  ),
);

function bodyFor(path: string): fc.Arbitrary<HostileRequest["body"]> {
  const [, fits = anything] = bodyForPath.find(([pattern]) => pattern.test(path)) ?? [];
  return fc.oneof(
    { weight: 6, arbitrary: fits.map((value) => JSON.stringify(value)) },
    { weight: 1, arbitrary: nonsense },
  );
}

const ORIGINS = [
  "https://evil.example",
  "null",
  "",
  "https://flows.example.evil.example",
  "https://flows.example@evil.example",
  "http://flows.example",
  "https://FLOWS.example",
  "https://flows.example, https://evil.example",
] as const;

const headersOf = fc
  .record(
    {
      "Content-Type": fc.oneof(
        { weight: 8, arbitrary: fc.constant("application/json") },
        {
          weight: 1,
          arbitrary: fc.constantFrom(
            "text/plain",
            "application/x-www-form-urlencoded",
            "multipart/form-data",
            "application/json; charset=latin1",
            "application/ld+json",
            ";",
          ),
        },
      ),
      "Idempotency-Key": fc.constantFrom("k1", "k2", " ", "x".repeat(300), "ü"),
      Prefer: fc.constantFrom(
        "wait=0",
        "wait=-1",
        "respond-async, wait=0",
        "wait=0.5",
        'WAIT="0"',
        "wait = 0;x",
        'x="a, wait=60"',
        '"',
      ),
      traceparent: fc.constantFrom("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "nonsense", "ff--"),
      "Last-Event-ID": fc.constantFrom("1", "0~0.1.0.0", "9999999999~1.2.3.4", "x", `1${"~0.1.0.0".repeat(2_000)}`),
      Upgrade: fc.constantFrom("websocket", "WebSocket", "h2c"),
      Authorization: fc.constantFrom("Bearer x", "Basic x", "Bearer"),
      Accept: fc.constantFrom("text/html", "application/json", "*/*", "text/event-stream"),
      "X-Forwarded-Host": fc.constantFrom("evil.example", "flows.example:1", "a, b"),
      "X-Forwarded-Proto": fc.constantFrom("http", "javascript"),
      Forwarded: fc.constantFrom("host=evil.example;proto=https"),
      "X-HTTP-Method-Override": fc.constantFrom("DELETE", "POST"),
      "CF-Connecting-IP": fc.constantFrom("10.0.0.1", "x".repeat(300)),
      Cookie: fc.constantFrom("session=1"),
    },
    { requiredKeys: ["Content-Type"] },
  )
  .chain((headers) =>
    // The Origin of another site is rejected before the rest is read, so it is rare.
    fc
      .oneof({ weight: 19, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: fc.constantFrom(...ORIGINS) })
      .map((origin): Record<string, string> => {
        return { ...headers, ...(origin === null ? {} : { Origin: origin }) };
      }),
  );

/** Generates the verb of a path's route in most cases. */
function verbFor(path: string): fc.Arbitrary<string> {
  const posts = /(resume|events|signals|tokens\/.*|cancel|terminate|pause|retry|bulk|rebuild|tickets)$/.test(path);
  const fits = posts
    ? fc.constant("POST")
    : path === "/api/runs"
      ? fc.constantFrom("GET", "POST", "POST")
      : fc.oneof({ weight: 30, arbitrary: fc.constant("GET") }, { weight: 1, arbitrary: fc.constant("DELETE") });
  return fc.oneof({ weight: 9, arbitrary: fits }, { weight: 1, arbitrary: fc.constantFrom(...VERBS) });
}

/** `known`: ids of runs. `urls`: paths of public tokens. */
export function hostileRequest(known: readonly string[], urls: readonly string[] = []): fc.Arbitrary<HostileRequest> {
  const place = pathOf(known, urls).chain((path) => fc.tuple(verbFor(path), fc.constant(path), bodyFor(path)));
  return fc.tuple(place, queryOf, headersOf).map(([[verb, path, body], query, headers]) => {
    const empty = verb === "GET" || verb === "HEAD" || body === undefined;
    const { "Content-Type": type = "", ...others } = headers;
    return {
      method: verb,
      path: path + query,
      headers: empty ? others : { ...others, "Content-Type": type },
      body: empty ? undefined : body,
    };
  });
}
