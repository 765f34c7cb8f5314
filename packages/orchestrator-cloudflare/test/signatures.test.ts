/** tests: what signatures cover, and which recorded requests are refused (SEC3) */
import { createClient } from "@holdfast/workflows/client";
import { AUDIENCE_HEADER, SIGNATURE_HEADER, signRequest } from "@holdfast/protocol/transport";
import { workflow } from "@holdfast/workflows";
import { type StepHandler, type StepHandlerOptions, createStepHandler } from "@holdfast/workflows/handler";
import { describe, expect, test, vi } from "vitest";
import { KEY_HEADER, createHttpDispatcher, createServiceBindingDispatcher, hmacAuth } from "../src/index.ts";
import { FakeDeployment, tokenOf } from "./fake-platform.ts";
import { KEY, Network, URL_OF_HANDLER, read, trigger, until } from "./handler-network.ts";

const SECRET = tokenOf("signing");
const quick = workflow({ id: "quick", run: (_input, ctx) => ctx.step("a", () => 1) });
const TURN = JSON.stringify({ protocol: 1, session: "0123456789abcdef", turn: 1 });

function handlerWith(more: Partial<StepHandlerOptions> = {}): StepHandler {
  return createStepHandler({ workflows: [quick], signingKeys: [KEY], audience: URL_OF_HANDLER, ...more });
}

async function signed(audience: string | undefined, named = audience, body = TURN): Promise<Request> {
  const request = { method: "POST", path: "/holdfast/turn", body, audience };
  const headers = new Headers({ [SIGNATURE_HEADER]: await signRequest(request, KEY, Date.now(), crypto.randomUUID()) });
  if (named !== undefined) headers.set(AUDIENCE_HEADER, named);
  return new Request("https://steps.example/holdfast/turn", { method: "POST", body, headers });
}

async function answerTo(handler: StepHandler, request: Request): Promise<[number, string]> {
  const response = await handler(request);
  return [response.status, await response.text()];
}

describe("signatures of requests to a step handler", () => {
  const handler = createStepHandler({
    workflows: [quick],
    signingKeys: [KEY, "the-key-of-tomorrow-1"],
    audience: URL_OF_HANDLER,
  });

  async function post(body: string, header: string | undefined, path = "/holdfast/turn"): Promise<[number, string]> {
    const headers = header === undefined ? {} : { [SIGNATURE_HEADER]: header, [AUDIENCE_HEADER]: URL_OF_HANDLER };
    const response = await handler(new Request(`https://steps.example${path}`, { method: "POST", body, headers }));
    return [response.status, await response.text()];
  }

  const sign = (body: string, key = KEY, at = Date.now(), nonce: string = crypto.randomUUID()): Promise<string> =>
    signRequest({ method: "POST", path: "/holdfast/turn", body, audience: URL_OF_HANDLER }, key, at, nonce);

  test("SEC3 requests signed with either of two keys are served; others are rejected with a reason", async () => {
    const body = TURN;
    expect((await post(body, await sign(body)))[0]).toBe(200);
    expect((await post(body, await sign(body, "the-key-of-tomorrow-1")))[0]).toBe(200);
    for (const [header, why] of [
      [undefined, "is missing"],
      ["v1=abc", "is malformed"],
      [await sign(body, "a-key-of-somebody-else"), "does not match"],
      [await sign(`${body} `), "does not match"],
    ] as const)
      expect(await post(body, header)).toEqual([401, expect.stringContaining(why)]);
    expect((await post(body, await sign(body), "/other/turn"))[0]).toBe(401);
  });

  test("SEC3 DUR8 a signature that fits, but for its time, is rejected as one to send again", async () => {
    for (const ms of [-301_000, 301_000])
      expect(await post(TURN, await sign(TURN, KEY, Date.now() + ms))).toEqual([
        425,
        expect.stringMatching(/clocks_differ.*the signature is -?301 s old; check both clocks/),
      ]);
    expect((await post(TURN, await sign(TURN, "a-key-of-somebody-else", Date.now() - 301_000)))[0]).toBe(401);
  });

  test("SEC3 a repeated request is rejected", async () => {
    const body = TURN;
    const header = await sign(body);
    expect((await post(body, header))[0]).toBe(200);
    expect(await post(body, header)).toEqual([425, expect.stringContaining("seen before")]);
  });

  test("SEC3 no configuration accepts unsigned requests by mistake", () => {
    for (const signingKeys of [undefined, [], [""], ["short"], "any"]) {
      expect(() => createStepHandler({ workflows: [quick], signingKeys } as never)).toThrow(/signing/);
    }
    expect(() => createHttpDispatcher({ url: URL_OF_HANDLER, signingKey: "short" })).toThrow("16 characters");
    expect(() => createHttpDispatcher({ url: "ftp://x", signingKey: KEY })).toThrow("http or https");
    expect(() => createServiceBindingDispatcher({ binding: undefined as never })).toThrow("services");
    expect(() => createStepHandler({ workflows: [quick], signingKeys: [KEY], holdMS: 1 } as never)).toThrow("holdMS");
  });
});

describe("the audience of requests to a step handler", () => {
  test("SEC3 a handler serves requests for its audience only, whatever their Host is", async () => {
    const handler = handlerWith();
    expect((await answerTo(handler, await signed(URL_OF_HANDLER)))[0]).toBe(200);
    for (const other of ["https://other.example/holdfast", `${URL_OF_HANDLER}/`, undefined])
      expect(await answerTo(handler, await signed(other))).toEqual([401, expect.stringContaining("this handler's")]);
    const host = new Request(await signed("https://other.example"), { headers: { Host: "steps.example" } });
    expect((await answerTo(handler, host))[0]).toBe(401);
  });

  test("SEC3 the signature covers the audience: another one beside it is refused", async () => {
    const handler = handlerWith();
    for (const [audience, named] of [
      ["https://other.example", URL_OF_HANDLER],
      [undefined, URL_OF_HANDLER],
      [URL_OF_HANDLER, "https://other.example"],
    ] as const)
      expect(await answerTo(handler, await signed(audience, named))).toEqual([
        401,
        expect.stringContaining("does not match"),
      ]);
    const stripped = await signed(URL_OF_HANDLER);
    stripped.headers.delete(AUDIENCE_HEADER);
    expect((await answerTo(handler, stripped))[0]).toBe(401);
  });

  test("SEC3 a handler without an audience warns once, and does not compare it", async () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
    const handler = handlerWith({ audience: undefined });
    for (const audience of [URL_OF_HANDLER, "https://other.example", undefined])
      expect((await answerTo(handler, await signed(audience)))[0]).toBe(200);
    expect(warn).toHaveBeenCalledTimes(1);
    handlerWith({ signingKeys: "unsigned", audience: undefined });
    expect(warn).toHaveBeenCalledTimes(1);
  });

  test("SEC3 a dispatcher signs for its audience, which is its URL by default", async () => {
    for (const audience of [undefined, "the-steps-of-acme"]) {
      const network = new Network({ workflows: [quick], audience: audience ?? URL_OF_HANDLER });
      const options = { url: URL_OF_HANDLER, signingKey: KEY, fetch: network.fetch, audience };
      const api = new FakeDeployment([], {}, createHttpDispatcher(options));
      await trigger(api, "quick");
      expect(await until(api, "completed")).toMatchObject({ output: 1 });
    }
    const network = new Network({ workflows: [quick], audience: "another" });
    const api = network.deploy();
    await trigger(api, "quick");
    await until(api, "paused");
    expect(await read(api)).toMatchObject({ error: { code: "DISPATCH_REFUSED" } });
  });

  test.each(["", "two words", "ümlaut", "line\nbreak", "x".repeat(2_049), 5, null])(
    "RUN7 %j is not an audience",
    (audience) => {
      const options = { url: URL_OF_HANDLER, signingKey: KEY, audience: audience as string };
      expect(() => createHttpDispatcher(options)).toThrow("createHttpDispatcher.audience: must be a text");
      expect(() => handlerWith({ audience: audience as string })).toThrow("createStepHandler.audience: must be a text");
    },
  );
});

describe("requests that are sent again", () => {
  const startOf = (epoch: number, id = "r", seed = "0".repeat(32)): string =>
    JSON.stringify({
      protocol: 1,
      session: crypto.randomUUID(),
      turn: 1,
      start: {
        protocol: 1,
        epoch,
        run: { id, number: 1, tags: [], triggeredBy: "api", startedAt: 0, environment: "test" },
        workflowId: "quick",
        input: "-1",
        seed,
        journal: [],
        inherited: [],
        paused: false,
        now: 0,
        clockStart: 0,
      },
    });

  test.each([true, false])(
    "SEC3 DUR6 a start with an earlier epoch of its run begins nothing (stateless: %s)",
    async (stateless) => {
      const handler = handlerWith({ stateless });
      const typeOf = async (body: string): Promise<unknown> =>
        (
          JSON.parse((await answerTo(handler, await signed(URL_OF_HANDLER, URL_OF_HANDLER, body)))[1]) as {
            type: unknown;
          }
        ).type;
      expect(await typeOf(startOf(3))).toBe("report");
      expect(await typeOf(startOf(2))).toBe("unknown_session");
      expect(await typeOf(startOf(3))).toBe("report");
      // Another run, and a later run with this id: its seed is another one.
      expect(await typeOf(startOf(1, "other"))).toBe("report");
      expect(await typeOf(startOf(1, "r", "1".repeat(32)))).toBe("report");
      expect(await typeOf(startOf(4))).toBe("report");
    },
  );

  test("SEC3 LIM1 a handler remembers the epochs of the last 10,000 runs", async () => {
    const handler = createStepHandler({ workflows: [quick], signingKeys: "unsigned", stateless: true });
    const start = async (epoch: number, id: string): Promise<string> => {
      const request = new Request("https://steps.example/turn", { method: "POST", body: startOf(epoch, id) });
      return (await handler(request)).text();
    };
    await start(2, "first");
    await start(2, "second");
    for (let n = 0; n < 9_999; n++) await start(1, `run-${n}`);
    expect(await start(1, "second")).toContain("unknown_session");
    expect(await start(1, "first")).toContain('"type":"report"');
  });

  test("SEC3 a store of nonces closes what another instance, or an earlier process, has served", async () => {
    const stored = new Map<string, number>();
    const nonces = {
      seen: (nonce: string, expiresAt: number) => {
        const known = stored.has(nonce);
        stored.set(nonce, expiresAt);
        return known;
      },
    };
    const request = await signed(URL_OF_HANDLER);
    expect((await answerTo(handlerWith({ nonces }), request.clone()))[0]).toBe(200);
    expect(await answerTo(handlerWith({ nonces }), request.clone())).toEqual([
      425,
      expect.stringContaining("seen before"),
    ]);
    expect([...stored.values()].every((expiresAt) => expiresAt > Date.now() + 300_000)).toBe(true);
    // Without the store, only the instance that served the request knows it.
    expect((await answerTo(handlerWith(), request.clone()))[0]).toBe(200);
  });

  test("SEC3 a store of nonces that fails, or gives no answer, serves nothing", async () => {
    vi.spyOn(console, "error").mockImplementation(() => {});
    const failing = handlerWith({ nonces: { seen: () => Promise.reject(new Error("down")) } });
    expect(await answerTo(failing, await signed(URL_OF_HANDLER))).toEqual([
      503,
      expect.stringContaining("nonces_unavailable"),
    ]);
    const silent = handlerWith({ nonces: { seen: async () => undefined as never } });
    expect((await answerTo(silent, await signed(URL_OF_HANDLER)))[0]).toBe(425);
    for (const nonces of [{}, 5, null, { seen: 1 }])
      expect(() => handlerWith({ nonces: nonces as never })).toThrow("createStepHandler.nonces: must be an object");
  });
});

describe("signed requests to the API", () => {
  const keys = [{ id: "ci", secret: SECRET }];
  const api = (): FakeDeployment => new FakeDeployment([quick], { verifyRequest: hmacAuth(keys) });
  const HEADERS = { "Content-Type": "application/json", "Idempotency-Key": "k-1", Prefer: "wait=1" };

  async function send(
    to: FakeDeployment,
    sent: Record<string, string>,
    signedHeaders = sent,
    search = "",
  ): Promise<number> {
    const body = JSON.stringify({ workflowId: "quick" });
    const about = { method: "POST", path: `/api/runs${search}`, body, headers: new Headers(signedHeaders) };
    const signature = await signRequest(about, SECRET, Date.now(), crypto.randomUUID());
    const headers = { ...sent, [KEY_HEADER]: "ci", [SIGNATURE_HEADER]: signature };
    return (await to.fetch("/api/runs", { method: "POST", body, headers })).status;
  }

  test("SEC3 the signature covers Idempotency-Key, Prefer and Content-Type, and the query", async () => {
    expect(await send(api(), HEADERS)).toBe(201);
    const { "Content-Type": type, ...others } = HEADERS;
    for (const changed of [
      { ...HEADERS, "Idempotency-Key": "k-2" },
      { ...HEADERS, Prefer: "wait=60" },
      { ...HEADERS, "Content-Type": "application/json; charset=utf-8" },
      { "Content-Type": type },
    ])
      expect(await send(api(), changed, HEADERS)).toBe(401);
    expect(await send(api(), HEADERS, { "Content-Type": type })).toBe(401);
    expect(await send(api(), HEADERS, others)).toBe(401);
    expect(await send(api(), HEADERS, HEADERS, "?x=1")).toBe(401);
    // Other headers are not covered: proxies change them.
    expect(await send(api(), { ...HEADERS, "X-Forwarded-For": "192.0.2.1" }, HEADERS)).toBe(201);
  });

  test("SEC3 the client signs its requests, each attempt by itself", async () => {
    const to = api();
    let requests = 0;
    const fetch = async (request: Request): Promise<Response> => {
      requests += 1;
      expect(request.headers.get("Authorization")).toBe(null);
      // The answer to the first attempt is lost.
      const response = await to.handle(request);
      return requests === 1 ? new Response("later", { status: 503 }) : response;
    };
    const client = createClient({ url: "https://flows.example", hmacKey: keys[0], retryAfterMs: 1, fetch });
    const run = await client.trigger(quick, undefined, { runId: "r", idempotencyKey: "k" });
    expect(run.id).toBe("r");
    await vi.waitFor(async () => expect(await client.run("r").get()).toMatchObject({ output: 1 }));
    expect(requests).toBeGreaterThan(2);
    const wrong = createClient({ url: "https://flows.example", hmacKey: { id: "ci", secret: tokenOf("x") }, fetch });
    await expect(wrong.run("r").get()).rejects.toMatchObject({ status: 401 });
  });

  test("SEC3 API1 the client sends a request again that a proxy has sent twice, and it counts once", async () => {
    const to = api();
    const answers: number[] = [];
    const fetch = async (request: Request): Promise<Response> => {
      const again = request.clone();
      const response = await to.handle(request);
      const passed = answers.length === 0 ? await to.handle(again) : response;
      answers.push(passed.status);
      return passed;
    };
    const client = createClient({ url: "https://flows.example", hmacKey: keys[0], retryAfterMs: 1, fetch });
    expect((await client.trigger(quick, undefined, { runId: "twice" })).id).toBe("twice");
    expect(answers[0]).toBe(425);
  });

  test("RUN7 createClient refuses a key that cannot sign", () => {
    const url = "https://flows.example";
    for (const [options, problem] of [
      [{ hmacKey: { id: "", secret: SECRET } }, "createClient.hmacKey.id"],
      [{ hmacKey: { id: "ci" } }, "createClient.hmacKey.secret"],
      [{ hmacKey: { id: "ci", secret: "short" } }, "16 characters"],
      [{ hmacKey: { id: "ci", secret: SECRET, scope: "read" } }, "createClient.hmacKey.scope"],
      [{ hmacKey: { id: "ci", secret: SECRET }, token: "t" }, "give one of them"],
    ] as const)
      expect(() => createClient({ url, ...(options as object) })).toThrow(problem);
  });
});
