/** Options of exported functions are checked where they are given. */
import { expect, test } from "vitest";
import {
  createHttpDispatcher,
  createInlineDispatcher,
  createServiceBindingDispatcher,
  durableObjectIndex,
  cloudflareAccess,
  jwtAuth,
  logEvents,
  otlpExporter,
} from "../src/index.ts";

const SECRET = "hush-hush-hush-hush";
const namespace = { idFromName: (name: string) => name, get: () => ({ fetch: async () => new Response() }) };
const http = { url: "https://steps.example", signingKey: SECRET };
const binding = { fetch: async () => new Response() };
const jwt = { jwks: "https://id.example/keys", issuer: "https://id.example", audience: "holdfast" };
const otlp = { url: "https://collector.example" };

const VALID: [name: string, make: (options: never) => unknown, options: object][] = [
  ["createHttpDispatcher", createHttpDispatcher, { ...http, timeoutMs: 1_000 }],
  ["createInlineDispatcher", createInlineDispatcher, { workflows: [] }],
  ["createServiceBindingDispatcher", createServiceBindingDispatcher, { binding, pipe: "fetch" }],
  ["durableObjectIndex", durableObjectIndex, { binding: namespace, shardRowsMax: 10 }],
  ["jwtAuth", jwtAuth, { ...jwt, header: "X-Token" }],
  ["logEvents", logEvents, { all: true }],
  ["otlpExporter", otlpExporter, { ...otlp, headers: { Authorization: SECRET }, retryAfterMs: [] }],
];

test.each(VALID)(
  "RUN7 %s refuses what is no options object, and names unknown options and near ones",
  (name, make, options) => {
    expect(() => make(options as never)).not.toThrow();
    const [field = ""] = Object.keys(options);
    const misspelt = `${field.slice(0, -1)}x`;
    expect(() => make({ ...options, [misspelt]: SECRET } as never)).toThrow(
      `${name}.${misspelt}: unknown option. Did you mean ${field}?`,
    );
    expect(() => make({ ...options, somethingElse: 1 } as never)).toThrow("somethingElse: unknown option. Known are: ");
    for (const wrong of [null, 5, "x", [], Promise.resolve(options)])
      expect(() => make(wrong as never)).toThrow(`${name}: must be an object with `);
  },
);

const INVALID: [field: string, make: () => unknown][] = [
  ["createHttpDispatcher.url: must be an http", () => createHttpDispatcher({ ...http, url: "steps.example" })],
  ["createHttpDispatcher.url: is missing", () => createHttpDispatcher({ signingKey: SECRET } as never)],
  ["createHttpDispatcher.signingKey: must be", () => createHttpDispatcher({ ...http, signingKey: undefined as never })],
  ["A signing key must have at least 16", () => createHttpDispatcher({ ...http, signingKey: "short" })],
  ...[0, -1, 1.5, Number.NaN, Infinity, 2 ** 31, "30s"].map((timeoutMs): [string, () => unknown] => [
    "createHttpDispatcher.timeoutMs: must be a whole number",
    () => createHttpDispatcher({ ...http, timeoutMs: timeoutMs as number }),
  ]),
  ["createHttpDispatcher.fetch: must be a function", () => createHttpDispatcher({ ...http, fetch: binding as never })],
  ["pipe: must be", () => createServiceBindingDispatcher({ binding, pipe: "http" as never })],
  ["binding: must be a service binding", () => createServiceBindingDispatcher({ binding: "STEPS" as never })],
  ["binding: must be a service binding", () => createServiceBindingDispatcher({ binding: undefined as never })],
  ["durableObjectIndex.binding", () => durableObjectIndex({ binding: undefined as never })],
  ["durableObjectIndex.bucketMs", () => durableObjectIndex({ binding: namespace, bucketMs: 0 })],
  ["jwtAuth.issuer", () => jwtAuth({ ...jwt, issuer: undefined as never })],
  ["jwtAuth.audience", () => jwtAuth({ ...jwt, audience: "" })],
  ["jwtAuth.audience", () => jwtAuth({ ...jwt, audience: [undefined as never] })],
  ["jwtAuth.jwks", () => jwtAuth({ ...jwt, jwks: "keys" })],
  ["jwtAuth.jwks", () => jwtAuth({ ...jwt, jwks: new URL("ftp://id.example/keys") })],
  ["cloudflareAccess.team", () => cloudflareAccess(undefined as never, "aud")],
  ["cloudflareAccess.team", () => cloudflareAccess("id.example/#", "aud")],
  ["cloudflareAccess.scopes", () => cloudflareAccess("team", "aud", "read" as never)],
  ["cloudflareAccess.scopes", () => cloudflareAccess("team", "aud", ["reed" as never])],
  ["logEvents.all", () => logEvents({ all: "yes" as never })],
  ["otlpExporter.url", () => otlpExporter({ url: "collector:4318" })],
  ["otlpExporter.headers.Authorization", () => otlpExporter({ ...otlp, headers: { Authorization: 5 as never } })],
  ["otlpExporter.spansMax", () => otlpExporter({ ...otlp, spansMax: -1 })],
  ["otlpExporter.retryAfterMs.0", () => otlpExporter({ ...otlp, retryAfterMs: [-1] })],
  ["otlpExporter.retryAfterMs.0", () => otlpExporter({ ...otlp, retryAfterMs: [Infinity] })],
  ["workflows: must be a list of what workflow() returned", () => createInlineDispatcher({ workflows: {} as never })],
  ["workflows[0]: is not what workflow() returned", () => createInlineDispatcher({ workflows: [() => 1] as never })],
  ["createInlineDispatcher.workflows: is missing", () => createInlineDispatcher({} as never)],
];

test.each(INVALID)("RUN7 %s is refused where it is given, without its value", (field, make) => {
  expect(make).toThrow(field);
  expect(make).not.toThrow(SECRET);
});
