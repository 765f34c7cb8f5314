/** What each answer of a deployment's verifier means. */
import { HoldfastError } from "@holdfast/protocol";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type VerifyRequest, anyOf, bearerAuth, closed, handleWorkerRequest } from "../src/index.ts";
import { SCOPES } from "../src/auth/principal.ts";
import { FakeDeployment, answerOf } from "./fake-platform.ts";

const SECRET = "hush-hush-hush-hush";
let log: ReturnType<typeof vi.spyOn>;
beforeEach(() => void (log = vi.spyOn(console, "error").mockImplementation(() => {})));
afterEach(() => vi.restoreAllMocks());

async function answerTo(verifyRequest: unknown): Promise<[status: number, error: unknown]> {
  // Not `fetch` of the fake: it checks answers with the OpenAPI document, which has no answers of a deployer's own.
  const deps = { runDO: new FakeDeployment([]).runDO, verifyRequest: verifyRequest as VerifyRequest };
  const { status, body } = await answerOf(
    await handleWorkerRequest(new Request("https://flows.example/api/workflows"), deps),
  );
  return [status, body["error"]];
}

const refusal = (status: number) => () => Response.json({ error: "own", message: "of the deployer" }, { status });
const FULL = { subject: "ada", scopes: ["read"] };

/** The answers, each made for one request, the status, the code, and the words of the log. */
const ANSWERS: [name: string, answer: () => unknown, status: number, error?: string, log?: string][] = [
  ["true", () => true, 200],
  ["a principal", () => FULL, 200],
  ["a principal without the scope", () => ({ ...FULL, scopes: [] }), 403, "forbidden"],
  ["false", () => false, 401, "unauthorized"],
  ["a Response of 400", refusal(400), 400, "own"],
  ["a Response of 503", refusal(503), 503, "own"],
  ["a Response of 200", refusal(200), 401, "unauthorized", "a Response with the status 200"],
  ["a redirect", () => Response.redirect("https://id.example"), 401, "unauthorized", "status 302"],
  ["a Response of 399", () => new Response(SECRET, { status: 399 }), 401, "unauthorized", "status 399"],
  ["Response.error()", () => Response.error(), 401, "unauthorized", "status 0"],
  ["undefined", () => undefined, 401, "unauthorized", "gave undefined"],
  ["null", () => null, 401, "unauthorized", "gave null"],
  ["a number", () => 1, 401, "unauthorized", "a number"],
  ["text", () => SECRET, 401, "unauthorized", "a string"],
  ["a function", () => () => true, 401, "unauthorized", "a function"],
  ["an array", () => [FULL], 401, "unauthorized", "an array"],
  ["an empty object", () => ({}), 401, "unauthorized", "principal.subject: is missing"],
  ["no scopes", () => ({ subject: SECRET }), 401, "unauthorized", "principal.scopes: is missing"],
  ["scopes as text", () => ({ ...FULL, scopes: "read" }), 401, "unauthorized", "principal.scopes: must be a list"],
  ["a Set", () => ({ ...FULL, scopes: new Set(["read"]) }), 401, "unauthorized", "principal.scopes"],
  ["an unknown scope", () => ({ ...FULL, scopes: ["read", SECRET] }), 401, "unauthorized", "principal.scopes.1"],
  ["scope", () => ({ ...FULL, scope: ["read"] }), 401, "unauthorized", "Did you mean scopes?"],
  ["tenant", () => ({ ...FULL, tenant: SECRET }), 401, "unauthorized", "Did you mean tenantId?"],
  ["tenantId null", () => ({ ...FULL, tenantId: null }), 401, "unauthorized", "principal.tenantId"],
  ["an empty tenantId", () => ({ ...FULL, tenantId: "" }), 401, "unauthorized", "principal.tenantId"],
  ["a tenantId of dots", () => ({ ...FULL, tenantId: ".." }), 401, "unauthorized", "principal.tenantId"],
  ["a numeric subject", () => ({ ...FULL, subject: 7 }), 401, "unauthorized", "principal.subject"],
  ["a control character", () => ({ ...FULL, subject: "a\u0001" }), 401, "unauthorized", "principal.subject"],
  ["tenantMeta as text", () => ({ ...FULL, tenantMeta: SECRET }), 401, "unauthorized", "principal.tenantMeta"],
  [
    "a getter that throws",
    () => ({
      ...FULL,
      get subject() {
        throw new Error(SECRET);
      },
    }),
    401,
    "unauthorized",
    "cannot be read",
  ],
  ["a proxy of a Response", () => new Proxy(refusal(403)(), {}), 401, "unauthorized", "cannot be read"],
  ["a proxy that throws", () => new Proxy({}, THROWING), 401, "unauthorized", "cannot be read"],
  ["a Response with a reader", () => withReader(refusal(403)()), 401, "unauthorized", "is used up"],
];

const fail = (): never => {
  throw new Error(SECRET);
};
/** It only lets `await` look for a method `then`. */
const THROWING = { get: (_target: object, key: string | symbol) => key !== "then" && fail(), getPrototypeOf: fail };

function withReader(response: Response): Response {
  response.body?.getReader();
  return response;
}

function isResponse(value: unknown): boolean {
  try {
    return value instanceof Response;
  } catch {
    return false;
  }
}

test.each(ANSWERS)("SEC1 a verifier that gives %s has one outcome", async (_name, answer, status, error, words) => {
  const ways = [
    () => answer(),
    async () => answer(),
    // oxlint-disable-next-line typescript/only-throw-error
    ...(isResponse(answer())
      ? [
          () => {
            throw answer();
          },
          () => Promise.reject(answer()),
        ]
      : []),
  ];
  for (const way of ways) {
    log.mockClear();
    expect(await answerTo(way)).toEqual([status, error]);
    expect(log.mock.calls).toEqual(words === undefined ? [] : [[expect.stringContaining(words)]]);
    expect(String(log.mock.calls)).not.toContain(SECRET);
  }
});

const THROWN: [name: string, thrown: unknown, words: string][] = [
  ["an error", new TypeError(`${SECRET} is not a token\n    at ${SECRET}`), "TypeError at "],
  ["an error with a secret name", Object.assign(new Error("x"), { name: SECRET }), "threw Error"],
  ["a HoldfastError", new HoldfastError("INVALID_ARGUMENT", SECRET), "HoldfastError at "],
  ["text", SECRET, "a value of the type string"],
  ["true", true, "a value of the type boolean"],
  ["a principal", FULL, "a value of the type object"],
  ["undefined", undefined, "a value of the type undefined"],
  ["a proxy of an error", new Proxy(new Error("x"), { get: fail }), "whose fields cannot be read"],
  ["a proxy that throws", new Proxy({}, THROWING), "whose fields cannot be read"],
  ["an error with an odd name", Object.assign(new Error("x"), { name: Symbol(SECRET) }), "whose fields cannot be read"],
];

test.each(THROWN)("SEC1 a verifier that throws %s answers 401 with a fixed text", async (_name, thrown, words) => {
  const throws = (): never => {
    throw thrown;
  };
  for (const verify of [
    throws,
    async () => throws(),
    anyOf(throws),
    anyOf(
      () => false,
      throws,
      () => true,
    ),
  ]) {
    log.mockClear();
    const api = new FakeDeployment([], { verifyRequest: verify });
    const { status, body } = await answerOf(await api.fetch("/api/workflows"));
    const docUrl = expect.stringMatching(/#unauthorized$/);
    expect([status, body]).toEqual([
      401,
      { error: "unauthorized", message: "The credentials could not be verified.", docUrl },
    ]);
    expect(log.mock.calls).toEqual([[expect.stringContaining(words)]]);
    expect(String(log.mock.calls)).not.toContain(SECRET);
  }
});

test("SEC1 a Response that a verifier gives twice is refused the second time, with 401", async () => {
  const once = refusal(403)();
  expect([await answerTo(() => once), await answerTo(() => once)]).toEqual([
    [403, "own"],
    [401, "unauthorized"],
  ]);
  expect(String(log.mock.calls)).toContain("used up");
});

test.each<[name: string, principal: () => object]>([
  [
    "a getter",
    () =>
      growing((scopes) => ({
        subject: "ada",
        get scopes() {
          return scopes();
        },
      })),
  ],
  [
    "a proxy",
    () =>
      growing(
        (scopes) =>
          new Proxy({ ...FULL }, { get: (target, key) => (key === "scopes" ? scopes() : target[key as "subject"]) }),
      ),
  ],
  ["a list with a method of its own", () => ({ ...FULL, scopes: Object.assign(["read"], { includes: () => true }) })],
  [
    "a proxy of a list",
    () => ({
      ...FULL,
      scopes: new Proxy(["read"], { get: (list, key) => (key === "includes" ? () => true : list[key as "length"]) }),
    }),
  ],
])("SEC1 a principal that changes after its check, by %s, gets what was checked", async (_name, principal) => {
  const api = new FakeDeployment([], { verifyRequest: () => principal() as { subject: string; scopes: [] } });
  expect((await api.fetch("/api/workflows")).status).toBe(200);
  expect((await api.fetch("/api/runs", { json: { workflowId: "w" } })).status).toBe(403);
});

/** Makes a principal whose scopes grow after they were read once. */
function growing(make: (scopes: () => string[]) => object): object {
  let reads = 0;
  return make(() => (reads++ === 0 ? ["read"] : [...SCOPES]));
}

test("SEC1 a verifier that reads the body of the request, and not of a clone, refuses it", async () => {
  const json = { workflowId: "w" };
  const send = (verifyRequest: VerifyRequest) => new FakeDeployment([], { verifyRequest }).fetch("/api/runs", { json });
  expect((await send(async (request) => (await request.clone().text()) !== "")).status).toBe(404);
  for (const read of [(request: Request) => request.text(), (request: Request) => request.body?.getReader().read()]) {
    log.mockClear();
    expect((await send(async (request) => (await read(request)) !== "")).status).toBe(401);
    expect(String(log.mock.calls)).toContain("request.clone()");
  }
});

test("SEC1 without a verifier the API is closed, and only the value open opens it", async () => {
  for (const nothing of [undefined, null, closed, bearerAuth(undefined), anyOf(), anyOf(undefined, null, closed)])
    expect(await answerTo(nothing)).toEqual([503, "auth_not_configured"]);
  expect(await answerTo("open")).toEqual([200, undefined]);
  expect(log.mock.calls).toEqual([]);
  for (const wrong of ["", "off", "OPEN", true, false, 1, {}, [closed]])
    expect(await answerTo(wrong)).toEqual([503, "misconfigured"]);
});

test("SEC1 a verifier that is not configured passes on to the next one", async () => {
  const tokens = bearerAuth(["a-token-of-a-caller"]);
  for (const verify of [anyOf(undefined, tokens), anyOf(null, tokens), anyOf(closed, tokens), anyOf(tokens, closed)]) {
    expect(await answerTo(verify)).toEqual([401, "unauthorized"]);
    const headers = { Authorization: "Bearer a-token-of-a-caller" };
    const api = new FakeDeployment([], { verifyRequest: verify });
    expect((await api.fetch("/api/workflows", { headers })).status).toBe(200);
  }
  for (const wrong of [true, "open", {}, Promise.resolve(false)])
    expect(() => anyOf(tokens, wrong as VerifyRequest)).toThrow("anyOf: argument 2 is no verifier");
});
