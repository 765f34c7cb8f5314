/** tests: the actions on a run that its record lists, against the routes themselves (ACT1) */
import { RUN_ACTIONS, type RunAction, type RunActionName } from "@holdfast/protocol";
import { workflow } from "@holdfast/workflows";
import { beforeEach, describe, expect, test } from "vitest";
import { ROUTES } from "../src/api/routes.ts";
import { SCOPES } from "../src/auth/principal.ts";
import { FakeDeployment, answerOf } from "./fake-platform.ts";

const waits = workflow({
  id: "waits",
  run: async (_input, ctx) => {
    await ctx.step("mail", { compensate: () => {} }, () => "sent");
    const token = ctx.waitForToken({ tokenId: "approve" });
    return Promise.all([token.wait(), ctx.waitForSignal("go")]);
  },
});
const quick = workflow({ id: "quick", run: () => 1 });

let api: FakeDeployment;
beforeEach(() => {
  const verifyRequest = ({ headers }: Request) => ({
    subject: "ann",
    scopes: SCOPES.filter((scope) => headers.get("Scopes")?.split(",").includes(scope) ?? true),
  });
  api = new FakeDeployment([waits, quick], { verifyRequest });
});

const HELD = { headers: { Prefer: "wait=5" } };
const post = (end: string, json: object = {}): Promise<Response> => api.fetch(`/api/runs/r${end}`, { json });

/** Makes the run `r` in each state. */
const STATES: Readonly<Record<string, () => Promise<void>>> = {
  delayed: async () => void (await api.fetch("/api/runs", { json: { runId: "r", workflowId: "waits", delay: "1h" } })),
  waiting: async () => void (await api.fetch("/api/runs", { json: { runId: "r", workflowId: "waits" }, ...HELD })),
  paused: async () => {
    await STATES["waiting"]?.();
    await post("/pause");
  },
  cancelled: async () => {
    await STATES["waiting"]?.();
    await post("/cancel");
    await api.fetch("/api/runs/r", HELD);
  },
  "completed without a step": async () =>
    void (await api.fetch("/api/runs", { json: { runId: "r", workflowId: "quick" }, ...HELD })),
};

const BODIES: Readonly<Partial<Record<RunActionName, object>>> = {
  deliverSignal: { name: "go" },
  deliverEvent: { eventType: "paid" },
  terminateRun: { reason: "enough" },
};

async function listed(headers: HeadersInit = {}): Promise<readonly RunAction[]> {
  const { body } = await answerOf(await api.fetch("/api/runs/r?actions=true", { headers }));
  return body["actions"] as readonly RunAction[];
}

async function ask(action: RunActionName, headers: HeadersInit = {}): Promise<RunAction["refused"]> {
  const { verb, path } = RUN_ACTIONS[action];
  const url = `/api/runs/r${path === "" ? "" : `/${path}`}${action === "resolveToken" ? "/approve" : ""}`;
  const json = BODIES[action] ?? {};
  const answer = await api.fetch(url, verb === "DELETE" ? { method: "DELETE", headers } : { json, headers });
  if (answer.ok) return undefined;
  const { error, message } = (await answer.json()) as NonNullable<RunAction["refused"]>;
  return { error, message };
}

test("ACT1 the list has each route that changes a run, with its verb, path and scope", () => {
  const routes = ROUTES.filter(({ verb, path }) => verb !== "GET" && path.startsWith("/api/runs/:id"));
  const described = routes.map(({ id, verb, path, scope }) => [
    id,
    { verb, scope, path: path.replace(/^\/api\/runs\/:id\/?/, "").replace(/\/:tokenId$/, "") },
  ]);
  const own = Object.entries(RUN_ACTIONS).map(([id, { verb, scope, path }]) => [id, { verb, scope, path }]);
  expect(Object.fromEntries(own)).toEqual(Object.fromEntries(described));
});

describe.each(Object.keys(STATES))("a run that is %s", (state) => {
  test.each(Object.keys(RUN_ACTIONS) as RunActionName[])("ACT1 %s is listed as its route answers", async (action) => {
    await STATES[state]?.();
    const entry = (await listed()).find((one) => one.action === action);
    api.evict("r");
    expect((await listed()).find((one) => one.action === action)).toEqual(entry);
    const answer = await ask(action);
    // A run that never issued the token answers so; the list says what a token of it would get.
    const isUnknown = answer?.error === "token_not_found" && entry?.refused !== undefined;
    if (!isUnknown) expect(entry?.refused?.error).toBe(answer?.error);
  });
});

test("ACT1 SEC2 a missing scope is listed first, with the answer of the route", async () => {
  await STATES["waiting"]?.();
  const headers = { Scopes: "read,deliver" };
  const list = await listed(headers);
  for (const action of ["unpauseRun", "resumeRun", "deleteRun"] as const) {
    const refused = list.find((one) => one.action === action)?.refused;
    expect(refused?.error).toBe("forbidden");
    expect(refused).toEqual(await ask(action, headers));
  }
  expect(list.filter(({ refused }) => refused === undefined).map(({ action }) => action)).toEqual([
    "deliverSignal",
    "deliverEvent",
    "resolveToken",
  ]);
});

test("ACT1 the record has no actions unless they are requested, and another value is refused", async () => {
  await STATES["waiting"]?.();
  expect((await answerOf(await api.fetch("/api/runs/r"))).body).not.toHaveProperty("actions");
  expect((await api.fetch("/api/runs/r?actions=yes")).status).toBe(400);
  const { body } = await answerOf(await api.fetch("/api/runs/r?actions=true&why=deep"));
  expect(body).toMatchObject({ why: expect.any(Array), actions: expect.any(Array) });
});
