import { readFileSync } from "node:fs";
import { workflow } from "@holdfast/workflows";
import { createStepHandler } from "@holdfast/workflows/handler";
import { randomSeed } from "@holdfast/proof/output";
import * as fc from "fast-check";
import { expect, test, vi } from "vitest";
import { createHttpDispatcher, durableObjectIndex } from "../src/index.ts";
import { FakeDeployment, FakeIndexNamespace } from "./fake-platform.ts";
import { hostileRequest } from "@holdfast/proof/fuzz";

const order = workflow({
  id: "order",
  run: async (_input, ctx) => {
    await ctx.step("reserve", () => 1);
    const token = ctx.waitForToken({ tokenId: "t" });
    const approval = await ctx.waitForSignal("approval");
    return [approval, await token.wait()];
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
  // The mark that the index was told comes and goes by itself.
  const stored = [...api.storages].map(([name, { rows }]) => [
    name,
    [...rows].map(([key, row]) => [key, { ...(row as object), index: 0, updatedAt: 0 }]),
  ]);
  return JSON.stringify(stored.filter(([, rows]) => (rows as unknown[]).length > 0));
}

/** What is stored, once nothing moves by itself any more. */
async function quiet(api: FakeDeployment): Promise<string> {
  for (let before = ""; ;) {
    const now = dump(api);
    if (now === before) return now;
    before = now;
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  }
}

test(
  "LIM2 whatever is sent to the API, it is no 5xx, and what is refused changes nothing",
  { timeout: 60_000 },
  async () => {
    vi.spyOn(console, "log").mockImplementation(() => {});
    const api = await deploy();
    await fc.assert(
      fc.asyncProperty(hostileRequest(KNOWN), async ({ method, path, headers, body }) => {
        let request: Request;
        try {
          request = new Request(`https://flows.example${path}`, {
            method,
            headers,
            ...(body === undefined ? {} : { body: body as BodyInit }),
          });
        } catch {
          // No client can send it.
          return;
        }
        const before = await quiet(api);
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
        if (method !== "HEAD")
          expect(await response.json()).toMatchObject({ error: expect.any(String), message: expect.any(String) });
        expect(dump(api)).toBe(before);
      }),
      { numRuns: 3_000, seed: randomSeed() },
    );
    vi.restoreAllMocks();
  },
);

interface Turn {
  readonly request: string;
  readonly answer: string;
}

const golden = JSON.parse(
  readFileSync(new URL("../../protocol/golden/turns.json", import.meta.url), "utf8"),
) as readonly Turn[];

/** A message with something in it replaced, taken away or doubled. */
function bent(texts: readonly string[]): fc.Arbitrary<string> {
  const value = fc.oneof(
    fc.jsonValue({ maxDepth: 2 }),
    fc.constantFrom(null, -1, 0, 1e300, "", [], {}, [null], "x".repeat(100)),
  );
  return fc
    .tuple(fc.constantFrom(...texts), fc.array(fc.tuple(fc.nat(200), fc.option(value)), { minLength: 1, maxLength: 3 }))
    .map(([text, changes]) => {
      const message: unknown = JSON.parse(text);
      for (const [place, replacement] of changes) bend(message, place, replacement);
      return JSON.stringify(message);
    });
}

function bend(message: unknown, place: number, replacement: unknown): void {
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

test("LIM2 whatever turn a step handler is sent, it answers, and never with a 5xx", { timeout: 60_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(bent(golden.map(({ request }) => request)), async (body) => {
      const handler = createStepHandler({ workflows: [order], signingKeys: "unsigned", holdMs: 5 });
      const asked = handler(new Request("https://steps.example/turn", { method: "POST", body }));
      const response = await Promise.race([asked, new Promise<undefined>((resolve) => setTimeout(resolve, 2_000))]);
      if (response === undefined) throw new Error("it never answered");
      expect(response.status).toBeLessThan(500);
      await response.json();
    }),
    { numRuns: 3_000, seed: randomSeed() },
  );
});

test(
  "LIM2 whatever a step handler answers, the run is intact: it goes on when the handler does",
  { timeout: 60_000 },
  async () => {
    vi.spyOn(console, "error").mockImplementation(() => {});
    const handler = createStepHandler({ workflows: [order], signingKeys: "unsigned" });
    await fc.assert(
      fc.asyncProperty(bent(golden.map(({ answer }) => answer)), fc.nat(4), async (nonsense, at) => {
        let number = 0;
        let broken = true;
        const fetch = async (request: Request): Promise<Response> => {
          const { session } = (await request.clone().json()) as { session: string };
          if (broken && number++ === at)
            return new Response(JSON.stringify({ ...(JSON.parse(nonsense) as object), session }));
          return handler(request);
        };
        const dispatcher = createHttpDispatcher({
          url: "https://steps.example",
          signingKey: "a-key-that-both-sides-know",
          fetch,
        });
        const api = new FakeDeployment([], {}, dispatcher);
        const read = async (): Promise<Record<string, unknown>> =>
          (await (await api.fetch("/api/runs/r")).json()) as never;
        await api.fetch("/api/runs", { json: { runId: "r", workflowId: "order" } });
        await new Promise((resolve) => setImmediate(resolve));
        broken = false;
        // Whatever was believed or refused: the run can be read, and it can be ended.
        const { status } = await read();
        expect(typeof status).toBe("string");
        const cancelled = await api.fetch("/api/runs/r/cancel", { json: {} });
        expect([202, 409]).toContain(cancelled.status);
        await vi.waitFor(async () => expect((await read())["endedAt"]).toBeDefined());
      }),
      { numRuns: 400, seed: randomSeed() },
    );
    vi.restoreAllMocks();
  },
);
