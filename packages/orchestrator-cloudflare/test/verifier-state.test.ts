/** Verifiers that a Worker makes for each request share their state, and refuse tokens of odd shapes. */
import { SIGNATURE_HEADER, signRequest } from "@holdfast/protocol/transport";
import { SignJWT, exportJWK, generateKeyPair } from "jose";
import { afterEach, expect, test, vi } from "vitest";
import {
  KEY_HEADER,
  type JwtAuthOptions,
  anyOf,
  bearerAuth,
  handleWorkerRequest,
  hmacAuth,
  jwtAuth,
} from "../src/index.ts";
import { FakeDeployment } from "./fake-platform.ts";

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

const { runDO } = new FakeDeployment([]);
const { publicKey, privateKey } = await generateKeyPair("ES256");
const KEYS = { keys: [{ ...(await exportJWK(publicKey)), kid: "k1", alg: "ES256" }] };

/** An issuer that counts the requests for its keys. */
function issuer(name: string): { options: JwtAuthOptions; loads: () => number } {
  const fetches = vi.fn(async () => Response.json(KEYS));
  vi.stubGlobal("fetch", fetches);
  const options = { jwks: `https://${name}.example/keys`, issuer: `https://${name}.example`, audience: "holdfast" };
  return { options, loads: () => fetches.mock.calls.length };
}

async function tokenOf({ issuer: iss }: JwtAuthOptions, claims: object = { sub: "ada" }, exp = 300): Promise<string> {
  const now = Math.floor(Date.now() / 1_000);
  const jwt = new SignJWT({ scope: "holdfast:read", iss, aud: "holdfast", exp: now + exp, ...claims });
  return jwt.setProtectedHeader({ alg: "ES256", kid: "k1" }).sign(privateKey);
}

async function statusOf(options: JwtAuthOptions, token: string): Promise<number> {
  const headers = { Authorization: `Bearer ${token}` };
  const request = new Request("https://flows.example/api/workflows", { headers });
  // The verifier is made for this request, as in a Worker written by hand.
  return (await handleWorkerRequest(request, () => ({ runDO, verifyRequest: jwtAuth(options) }))).status;
}

test("SEC1 the keys of an issuer are loaded once, though each request makes its verifier", async () => {
  const { options, loads } = issuer("once");
  for (let i = 0; i < 20; i++) expect(await statusOf({ ...options }, await tokenOf(options))).toBe(200);
  expect(loads()).toBe(1);
  const other = { ...options, issuer: "https://other.example" };
  expect(await statusOf(other, await tokenOf(other))).toBe(200);
  expect(loads()).toBe(2);
  // A token of one issuer does not pass as one of the other.
  expect(await statusOf(other, await tokenOf(options))).toBe(401);
});

test("SEC1 a signed request is accepted once, though each request makes its verifier", async () => {
  const key = { id: "made-for-each-request", secret: "a-secret-of-today-1" };
  const signed = { method: "GET", path: "/api/workflows", body: "" };
  const headers = {
    [KEY_HEADER]: key.id,
    [SIGNATURE_HEADER]: await signRequest(signed, key.secret, Date.now(), crypto.randomUUID()),
  };
  const lists = [[key], [{ ...key }], [{ ...key }, { id: key.id, secret: "a-secret-of-the-past" }]];
  const statuses: number[] = [];
  for (const keys of lists) {
    const request = new Request("https://flows.example/api/workflows", { headers });
    const verifyRequest = anyOf(hmacAuth(keys), bearerAuth(["one-token-of-a-caller"]));
    statuses.push((await handleWorkerRequest(request, { runDO, verifyRequest })).status);
  }
  expect(statuses).toEqual([200, 425, 425]);
});

const SUBJECTS = [
  undefined,
  "",
  null,
  7,
  true,
  {},
  [],
  ["ada"],
  "a\u0000b",
  ".",
  "..",
  "x".repeat(300),
  "é".repeat(200),
];

test.each(SUBJECTS)("LIM2 a token whose subject is %j is answered 401 or 403", async (sub) => {
  vi.spyOn(console, "error").mockImplementation(() => {});
  const { options } = issuer("subjects");
  expect([401, 403]).toContain(await statusOf(options, await tokenOf(options, { sub })));
});

const HEADERS = [
  "",
  null,
  7,
  [],
  { alg: 5 },
  { alg: "none" },
  { alg: "HS256", kid: "k1" },
  { alg: "RS256", kid: "k1" },
  { alg: "__proto__" },
  { alg: "ES256", kid: 7 },
  { alg: "ES256", kid: {} },
  { alg: "ES256", kid: "another" },
  { alg: "ES256", kid: "k1", crit: 5 },
  { alg: "ES256", kid: "k1", crit: ["b64"], b64: false },
];

test.each(HEADERS)("LIM2 SEC1 a token with the header %j is answered 401", async (header) => {
  const { options } = issuer("headers");
  const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  for (const claims of [null, 7, [], { sub: "ada", exp: 1e15 }])
    for (const signature of ["A", "AAAA", "A".repeat(86)])
      expect(await statusOf(options, `${encode(header)}.${encode(claims)}.${signature}`)).toBe(401);
});

test.each([undefined, null, 7, {}, ["holdfast:read"], "", "read", "holdfast:all", "HOLDFAST:READ"])(
  "LIM2 a token whose scope is %j gives no scope",
  async (scope) => {
    const { options } = issuer("scopes");
    expect([401, 403]).toContain(await statusOf(options, await tokenOf(options, { sub: "ada", scope })));
  },
);

test("LIM2 a function principal that throws or gives an odd value refuses the token", async () => {
  vi.spyOn(console, "error").mockImplementation(() => {});
  const { options } = issuer("mapping");
  const throws = (): never => {
    throw new TypeError("no tenant");
  };
  const odd = [throws, () => undefined, () => null, () => true, () => ({}), () => ({ subject: "a", scopes: "read" })];
  for (const principal of odd) {
    const given = { ...options, principal: principal as NonNullable<JwtAuthOptions["principal"]> };
    expect(await statusOf(given, await tokenOf(options))).toBe(401);
  }
});

test("SEC1 clocks may differ by clockTolerance, and no further", async () => {
  const { options } = issuer("clocks");
  const expired = await tokenOf(options, { sub: "ada" }, -20);
  expect(await statusOf(options, expired)).toBe(401);
  expect(await statusOf({ ...options, clockTolerance: "10s" }, expired)).toBe(401);
  for (const clockTolerance of ["30s", 30_000] as const)
    expect(await statusOf({ ...options, clockTolerance }, expired)).toBe(200);
  for (const clockTolerance of ["6m", -1, "1.5s", "soon", Number.NaN] as never[])
    expect(() => jwtAuth({ ...options, clockTolerance })).toThrow("jwtAuth.clockTolerance");
});
