import { readFileSync } from "node:fs";
import { HOST_LIMITS } from "@holdfast/protocol";
import { workflow } from "@holdfast/workflows";
import { type StepHandler, createStepHandler } from "@holdfast/workflows/handler";
import { randomSeed } from "@holdfast/proof/output";
import * as fc from "fast-check";
import { expect, onTestFinished, test, vi } from "vitest";
import { createHttpDispatcher, durableObjectIndex } from "../src/index.ts";
import { FakeDeployment, FakeIndexNamespace } from "./fake-platform.ts";
import { hostileRequest } from "@holdfast/proof/fuzz";
import { hostileTicket, inQuery } from "@holdfast/proof/fuzz-tickets";
import { VirtualTime, virtualPlatform } from "./virtual-time.ts";

const order = workflow({
  id: "order",
  run: async (_input, ctx) => {
    await ctx.step("reserve", () => 1);
    const token = ctx.waitForToken({ tokenId: "t" });
    const link = ctx.waitForToken({ public: true });
    ctx.metadata.set("url", link.url);
    const approval = await ctx.waitForSignal("approval");
    return [approval, await token.wait(), await link.wait()];
  },
});

const KNOWN = ["r1", "r2", "r3"];

async function deploy(): Promise<FakeDeployment> {
  const runIndex = durableObjectIndex({ binding: new FakeIndexNamespace() });
  const api = new FakeDeployment([order], { runIndex }, undefined, { runIndex });
  for (const runId of KNOWN) await api.fetch("/api/runs", { json: { runId, workflowId: "order" } });
  return api;
}

function dump(api: FakeDeployment): string {
  // Ignore the mark of the pending index update: it changes without a request.
  const stored = [...api.storages].map(([name, { rows }]) => [
    name,
    [...rows].map(([key, row]) => [key, { ...(row as object), index: 0, updatedAt: 0 }]),
  ]);
  return JSON.stringify(stored.filter(([, rows]) => (rows as unknown[]).length > 0));
}

/** Returns the stored rows after they stop changing. */
async function dumpWhenIdle(api: FakeDeployment): Promise<string> {
  for (let before = ""; ;) {
    const now = dump(api);
    if (now === before) return now;
    before = now;
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  }
}

/** The paths of the public tokens. */
async function urlsOf(api: FakeDeployment): Promise<string[]> {
  return Promise.all(
    KNOWN.map(async (runId) => {
      const answer = await api.fetch(`/api/runs/${runId}`, { headers: { Prefer: "wait=0" } });
      return ((await answer.json()) as { metadata: { url: string } }).metadata.url;
    }),
  );
}

/** Set HOSTILE_PIECES for a long run: each piece has a deployment of its own. */
const PIECES = Number(process.env["HOSTILE_PIECES"] ?? 1);

test.each(Array.from({ length: PIECES }, (_none, piece) => piece))(
  "LIM2 no request is answered 5xx, and a rejected request changes nothing",
  { timeout: 180_000 },
  async () => {
    vi.spyOn(console, "log").mockImplementation(() => {});
    const api = await deploy();
    await dumpWhenIdle(api);
    const urls = await urlsOf(api);
    await fc.assert(
      fc.asyncProperty(hostileRequest(KNOWN, urls), async ({ method, path, headers, body }) => {
        let request: Request;
        try {
          request = new Request(`https://flows.example${path}`, {
            method,
            headers,
            ...(body === undefined ? {} : { body: body as BodyInit }),
          });
        } catch {
          // A client cannot send this request.
          return;
        }
        const before = await dumpWhenIdle(api);
        const response = await api.handle(request);
        expect([response.status < 500 || response.status === 501, response.status]).toEqual([true, response.status]);
        if (response.headers.get("Content-Type") === "text/event-stream") {
          await response.body?.cancel();
          return;
        }
        if (response.status < 400) {
          await response.arrayBuffer();
          return;
        }
        // A refusal of a form, or of a click on a public token's link.
        if (method !== "HEAD" && response.headers.get("Content-Type")?.startsWith("text/html") === true)
          expect(await response.text()).toMatch(/^<!doctype html>/);
        else if (method !== "HEAD")
          expect(await response.json()).toMatchObject({ error: expect.any(String), message: expect.any(String) });
        expect(dump(api)).toBe(before);
      }),
      { numRuns: 3_000, seed: randomSeed() },
    );
    vi.restoreAllMocks();
  },
);

test("SEC11 no changed ticket opens a stream, is quoted, or asks an object", { timeout: 180_000 }, async () => {
  vi.spyOn(console, "log").mockImplementation(() => {});
  const api = await deploy();
  const paths = KNOWN.map((id) => `/api/runs/${id}/stream`);
  const valid: string[] = [];
  for (const path of [...paths, ...paths]) {
    const answer = await api.fetch("/api/tickets", { json: { path } });
    valid.push(((await answer.json()) as { ticket: string }).ticket);
  }
  const ask = vi.spyOn(api.runDO, "get");
  await fc.assert(
    fc.asyncProperty(hostileTicket(valid), fc.constantFrom(...paths), async (ticket, path) => {
      const answer = await api.fetch(`${path}?ticket=${inQuery(ticket)}`);
      const text = await answer.text();
      expect([answer.status, text]).toEqual([
        401,
        expect.stringMatching(/^\{"error":"unauthorized","message":"[^"]+","docUrl":"[^"]+#unauthorized"\}$/),
      ]);
      if (ticket.length > 20) expect(text).not.toContain(ticket.slice(0, 20));
    }),
    { numRuns: 3_000, seed: randomSeed() },
  );
  expect(ask).not.toHaveBeenCalled();
  // Each ticket is still valid: for its own path, once.
  for (const [i, ticket] of valid.slice(0, paths.length).entries()) {
    const statuses = [];
    for (const path of [paths[(i + 1) % paths.length], paths[i], paths[i]]) {
      const answer = await api.fetch(`${path}?ticket=${ticket}`);
      await answer.body?.cancel();
      statuses.push(answer.status);
    }
    expect(statuses).toEqual([401, 200, 401]);
  }
  vi.restoreAllMocks();
});

interface Turn {
  readonly request: string;
  readonly answer: string;
}

const golden = JSON.parse(
  readFileSync(new URL("../../protocol/golden/turns.json", import.meta.url), "utf8"),
) as readonly Turn[];

/** Messages in which fields are replaced or removed. */
function malformed(texts: readonly string[]): fc.Arbitrary<string> {
  const value = fc.oneof(
    fc.jsonValue({ maxDepth: 2 }),
    fc.constantFrom(null, -1, 0, 1e300, "", [], {}, [null], "x".repeat(100)),
  );
  return fc
    .tuple(fc.constantFrom(...texts), fc.array(fc.tuple(fc.nat(200), fc.option(value)), { minLength: 1, maxLength: 3 }))
    .map(([text, changes]) => {
      const message: unknown = JSON.parse(text);
      for (const [place, replacement] of changes) damage(message, place, replacement);
      return JSON.stringify(message);
    });
}

function damage(message: unknown, place: number, replacement: unknown): void {
  const spots: [Record<string, unknown>, string][] = [];
  const collect = (node: unknown): void => {
    if (typeof node !== "object" || node === null) return;
    for (const key of Object.keys(node)) {
      spots.push([node as Record<string, unknown>, key]);
      collect((node as Record<string, unknown>)[key]);
    }
  };
  collect(message);
  const [node, key] = spots[place % spots.length] ?? [];
  if (node === undefined || key === undefined) return;
  if (replacement === null) delete node[key];
  else node[key] = structuredClone(replacement);
}

test("LIM2 a step handler answers every malformed turn, and never 5xx", { timeout: 180_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(malformed(golden.map(({ request }) => request)), async (body) => {
      const handler = createStepHandler({ workflows: [order], signingKeys: "unsigned", holdMs: 5 });
      const answering = handler(new Request("https://steps.example/turn", { method: "POST", body }));
      const response = await Promise.race([answering, new Promise<undefined>((resolve) => setTimeout(resolve, 2_000))]);
      if (response === undefined) throw new Error("the step handler did not answer");
      expect(response.status).toBeLessThan(500);
      await response.json();
    }),
    { numRuns: 3_000, seed: randomSeed() },
  );
});

/**
 * The time from a cancel to the end of the run, ms. A valid answer may name an instance of the step handler that never
 * answers: requests wait for it first (DUR11). Then another execution has its time to run the clean-up code (CAN2).
 */
const END_MS_MAX = HOST_LIMITS.silentMsMax + HOST_LIMITS.cleanupWaitMs;

/** A report may contain a fraction of a millisecond, which the API shows, although docs/openapi.json expects a whole number. */
function wholeTimes(key: string, value: unknown): unknown {
  return typeof value === "number" && (key === "startedAt" || key === "afterMs") ? Math.round(value) : value;
}

/** A run whose step handler sends `answer` instead of its answer number `at`, if there is one before the cancel. */
class DeceivedRun {
  readonly #api: FakeDeployment;
  readonly #time: VirtualTime;
  #deceives = true;
  #requests = 0;
  /** The false answer is a report: if it was accepted, the journal claims what the code has not done. */
  readonly #isReport: boolean;

  constructor(handler: StepHandler, answer: string, at: number) {
    const content = JSON.parse(answer, wholeTimes) as Record<string, unknown>;
    this.#isReport = content["type"] === "report";
    const fetch = async (request: Request): Promise<Response> => {
      const { session } = (await request.clone().json()) as { session: string };
      if (!this.#deceives || this.#requests++ !== at) return handler(request);
      return new Response(JSON.stringify({ ...content, session }));
    };
    const signingKey = "a-key-that-both-sides-know";
    const dispatcher = createHttpDispatcher({ url: "https://steps.example", signingKey, fetch });
    this.#api = new FakeDeployment([], {}, dispatcher);
    this.#time = new VirtualTime(this.#api, "r");
  }

  async start(): Promise<void> {
    await this.#api.fetch("/api/runs", { json: { runId: "r", workflowId: "order" } });
    await this.#time.settle();
    this.#deceives = false;
  }

  async read(): Promise<Record<string, unknown>> {
    return (await (await this.#api.fetch("/api/runs/r")).json()) as never;
  }

  async post(operation: "cancel" | "terminate"): Promise<number> {
    return (await this.#api.fetch(`/api/runs/r/${operation}`, { json: { reason: "not needed" } })).status;
  }

  /** Waits for the end of the run after its cancel. */
  async end(): Promise<void> {
    const cancelledAt = Date.now();
    for (;;) {
      const { endedAt, status } = await this.read();
      if (endedAt !== undefined) return;
      if (Date.now() - cancelledAt > END_MS_MAX) break;
      // The replay does not fit the journal: a second cancel ends the run without its code (CAN6).
      if (status === "paused") expect([this.#isReport, await this.post("cancel")]).toEqual([true, 202]);
      await this.#time.advance();
    }
    // A live execution misses the outcome that the false report has replaced. It waits until it is stopped (CAN8).
    expect([this.#isReport, await this.post("terminate")]).toEqual([true, 202]);
    expect((await this.read())["endedAt"]).toBeDefined();
  }
}

test(
  "LIM2 after a malformed answer of a step handler the run can be read and cancelled",
  { timeout: 180_000 },
  async () => {
    VirtualTime.begin();
    onTestFinished(() => VirtualTime.end());
    vi.spyOn(console, "error").mockImplementation(() => {});
    vi.spyOn(console, "log").mockImplementation(() => {});
    const handler = createStepHandler({ workflows: [order], signingKeys: "unsigned", platform: virtualPlatform });
    await fc.assert(
      fc.asyncProperty(malformed(golden.map(({ answer }) => answer)), fc.nat(4), async (answer, at) => {
        const run = new DeceivedRun(handler, answer, at);
        await run.start();
        // The run can be read and cancelled, whether the answer was accepted or rejected.
        expect(typeof (await run.read())["status"]).toBe("string");
        expect([202, 409]).toContain(await run.post("cancel"));
        await run.end();
      }),
      { numRuns: 400, seed: randomSeed() },
    );
  },
);
