/** tests: every route that creates runs takes the same from the principal and from the headers of its request */
import { describe, expect, test } from "vitest";
import { SCOPES } from "../src/auth/principal.ts";
import type { Principal } from "../src/index.ts";
import { workflows } from "./api-workflows.ts";
import { FakeDeployment, answerOf } from "./fake-platform.ts";

type Answer = Awaited<ReturnType<typeof answerOf>>;

/** A way to create a run. Each gives the same workflow, and `other` gives the new run another content. */
interface Way {
  readonly name: string;
  readonly path: string;
  readonly body: Readonly<Record<string, unknown>>;
  readonly other: Readonly<Record<string, unknown>>;
}

const WAYS: Way[] = [
  { name: "a trigger", path: "/api/runs", body: { workflowId: "fails" }, other: { input: 2 } },
  { name: "a resume", path: "/api/runs/parent/resume", body: {}, other: { input: 2 } },
  {
    name: "a resume of an unknown parent",
    path: "/api/runs/elsewhere/resume",
    body: { workflowId: "fails", resumeFromStep: "bad" },
    other: { input: 2 },
  },
];

const TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

async function deploy(tenantMeta?: Principal["tenantMeta"]): Promise<FakeDeployment> {
  // The parent belongs to another plan than the principal of the test.
  const principal = { subject: "ann", scopes: SCOPES };
  const api = new FakeDeployment(workflows, {
    verifyRequest: ({ headers }) =>
      headers.has("Parent") ? { ...principal, tenantMeta: { plan: "gold" } } : { ...principal, tenantMeta },
  });
  const headers = { Parent: "1", Prefer: "wait=5" };
  await api.fetch("/api/runs", { json: { workflowId: "fails", runId: "parent" }, headers });
  return api;
}

async function create(
  api: FakeDeployment,
  { path, body }: Way,
  more: object = {},
  headers: Record<string, string> = {},
): Promise<Answer> {
  return answerOf(await api.fetch(path, { json: { ...body, ...more }, headers }));
}

describe.each(WAYS)("RUN3 $name", (way) => {
  test("SEC5 gives the run the tenant data of the principal, whatever its parent has", async () => {
    const { status, body } = await create(await deploy({ plan: "free" }), way);
    expect([status, body.tenantMeta, body.triggeredBy]).toEqual([201, { plan: "free" }, "ann"]);
  });

  test("RUN3 stores a valid traceparent, and ignores an invalid one", async () => {
    const api = await deploy();
    expect((await create(api, way, {}, { traceparent: TRACE })).body.traceparent).toBe(TRACE);
    expect((await create(api, way, {}, { traceparent: "00-1-2-01" })).body.traceparent).toBeUndefined();
  });

  test("RUN1 waits for the end of the run as long as Prefer allows", async () => {
    const api = await deploy();
    expect((await create(api, way, {}, { Prefer: "wait=5" })).body.status).toBe("failed");
    expect((await create(api, way)).body.status).toBe("running");
  });

  test("RUN2 returns the run of a repeated idempotency key, and rejects the key with other content", async () => {
    const api = await deploy();
    const first = await create(api, way, {}, { "Idempotency-Key": "k" });
    const again = await create(api, way, { idempotencyKey: "k" });
    const conflict = await create(api, way, way.other, { "Idempotency-Key": "k" });
    expect([first.status, first.body.idempotencyKey]).toEqual([201, "k"]);
    expect([again.status, again.body.id]).toEqual([200, first.body.id]);
    expect([conflict.status, conflict.body.error]).toEqual([409, "idempotency_conflict"]);
    expect((await create(api, way, { idempotencyKey: "a" }, { "Idempotency-Key": "b" })).status).toBe(400);
    expect((await create(api, way, {}, { "Idempotency-Key": "x".repeat(257) })).body.error).toBe("invalid_id");
  });

  test("RUN2 keeps a key for the run id that was given with it", async () => {
    const api = await deploy();
    const named = await create(api, way, { runId: "A" }, { "Idempotency-Key": "k" });
    const byKey = await create(api, way, {}, { "Idempotency-Key": "k" });
    const other = await create(api, way, { runId: "B" }, { "Idempotency-Key": "k" });
    expect([named.body.id, byKey.body.id, byKey.status, other.status]).toEqual(["A", "A", 200, 409]);
    expect((await api.fetch("/api/runs/B")).status).toBe(404);
  });
});

test("RUN2 one idempotency key never stands for runs of different origins", async () => {
  const api = await deploy();
  for (const first of WAYS) {
    const headers = { "Idempotency-Key": first.name };
    expect((await create(api, first, {}, headers)).status).toBe(201);
    for (const second of WAYS.filter((way) => way !== first))
      expect((await create(api, second, {}, headers)).body.error).toBe("idempotency_conflict");
  }
});

test("RES1 a resumed run keeps the tenant data and the environment of its parent if the principal has none", async () => {
  const api = await deploy();
  const { body } = await create(api, WAYS[1] as Way);
  expect([body.tenantMeta, body.environment]).toEqual([{ plan: "gold" }, "production"]);
});
