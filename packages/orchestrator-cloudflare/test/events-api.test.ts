/** tests: events through the API: sending, testing, reading, replaying, and webhooks */
import { event, workflow } from "@holdfast/workflows";
import { createClient } from "@holdfast/workflows/client";
import { HOST_LIMITS, LIMITS } from "@holdfast/protocol";
import { createHmac } from "node:crypto";
import { describe, expect, test, vi } from "vitest";
import { type VerifyRequest, createInlineDispatcher, durableObjectIndex } from "../src/index.ts";
import { countedSamples } from "../src/telemetry/counters.ts";
import { FakeCoordinators } from "./fake-coordinators.ts";
import { FakeDeployment, FakeIndexNamespace } from "./fake-platform.ts";

const paid = event<{ orderId: string; cents: number }>("order.paid", { key: "orderId" });

const fulfil = workflow({
  id: "fulfil",
  on: [{ id: "large", event: paid, where: { "data.cents": { gte: 100 } }, input: { order: "data.orderId" } }],
  run: (input: { order: string }) => input.order,
});
const deeply = workflow({
  id: "deeply",
  on: [
    { id: "wraps", event: event("order.deep"), input: { a: { b: { c: "data" } } } },
    { id: "plain", event: event("order.deep") },
  ],
  run: () => "done",
});
const waiter = workflow({
  id: "waiter",
  run: (_input: unknown, ctx) => ctx.waitForEvent(paid, { key: "o-1" }),
});
const sender = workflow({
  id: "sender",
  run: (_input: unknown, ctx) => ctx.sendEvent(paid, { orderId: "o-1", cents: 5 }),
});

const SECRET = "whsec_c2VjcmV0IG9mIHRlc3Rz";

class Deployment {
  readonly coordinators: FakeCoordinators;
  readonly api: FakeDeployment;

  constructor(scopes: readonly string[] = ["read", "trigger", "deliver", "operate"]) {
    const index = durableObjectIndex({ binding: new FakeIndexNamespace() });
    const verifyRequest: VerifyRequest = ({ headers }) => ({
      subject: "ops",
      scopes: scopes as ["read"],
      ...(headers.has("Tenant") ? { tenantId: headers.get("Tenant") ?? "" } : {}),
    });
    const hooks = {
      standard: { verify: { type: "standard" as const, secret: SECRET }, tenantId: "t1", prefix: "acme." },
      stripe: { verify: { type: "stripe" as const, secret: ["old-secret", "new-secret"] }, key: "data.object.order" },
      github: { verify: { type: "github" as const, secret: "github-secret" } },
    };
    const dispatcher = createInlineDispatcher({ workflows: [fulfil, deeply, waiter, sender] });
    this.coordinators = new FakeCoordinators(() => ({ runDO: this.api.runDO, dispatcher }));
    const coordinatorDO = this.coordinators.binding;
    this.api = new FakeDeployment(
      [fulfil, deeply, waiter, sender],
      { runIndex: index, coordinatorDO, verifyRequest, hooks },
      dispatcher,
      { runIndex: index, coordinatorDO },
    );
  }

  async ask(path: string, json?: unknown, headers: Record<string, string> = {}) {
    const answer = await this.api.fetch(path, json === undefined ? { headers } : { json, headers });
    return { status: answer.status, body: await answer.json() };
  }

  /** Sends a body as it is. */
  async hook(source: string, body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string>) {
    const request = new Request(`https://flows.example/hooks/${source}`, { method: "POST", body, headers });
    const answer = await this.api.handle(request);
    return { status: answer.status, body: await answer.json() };
  }
}

const DATA = { orderId: "o-1", cents: 100 };

describe("POST /api/events", () => {
  test("EVT1 answers 202 with what the event does, which is stored, and a duplicate gets the same answer", async () => {
    const deployed = new Deployment();
    const sent = await deployed.ask("/api/events", { id: "e-1", name: "order.paid", data: DATA });
    expect(sent).toMatchObject({ status: 202, body: { eventId: "e-1", state: "accepted" } });
    expect(sent.body.targets).toMatchObject([
      { topic: "o-1" },
      { trigger: "large", workflowId: "fulfil", runId: expect.stringMatching(/^evt_/) },
    ]);
    const again = await deployed.ask("/api/events", { id: "e-1", name: "order.paid", data: DATA });
    expect(again.body).toEqual({ ...sent.body, state: "duplicate" });
    await vi.waitFor(async () =>
      expect(await deployed.ask(`/api/runs/${sent.body.targets[1].runId}`)).toMatchObject({
        body: {
          status: "completed",
          output: "o-1",
          triggeredBy: "event",
          event: { id: "e-1", name: "order.paid", trigger: "large" },
        },
      }),
    );
    const { body } = await deployed.ask("/api/events/e-1");
    expect(body).toMatchObject({ name: "order.paid", key: "o-1", data: DATA, by: "ops" });
    expect(body.targets).toMatchObject([{ state: "delivered" }, { state: "started" }]);
  });

  test("EVT1 EVT12 no caller chooses an id that belongs to webhooks", async () => {
    const deployed = new Deployment();
    const sent = { name: "order.paid", data: DATA };
    expect(await deployed.ask("/api/events", { ...sent, id: "hook_stripe_x" })).toMatchObject({
      status: 400,
      body: { error: "invalid_body", message: expect.stringMatching(/id: must not begin with "hook_"/) },
    });
    expect(await deployed.ask("/api/events", { ...sent, id: "hooked" })).toMatchObject({ status: 202 });
  });

  test("EVT5 an event wakes the run that waits for its key, and EVT13 a run can send it", async () => {
    const deployed = new Deployment();
    await deployed.ask("/api/runs", { runId: "w", workflowId: "waiter" });
    await vi.waitFor(async () =>
      expect((await deployed.ask("/api/runs/w")).body.pendingWaitpoints).toMatchObject([{ meta: { key: "o-1" } }]),
    );
    await deployed.ask("/api/runs", { runId: "s", workflowId: "sender" });
    await vi.waitFor(async () =>
      expect((await deployed.ask("/api/runs/w")).body).toMatchObject({ output: { orderId: "o-1", cents: 5 } }),
    );
    const { output } = (await deployed.ask("/api/runs/s")).body;
    expect((await deployed.ask(`/api/events/${output.eventId}`)).body).toMatchObject({
      by: "run s",
      unmatched: [{ trigger: "large", reason: "data.cents: gte 100 does not hold" }],
    });
  });

  test("EVT1 an idempotency key gives the same answer, and is a conflict with another event", async () => {
    const deployed = new Deployment();
    const headers = { "Idempotency-Key": "k-1" };
    const first = await deployed.ask("/api/events", { name: "order.paid", data: DATA }, headers);
    const again = await deployed.ask("/api/events", { name: "order.paid", data: DATA }, headers);
    expect(again.body).toEqual({ ...first.body, state: "duplicate" });
    const other = await deployed.ask("/api/events", { name: "order.paid", data: { ...DATA, cents: 1 } }, headers);
    expect(other).toMatchObject({ status: 409, body: { error: "idempotency_conflict" } });
    const unnamed = await deployed.ask("/api/events", { name: "order.paid", data: DATA });
    expect(unnamed.body.state).toBe("accepted");
  });

  test("EVT8 events that are sent one after the other reach the waits of a key in this order", async () => {
    const deployed = new Deployment();
    for (const n of [1, 2, 3, 4, 5])
      await deployed.ask("/api/events", { id: `e-${n}`, name: "order.paid", data: DATA });
    const topic = deployed.coordinators.storages.get("topic\u0001\u0001order.paid\u0002o-1");
    const ids = [...(topic?.kv.list({ prefix: "event/" }) ?? [])].map(([, row]) => (row as { id: string }).id);
    expect(ids).toEqual(["e-1", "e-2", "e-3", "e-4", "e-5"]);
  });

  test("SEC2 events of a tenant reach only its own runs and records", async () => {
    const deployed = new Deployment();
    await deployed.ask("/api/events", { id: "e-1", name: "order.paid", data: DATA }, { Tenant: "a" });
    expect((await deployed.ask("/api/events/e-1", undefined, { Tenant: "b" })).status).toBe(404);
    expect((await deployed.ask("/api/events/e-1", undefined, { Tenant: "a" })).status).toBe(200);
  });

  test("LIM2 refuses fields that are invalid, and a deployment without the binding", async () => {
    const deployed = new Deployment();
    for (const body of [{}, { name: "" }, { name: "a\u0001" }, { name: "a", at: "never" }, { name: "a", x: 1 }])
      expect([body, (await deployed.ask("/api/events", body)).status]).toEqual([body, 400]);
    const keyed = await deployed.ask("/api/events", { name: "order.paid", data: { orderId: { no: "key" } } });
    expect(keyed).toMatchObject({ status: 400, body: { message: expect.stringContaining("orderId cannot be a key") } });
    const bare = new FakeDeployment([fulfil], { verifyRequest: "open" });
    expect(await bare.fetch("/api/events", { json: { name: "a" } }).then(({ status }) => status)).toBe(501);
  });

  test("LIM2 a cursor that no answer had is refused, so no reader gets the first page again and again", async () => {
    const deployed = new Deployment();
    for (const path of ["/api/events", "/api/limits"])
      expect(await deployed.ask(`${path}?cursor=%25`)).toMatchObject({
        status: 400,
        body: { error: "invalid_query", message: expect.stringContaining("send a nextCursor unchanged") },
      });
  });

  test("LIM2 an invalid id in a path is named as what it is", async () => {
    const deployed = new Deployment();
    for (const [path, title] of [
      ["/api/events/%00", "event id"],
      ["/api/topics/%00/k", "name of the event"],
      ["/api/schedules/%00", "schedule id"],
      ["/api/runs/%00", "run id"],
    ] as const)
      expect(await deployed.ask(path)).toMatchObject({
        status: 400,
        body: { error: "invalid_id", message: `The ${title} must not hold control characters.` },
      });
    // Any text may be a key.
    expect(await deployed.ask("/api/topics/n/%00")).toMatchObject({ status: 404, body: { error: "not_found" } });
  });
});

describe("tests and replays of events", () => {
  test("EVT11 a test says what matches, what does not and why, and stores nothing", async () => {
    const deployed = new Deployment();
    const { body } = await deployed.ask("/api/events/test", { name: "order.paid", data: DATA });
    expect(body).toEqual({
      key: "o-1",
      matches: [{ trigger: "large", workflowId: "fulfil", input: { order: "o-1" } }],
      unmatched: [],
    });
    const small = await deployed.ask("/api/events/test", { name: "order.paid", data: { orderId: "o", cents: 1 } });
    expect(small.body.unmatched).toMatchObject([{ trigger: "large", reason: "data.cents: gte 100 does not hold" }]);
    for (const { kv } of deployed.coordinators.storages.values()) expect([...kv.list({})]).toEqual([]);
  });

  test("EVT11 missing starts nothing that was started, and force starts runs with new ids, audited", async () => {
    const deployed = new Deployment();
    const { body: sent } = await deployed.ask("/api/events", { id: "e-1", name: "order.paid", data: DATA });
    await vi.waitFor(async () =>
      expect((await deployed.ask("/api/events/e-1")).body.targets).toMatchObject([{}, { state: "started" }]),
    );
    const missing = await deployed.ask("/api/events/e-1/replay", { mode: "missing" });
    expect(missing).toMatchObject({ status: 202, body: { replays: [{ by: "ops", mode: "missing", targets: 0 }] } });
    const { body } = await deployed.ask("/api/events/e-1/replay", { mode: "force", triggers: ["large"] });
    const forced = `${sent.targets[1].runId}_r1`;
    expect(body.targets.at(-1)).toMatchObject({ trigger: "large", runId: forced });
    expect(body.replays).toMatchObject([{ targets: 0 }, { mode: "force", targets: 1 }]);
    await vi.waitFor(async () => expect((await deployed.ask(`/api/runs/${forced}`)).status).toBe(200));
    const none = await deployed.ask("/api/events/e-1/replay", { mode: "force", triggers: ["other"] });
    expect(none).toMatchObject({
      status: 400,
      body: {
        error: "invalid_body",
        message: `triggers: the event "order.paid" has no trigger "other" in this deployment. Its triggers are large.`,
      },
    });
    expect((await deployed.ask("/api/events/e-1")).body.replays).toHaveLength(2);
    expect((await deployed.ask("/api/events/none/replay", { mode: "force" })).status).toBe(404);
  });

  test("EVT11 waits get the event again at each replay, also after more replays than the record lists", async () => {
    const deployed = new Deployment();
    await deployed.ask("/api/events", { id: "e-1", name: "order.paid", data: DATA });
    const replays = HOST_LIMITS.eventReplays + 2;
    for (let i = 0; i < replays; i++)
      await deployed.ask("/api/events/e-1/replay", { mode: "missing", triggers: [], waits: true });
    const { body } = await deployed.ask("/api/topics/order.paid/o-1");
    const ids = body.newest.map(({ id }: { id: string }) => id);
    expect(ids[0]).toBe(`e-1_r${replays}`);
  });

  test("EVT3 a trigger whose input cannot be encoded starts no run and says why, and harms no other", async () => {
    const deployed = new Deployment();
    let deep: unknown = 1;
    for (let level = 0; level < LIMITS.valueDepth - 2; level++) deep = [deep];
    const data = { orderId: deep, cents: 100 };
    const sent = await deployed.ask("/api/events", { id: "e-1", key: "o-1", name: "order.deep", data });
    expect(sent).toMatchObject({ status: 202 });
    expect(sent.body.targets).toMatchObject([{ topic: "o-1" }, { trigger: "plain" }]);
    const { body } = await vi.waitFor(async () => {
      const read = await deployed.ask("/api/events/e-1");
      expect(read.body.targets).toMatchObject([{ state: "delivered" }, { state: "started" }]);
      return read;
    });
    const reason = expect.stringContaining("The input cannot be encoded: it is nested too deeply");
    expect(body.unmatched).toEqual([{ trigger: "wraps", workflowId: "deeply", reason }]);
  });

  test("SEC1 a replay needs the scope operate, and sending the scope deliver", async () => {
    const deployed = new Deployment(["read"]);
    expect((await deployed.ask("/api/events", { name: "a" })).status).toBe(403);
    expect((await deployed.ask("/api/events/e/replay", { mode: "force" })).status).toBe(403);
    expect((await deployed.ask("/api/events/test", { name: "a" })).status).toBe(200);
  });
});

describe("the client", () => {
  test("EVT1 EVT11 sends events of a definition with their key, tests, reads and replays them", async () => {
    const deployed = new Deployment();
    const client = createClient({
      url: "https://flows.example",
      token: "t",
      fetch: (request) => deployed.api.handle(request),
    });
    const sent = await client.sendEvent(paid, DATA, { id: "e-1", at: new Date(5), source: "tests" });
    expect(sent.targets).toMatchObject([{ topic: "o-1" }, { trigger: "large" }]);
    expect((await client.sendEvent("other", { any: 1 })).targets).toEqual([]);
    expect(await client.testEvent(paid, DATA)).toMatchObject({ key: "o-1", matches: [{ trigger: "large" }] });
    expect(await client.event("e-1").get()).toMatchObject({ at: 5, source: "tests", data: DATA });
    expect((await client.event("e-1").replay({ mode: "force" })).targets).toHaveLength(3);
    await expect(client.event("none").get()).rejects.toMatchObject({ code: "not_found" });
  });
});

describe("counters", () => {
  test("OBS3 events are counted, repeated ones apart, and each target by what became of it", async () => {
    // A tenant of its own: what other tests began may still be counted.
    const of = (): Record<string, number> =>
      Object.fromEntries(
        ["holdfast_events_total", "holdfast_event_targets_total"].flatMap((name) =>
          (countedSamples({ tenantId: "counted" })[name] ?? []).map(([[outcome], value]) => [outcome, value]),
        ),
      );
    const deployed = new Deployment();
    for (let times = 0; times < 2; times++)
      await deployed.ask("/api/events", { id: "e-1", name: "order.paid", data: DATA }, { Tenant: "counted" });
    await vi.waitFor(() => expect(of()).toEqual({ accepted: 1, duplicate: 1, started: 1, delivered: 1 }));
  });
});

describe("lists", () => {
  test("EVT15 the newest events are listed with what they do, for their tenant alone, by name and by pages", async () => {
    const deployed = new Deployment();
    for (const [id, cents] of [
      ["e-1", 500],
      ["e-2", 5],
      ["e-3", 500],
    ] as const)
      await deployed.ask("/api/events", { id, name: "order.paid", data: { orderId: id, cents } });
    await deployed.ask("/api/events", { id: "x-1", name: "other", data: null });
    await deployed.ask("/api/events", { id: "t-1", name: "other", data: null }, { Tenant: "t1" });
    const idsOf = (body: { events: { id: string }[] }): string[] => body.events.map(({ id }) => id);
    await vi.waitFor(async () => {
      const { body } = await deployed.ask("/api/events");
      expect(idsOf(body).toSorted()).toEqual(["e-1", "e-2", "e-3", "x-1"]);
    });
    expect(idsOf((await deployed.ask("/api/events", undefined, { Tenant: "t1" })).body)).toEqual(["t-1"]);
    const first = await deployed.ask("/api/events?name=order.paid&limit=2");
    const second = await deployed.ask(`/api/events?name=order.paid&limit=2&cursor=${first.body.nextCursor}`);
    expect(second.body.nextCursor).toBe(null);
    const events = [...first.body.events, ...second.body.events];
    expect(idsOf({ events }).toSorted()).toEqual(["e-1", "e-2", "e-3"]);
    expect(events.find(({ id }) => id === "e-2")).toMatchObject({ unmatched: 1, targets: [{ topic: "e-2" }] });
    expect(events.find(({ id }) => id === "e-1").targets).toHaveLength(2);
    expect(JSON.stringify(events)).not.toContain("cents");
  });

  test("EVT15 a topic shows its events and the runs that wait, and a key that nobody uses is not found", async () => {
    const deployed = new Deployment();
    const client = createClient({ url: "https://api.test", fetch: (request) => deployed.api.handle(request) });
    await client.trigger("waiter", {}, { runId: "w" });
    await vi.waitFor(async () =>
      expect((await client.topic("order.paid", "o-1")).waiting).toMatchObject([{ runId: "w" }]),
    );
    await client.sendEvent(paid, { orderId: "o-2", cents: 1 }, { id: "e-1" });
    await client.sendEvent(paid, { orderId: "o-2", cents: 1 }, { id: "e-2" });
    await vi.waitFor(async () => {
      const topic = await client.topic("order.paid", "o-2");
      expect(topic).toMatchObject({ events: 2, subscribers: 0, newest: [{ id: "e-2" }, { id: "e-1" }] });
    });
    expect(await deployed.ask("/api/topics/order.paid/none")).toMatchObject({ status: 404 });
  });
});

describe("webhooks", () => {
  const now = (): string => String(Math.floor(Date.now() / 1_000));
  const hmac = (key: string | Buffer, text: string) => createHmac("sha256", key).update(text);
  const standard = (body: string, time = now(), id = "m-1") => ({
    "webhook-id": id,
    "webhook-timestamp": time,
    "webhook-signature": `v1,bm8= v1,${hmac(Buffer.from("secret of tests"), `${id}.${time}.${body}`).digest("base64")}`,
  });
  const body = JSON.stringify({ type: "paid", id: "x", data: { object: { order: "o-7" } } });

  test("EVT12 a signed webhook is an event of the tenant of its registration, with its raw body", async () => {
    const deployed = new Deployment();
    const sent = await deployed.hook("standard", body, standard(body));
    expect(sent).toMatchObject({ status: 202, body: { eventId: "hook_standard_m-1", state: "accepted" } });
    expect((await deployed.hook("standard", body, standard(body))).body.state).toBe("duplicate");
    const { body: record } = await deployed.ask("/api/events/hook_standard_m-1", undefined, { Tenant: "t1" });
    expect(record).toMatchObject({ name: "acme.paid", source: "standard", by: "hook standard" });
    const stored = deployed.coordinators.storages.get("event\u0001t1\u0001hook_standard_m-1")?.kv.get("event");
    expect(stored).toMatchObject({ raw: { body, headers: { "webhook-id": "m-1" } } });
  });

  test("EVT12 Stripe and GitHub: secrets are replaced, and name, id and key come from the body", async () => {
    const deployed = new Deployment();
    const time = now();
    const signature = `t=${time},v1=${"0".repeat(64)},v1=${hmac("new-secret", `${time}.${body}`).digest("hex")}`;
    const stripe = await deployed.hook("stripe", body, { "Stripe-Signature": signature });
    expect(stripe).toMatchObject({ status: 202, body: { eventId: "hook_stripe_x", targets: [{ topic: "o-7" }] } });
    const github = await deployed.hook("github", body, {
      "X-Hub-Signature-256": `sha256=${hmac("github-secret", body).digest("hex")}`,
      "X-GitHub-Delivery": "d-1",
      "X-GitHub-Event": "push",
    });
    expect(github).toMatchObject({ status: 202, body: { eventId: "hook_github_d-1" } });
  });

  test("EVT12 the bytes of a body are verified as they arrived, also with a mark of their order in front", async () => {
    const deployed = new Deployment();
    const marked = `\uFEFF${body}`;
    const sent = await deployed.hook("standard", marked, standard(marked));
    expect(sent).toMatchObject({ status: 202, body: { eventId: "hook_standard_m-1" } });
    const stored = deployed.coordinators.storages.get("event\u0001t1\u0001hook_standard_m-1")?.kv.get("event");
    expect(stored).toMatchObject({ raw: { body: marked }, event: { name: "acme.paid" } });
    // Nobody has signed these bytes.
    expect(await deployed.hook("standard", marked, standard(body))).toMatchObject({ status: 401 });
    expect(await deployed.hook("standard", body, standard(marked))).toMatchObject({ status: 401 });
    expect(await deployed.hook("standard", `\uFEFF${marked}`, standard(marked))).toMatchObject({ status: 401 });
  });

  test("EVT12 a body that is not UTF-8 is refused, however it is signed", async () => {
    const deployed = new Deployment();
    const bytes = Buffer.concat([Buffer.from('{"type":"paid","id":"'), Buffer.from([0xc3, 0x28]), Buffer.from('"}')]);
    const digest = createHmac("sha256", "github-secret").update(bytes).digest("hex");
    const replaced = createHmac("sha256", "github-secret").update(bytes.toString()).digest("hex");
    for (const signature of [digest, replaced]) {
      const headers = { "X-Hub-Signature-256": `sha256=${signature}`, "X-GitHub-Delivery": "d-1" };
      expect(await deployed.hook("github", bytes, headers)).toMatchObject({
        status: 400,
        body: { error: "invalid_json" },
      });
    }
    expect(deployed.coordinators.requests).toBe(0);
  });

  test("EVT9 EVT12 a number that JSON readers round is no id of a webhook: its neighbour would be a duplicate", async () => {
    const deployed = new Deployment();
    const time = now();
    const send = (id: string) => {
      const text = `{"type":"paid","id":${id},"order":{"no":7}}`;
      const signature = hmac("new-secret", `${time}.${text}`).digest("hex");
      return deployed.hook("stripe", text, { "Stripe-Signature": `t=${time},v1=${signature}` });
    };
    expect(await send("12345678901234567890")).toMatchObject({
      status: 400,
      body: { message: expect.stringContaining("above 9007199254740991") },
    });
    expect(await send("9007199254740991")).toMatchObject({ body: { eventId: "hook_stripe_9007199254740991" } });
  });

  test("EVT9 the client sends a number or boolean as a key, and no number that JSON readers round", async () => {
    const deployed = new Deployment();
    const client = createClient({ url: "https://api.test", fetch: (request) => deployed.api.handle(request) });
    const odd = event<{ of: unknown }>("odd", { key: "of" });
    for (const of of [7, true])
      expect(await client.sendEvent(odd, { of })).toMatchObject({ targets: [{ topic: `${of}` }] });
    await expect(client.sendEvent(odd, { of: 2 ** 53 })).rejects.toMatchObject({ code: "invalid_body" });
  });

  test("API2 a mark in front of any other body is skipped", async () => {
    const deployed = new Deployment();
    const headers = { "Content-Type": "application/json" };
    const request = new Request("https://flows.example/api/events", {
      method: "POST",
      headers,
      body: `\uFEFF${JSON.stringify({ name: "paid", id: "e-marked", data: {} })}`,
    });
    expect((await deployed.api.handle(request)).status).toBe(202);
  });

  test("EVT12 what is not verified is answered 401, and nothing of it is stored", async () => {
    const deployed = new Deployment();
    const good = standard(body);
    const old = String(Number(now()) - 3_600);
    const cases: readonly [string, string, Record<string, string>][] = [
      ["standard", `${body} `, good],
      ["standard", body, {}],
      ["standard", body, { ...good, "webhook-id": "m-2" }],
      ["standard", body, { ...good, "webhook-signature": "v1,AAAA" }],
      ["standard", body, { ...good, "webhook-signature": "" }],
      ["standard", body, standard(body, old)],
      ["standard", body, standard(body, "NaN")],
      ["stripe", body, { "Stripe-Signature": `t=${now()},v1=zz` }],
      ["stripe", body, { "Stripe-Signature": `t=${old},v1=${hmac("new-secret", `${old}.${body}`).digest("hex")}` }],
      ["github", body, { "X-Hub-Signature-256": `sha1=${hmac("github-secret", body).digest("hex")}` }],
      ["github", body, { "X-Hub-Signature-256": `sha256=${hmac("other-secret", body).digest("hex")}` }],
      ["none", body, good],
      ["__proto__", body, good],
    ];
    for (const [source, text, headers] of cases) {
      const answer = await deployed.hook(source, text, headers);
      expect([source, headers, answer.status, answer.body.error]).toEqual([source, headers, 401, "unauthorized"]);
    }
    expect(deployed.coordinators.requests).toBe(0);
  });
});
