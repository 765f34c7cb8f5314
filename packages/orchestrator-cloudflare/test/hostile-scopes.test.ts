/** tests: whatever a request contains, an answer shows its caller only what the caller's scopes cover (SEC7) */
import { randomSeed } from "@holdfast/proof/output";
import { hostileRequest } from "@holdfast/proof/fuzz";
import { workflow } from "@holdfast/workflows";
import * as fc from "fast-check";
import { expect, test, vi } from "vitest";
import { SCOPES, type Scope } from "../src/auth/principal.ts";
import { durableObjectIndex } from "../src/index.ts";
import { FakeDeployment, FakeIndexNamespace } from "./fake-platform.ts";

const SECRET = "the-secret-of-the-input";

const order = workflow({
  id: "order",
  run: async (input, ctx) => {
    const token = ctx.waitForToken({ public: true });
    ctx.metadata.set("link", token.url);
    await ctx.step("reserve", () => ({ input, mail: `Answer at ${token.url}` }));
    await ctx.step("charge", { retry: { max: 1 } }, () => Promise.reject(new Error("declined"))).catch(() => {});
    return token.wait();
  },
});

const KNOWN = ["r1", "r2", "r3", "ended"];

/** Hostile requests end and delete the runs. After more of them hardly anything is left that an answer could show. */
const REQUESTS_PER_DEPLOYMENT = 20;

async function deploy(scopes: () => readonly Scope[]): Promise<FakeDeployment> {
  const runIndex = durableObjectIndex({ binding: new FakeIndexNamespace() });
  const verifyRequest = () => ({ subject: "ann", scopes: scopes() });
  const api = new FakeDeployment([order], { runIndex, verifyRequest }, undefined, { runIndex });
  for (const runId of KNOWN) await api.fetch("/api/runs", { json: { runId, workflowId: "order", input: SECRET } });
  await api.fetch("/api/runs/ended/cancel", { json: {} });
  return api;
}

/** The ids of the public tokens that can be answered. */
function openTokens(api: FakeDeployment): string[] {
  return [...api.storages.values()].flatMap(({ rows }) =>
    [...rows].flatMap(([key, row]) => {
      const isOpen = (row as { state?: string }).state === "open" && !("endedAt" in (rows.get("record") as object));
      return isOpen ? (/^token\/([0-9a-f]{32})$/.exec(key)?.[1] ?? []) : [];
    }),
  );
}

async function textOf(answer: Response): Promise<string> {
  if (answer.headers.get("Content-Type") !== "text/event-stream") return answer.text();
  // HEAD opens no stream.
  if (answer.body === null) return "";
  const reader = answer.body.getReader();
  const parts = [await reader.read(), await reader.read()];
  await reader.cancel();
  return parts.map(({ value }) => new TextDecoder().decode(value)).join("");
}

test(
  "SEC7 no answer to a hostile request shows more than the caller's scopes cover",
  { timeout: 180_000 },
  async () => {
    vi.spyOn(console, "log").mockImplementation(() => {});
    let scopes: readonly Scope[] = SCOPES;
    let api = await deploy(() => scopes);
    let requests = 0;
    /** The answers that show the secret, and those that show the id of a token, to callers who may see them. */
    const shown = { secrets: 0, tokens: 0 };
    const subset = fc.subarray([...SCOPES]);
    await fc.assert(
      fc.asyncProperty(subset, hostileRequest(KNOWN), async (given, { method, path, headers, body }) => {
        let request: Request;
        try {
          const init = { method, headers, ...(body === undefined ? {} : { body: body as BodyInit }) };
          request = new Request(`https://flows.example${path}`, init);
        } catch {
          // A client cannot send this request.
          return;
        }
        if (++requests % REQUESTS_PER_DEPLOYMENT === 0) {
          scopes = SCOPES;
          api = await deploy(() => scopes);
        }
        scopes = given;
        const text = await textOf(await api.handle(request));
        const tokens = openTokens(api).filter((id) => text.includes(id));
        const sees = (scope: Scope): boolean => given.includes(scope);
        if (!sees("read")) expect(text).not.toMatch(new RegExp(`${SECRET}|declined|Answer at`));
        if (!sees("read") || !sees("operate")) expect(text).not.toMatch(/"stack":"/);
        if (!sees("deliver")) expect(tokens).toEqual([]);
        if (text.includes(SECRET)) shown.secrets += 1;
        if (tokens.length > 0) shown.tokens += 1;
      }),
      { numRuns: 2_000, seed: randomSeed() },
    );
    expect(Math.min(shown.secrets, shown.tokens)).toBeGreaterThan(3);
    vi.restoreAllMocks();
  },
);
