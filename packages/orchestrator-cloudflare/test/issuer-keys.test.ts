/** tests: issuers of tokens that publish broken keys, equal names or none, fail for a time, or rotate (SEC1) */
import { type JWK, SignJWT, exportJWK, generateKeyPair } from "jose";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { jwtAuth } from "../src/index.ts";

type Pair = Awaited<ReturnType<typeof generateKeyPair>>;

const newPair = (): Promise<Pair> => generateKeyPair("ES256", { extractable: true });
const [first, second, strange] = await Promise.all([newPair(), newPair(), newPair()] as const);
const BROKEN = { kty: "EC", crv: "P-256", x: "AAAA", y: "AAAA", alg: "ES256" };

/** What the issuer answers: a set of keys, or a failure. */
let answer: () => Response | Promise<Response>;
let log: string[] = [];
let issuers = 0;
const fetches = vi.fn(() => Promise.resolve().then(() => answer()));

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"] });
  vi.stubGlobal("fetch", fetches.mockClear());
  log = [];
  vi.spyOn(console, "error").mockImplementation((text: string) => void log.push(text));
});

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

const publish = (...keys: unknown[]): void => {
  answer = () => Response.json({ keys });
};
const publicKey = async ({ publicKey: key }: Pair, more: JWK = {}): Promise<JWK> => ({
  ...(await exportJWK(key)),
  ...more,
});

/** A verifier of an issuer that no other test knows. Returns what a token of this key gets. */
function newVerifier(): (pair: Pair, kid?: string, claims?: object) => Promise<string> {
  issuers += 1;
  const issuer = `https://issuer-${issuers}.example`;
  const verify = jwtAuth({ jwks: `${issuer}/keys`, issuer, audience: "holdfast" });
  return async ({ privateKey }, kid, claims = {}) => {
    const exp = Math.floor(Date.now() / 1_000) + 86_400;
    const jwt = new SignJWT({ iss: issuer, aud: "holdfast", sub: "ada", exp, ...claims });
    const token = await jwt.setProtectedHeader({ alg: "ES256", ...(kid !== undefined && { kid }) }).sign(privateKey);
    const given = await verify(new Request("https://x.example", { headers: { Authorization: `Bearer ${token}` } }));
    return given instanceof Response ? `${given.status} ${await given.text()}` : "accepted";
  };
}

const later = (ms: number): unknown => vi.setSystemTime(Date.now() + ms);

test.each<[name: string, broken: unknown]>([
  ["no object", null],
  ["a list", []],
  ["text", "key"],
  ["a point that is not on the curve", BROKEN],
])("SEC1 a published key that is %s does not affect the tokens of the other keys", async (_name, broken) => {
  publish(broken, await publicKey(first, { kid: "a" }));
  const ask = newVerifier();
  expect(await ask(first, "a")).toBe("accepted");
});

test("SEC1 tokens that name a broken key are 401, and the log has one line for them", async () => {
  publish({ ...BROKEN, kid: "bad" }, await publicKey(first, { kid: "a" }));
  const ask = newVerifier();
  for (let i = 0; i < 5; i++) expect(await ask(strange, "bad")).toMatch(/^401 .*the key of its issuer cannot be used/);
  expect(log).toEqual([expect.stringContaining("cannot be used")]);
  expect(await ask(first, "a")).toBe("accepted");
});

test.each([undefined, "same"])("SEC1 the signature decides between keys with one name (%s)", async (kid) => {
  const name = kid === undefined ? {} : { kid };
  publish({ ...BROKEN, ...name }, await publicKey(first, name), await publicKey(second, name));
  const ask = newVerifier();
  for (const pair of [first, second]) expect(await ask(pair, kid)).toBe("accepted");
  expect(await ask(strange, kid)).toMatch(/^401 .*SIGNATURE_VERIFICATION_FAILED/);
  expect(await ask(second, kid, { nbf: Math.floor(Date.now() / 1_000) + 360 })).toMatch(/^401 .*\(nbf\)/);
});

const FAILURES: [name: string, fails: () => Response | Promise<Response>][] = [
  ["answers 500", () => new Response("", { status: 500 })],
  ["redirects", () => new Response(null, { status: 302, headers: { Location: "/login" } })],
  ["answers a page", () => new Response("<html>")],
  ["answers null", () => Response.json(null)],
  ["answers no list", () => Response.json({ keys: "none" })],
  ["does not answer in time", () => Promise.reject(new DOMException("The time is over", "TimeoutError"))],
];

test.each(FAILURES)("SEC1 while an issuer %s, its last keys serve for an hour", async (_name, fails) => {
  publish(await publicKey(first, { kid: "a" }));
  const ask = newVerifier();
  expect(await ask(first, "a")).toBe("accepted");
  answer = fails;
  for (let minutes = 11; minutes < 60; minutes += 11) {
    later(11 * 60_000);
    for (let i = 0; i < 3; i++) expect(await ask(first, "a")).toBe("accepted");
  }
  later(30 * 60_000);
  expect(await ask(first, "a")).toMatch(/^503 .*auth_unavailable/);
  publish(await publicKey(second, { kid: "b" }));
  later(5_000);
  expect([await ask(second, "b"), (await ask(first, "a")).slice(0, 3)]).toEqual(["accepted", "401"]);
});

test.each(FAILURES)("SEC1 LIM1 an issuer that %s is asked and logged once in five seconds", async (_name, fails) => {
  answer = fails;
  const ask = newVerifier();
  for (let i = 0; i < 20; i++) expect(await ask(first, `kid-${i}`)).toMatch(/^503 .*auth_unavailable/);
  expect([fetches.mock.calls.length, log.length]).toEqual([1, 1]);
  later(5_000);
  expect(await ask(first)).toMatch(/^503/);
  expect([fetches.mock.calls.length, log.length]).toEqual([2, 2]);
  publish(await publicKey(first));
  // A clock that is set back does not keep the failure.
  later(-60_000);
  expect(await ask(first)).toBe("accepted");
});

test("SEC1 a rotated key is found after a clock was set back by an hour", async () => {
  publish(await publicKey(first, { kid: "a" }));
  const ask = newVerifier();
  expect(await ask(first, "a")).toBe("accepted");
  publish(await publicKey(second, { kid: "b" }));
  later(-3_600_000);
  expect(await ask(second, "b")).toBe("accepted");
});

describe("concurrent requests on Workers, which share no promise", () => {
  beforeEach(() => void vi.stubGlobal("WebSocketPair", class {}));
  const all = (ask: () => Promise<string>): Promise<string[]> => Promise.all(Array.from({ length: 20 }, ask));

  test("SEC1 LIM1 all of them wait for the first keys, and their failure is one line of the log", async () => {
    answer = () => new Response("", { status: 500 });
    const ask = newVerifier();
    for (const one of await all(() => ask(first, "a"))) expect(one).toMatch(/^503/);
    expect(log.length).toBe(1);
    publish(await publicKey(first, { kid: "a" }));
    later(5_000);
    expect(new Set(await all(() => ask(first, "a")))).toEqual(new Set(["accepted"]));
  });

  test("SEC1 one of them loads newer keys, the others use the known ones, and the newer ones serve afterwards", async () => {
    publish(await publicKey(first, { kid: "a" }), await publicKey(second, { kid: "b" }));
    const ask = newVerifier();
    await ask(first, "a");
    const { promise, resolve } = Promise.withResolvers<Response>();
    answer = () => promise;
    later(11 * 60_000);
    fetches.mockClear();
    const loading = ask(first, "a");
    await vi.waitFor(() => expect(fetches).toHaveBeenCalledTimes(1));
    expect(new Set(await all(() => ask(first, "a")))).toEqual(new Set(["accepted"]));
    // The key `a` is revoked.
    resolve(Response.json({ keys: [await publicKey(second, { kid: "b" })] }));
    await loading;
    expect([(await ask(first, "a")).slice(0, 3), await ask(second, "b")]).toEqual(["401", "accepted"]);
    expect(fetches).toHaveBeenCalledTimes(1);
  });
});
