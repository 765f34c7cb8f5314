/** tests: replays of many events */
import { event, workflow } from "@holdfast/workflows";
import { createClient } from "@holdfast/workflows/client";
import { HOST_LIMITS } from "@holdfast/protocol";
import { expectOutput } from "@holdfast/proof/output";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { type StepDispatcher, type VerifyRequest, createInlineDispatcher } from "../src/index.ts";
import { FakeCoordinators } from "./fake-coordinators.ts";
import { FakeDeployment } from "./fake-platform.ts";

const paid = event<{ n: number }>("order.paid", { key: "n" });
const other = event("other");
const fulfil = workflow({ id: "fulfil", on: [{ id: "paid", event: paid }], run: async (input: unknown) => input });
const late = workflow({ id: "late", on: [{ id: "late", event: paid }], run: async (input: unknown) => input });
const others = workflow({ id: "others", on: [{ id: "other", event: other }], run: async (input: unknown) => input });

const START = new Date("2030-01-01T00:00:00Z");
const MINUTE_MS = 60_000;

describe("replays of many events", () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["Date"], now: START });
    return () => vi.useRealTimers();
  });

  test("EVT11 by default it starts what is missing, of a name and a time, the oldest first; a dry run starts nothing", async () => {
    const { client, served } = deploy();
    for (let n = 0; n < 4; n++) {
      await client.sendEvent(paid, { n }, { id: `e-${n}` });
      await client.sendEvent(other, {}, { id: `o-${n}` });
      vi.setSystemTime(Date.now() + MINUTE_MS);
    }
    const [from, until] = [1, 3].map((minutes) => new Date(START.getTime() + minutes * MINUTE_MS)) as [Date, Date];
    const replay = (more: object) => all(client.replayEvents({ name: "order.paid", from, until, ...more }));
    await vi.waitFor(async () => expect((await replay({ dryRun: true })).map(({ id }) => id)).toEqual(["e-1", "e-2"]));
    expect((await replay({})).flatMap(({ starts }) => starts)).toEqual([]);
    served.push(late);
    vi.setSystemTime(Date.now() + 2 * MINUTE_MS);
    const dry = await replay({ dryRun: true });
    expect(dry.map(({ starts }) => starts)).toMatchObject([[{ trigger: "late" }], [{ workflowId: "late" }]]);
    expect((await client.event("e-1").get()).replays).toEqual([]);
    expect(await replay({})).toEqual(dry);
    for (const { starts } of dry) for (const { runId } of starts) await vi.waitFor(() => client.run(runId).result());
    expect((await client.event("e-1").get()).replays).toMatchObject([{ by: "ops", mode: "missing", targets: 1 }]);
    expect((await client.event("e-0").get()).targets).toHaveLength(2);
    expect((await replay({})).flatMap(({ starts }) => starts)).toEqual([]);
  });

  test("EVT11 force starts runs under new ids, and waits get the events in the order of their acceptance", async () => {
    const { client } = deploy();
    for (let n = 0; n < 3; n++) {
      await client.sendEvent(paid, { n }, { id: `e-${n}`, key: "same" });
      vi.setSystemTime(Date.now() + 1);
    }
    const options = { name: "order.paid", from: START, mode: "force", waits: true } as const;
    await vi.waitFor(async () => expect(await all(client.replayEvents({ ...options, dryRun: true }))).toHaveLength(3));
    const replayed = await all(client.replayEvents(options));
    expect(replayed).toMatchObject(
      Array.from({ length: 3 }, () => ({ topic: "same", starts: [{ runId: expect.stringMatching(/_r1$/) }] })),
    );
    const { newest } = await client.topic("order.paid", "same");
    expect(newest.slice(0, 3).map(({ id }) => id)).toEqual(["e-2_r1", "e-1_r1", "e-0_r1"]);
  });

  test("EVT11 a page that fails half-way says what it has started, and its cursor continues with the event that failed", async () => {
    const { api, client, coordinators } = deploy();
    for (let n = 0; n < 4; n++) {
      await client.sendEvent(paid, { n }, { id: `e-${n}` });
      vi.setSystemTime(Date.now() + 1);
    }
    const range = { name: "order.paid", from: 0, mode: "force" };
    const replay = async (more: object = {}) => {
      const answer = await api.fetch("/api/events/replay", { json: { ...range, ...more } });
      const body = (await answer.json()) as { events?: { id: string }[]; nextCursor?: string; error?: string };
      return {
        status: answer.status,
        ids: body.events?.map(({ id }) => id),
        cursor: body.nextCursor,
        error: body.error,
      };
    };
    await vi.waitFor(async () => expect((await replay({ dryRun: true })).ids).toHaveLength(4));
    const get = coordinators.binding.get.bind(coordinators.binding);
    const broken = vi
      .spyOn(coordinators.binding, "get")
      .mockImplementation((name) =>
        name.endsWith("e-2") ? { fetch: () => Promise.reject(new Error("the object is away")) } : get(name),
      );
    const first = await replay();
    expect(first).toMatchObject({ status: 202, ids: ["e-0", "e-1"], cursor: expect.any(String) });
    expectOutput("an object that is away", /the object is away/);
    const second = await replay({ cursor: first.cursor });
    expect(second.status).toBeGreaterThanOrEqual(500);
    broken.mockRestore();
    expect(await replay({ cursor: first.cursor })).toMatchObject({ status: 202, ids: ["e-2", "e-3"], cursor: null });
    for (let n = 0; n < 4; n++) expect((await client.event(`e-${n}`).get()).replays).toHaveLength(1);
  });

  test("EVT11 it reads more events than a page has, each once", async () => {
    const { client } = deploy();
    const count = HOST_LIMITS.eventPage + 3;
    for (let n = 0; n < count; n++) await client.sendEvent(other, {}, { id: `o-${n}` });
    const seen = async () => {
      const found = await all(client.replayEvents({ name: "other", from: START, dryRun: true }));
      return new Set(found.map(({ id }) => id)).size;
    };
    await vi.waitFor(async () => expect(await seen()).toBe(count));
  });

  test.each([
    ["from", { from: "5" }],
    ["from", { from: "2030-02-30T00:00:00Z" }],
    ["cursor", { from: 0, cursor: "%%%" }],
  ])("EVT11 LIM2 %s that cannot be read is refused: it would be another one", async (field, range) => {
    const { api } = deploy();
    const answer = await api.fetch("/api/events/replay", { json: { name: "other", ...range, dryRun: true } });
    const { error, message } = (await answer.json()) as { error: string; message: string };
    expect([answer.status, error, message.includes(`${field}: `)]).toEqual([400, "invalid_body", true]);
  });

  test("SEC1 it needs the scope operate", async () => {
    const { api } = deploy(["read", "deliver"]);
    const answer = await api.fetch("/api/events/replay", { json: { name: "order.paid", from: 0, dryRun: true } });
    expect(answer.status).toBe(403);
  });
});

async function all<T>(given: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const one of given) found.push(one);
  return found;
}

function deploy(scopes: readonly ("read" | "deliver" | "operate")[] = ["read", "deliver", "operate"]) {
  const served = [fulfil, others];
  const inline = createInlineDispatcher({ workflows: [fulfil, late, others] });
  // A step handler in another process, whose list is read again after a minute.
  const dispatcher: StepDispatcher = {
    start: (start, port) => inline.start(start, port),
    workflows: async () => (await inline.workflows()).filter(({ id }) => served.some((one) => one.id === id)),
  };
  const coordinators: FakeCoordinators = new FakeCoordinators(() => ({ dispatcher, runDO: api.runDO }));
  const coordinatorDO = coordinators.binding;
  const verifyRequest: VerifyRequest = () => ({ subject: "ops", scopes: [...scopes] });
  const api: FakeDeployment = new FakeDeployment([fulfil, late, others], { coordinatorDO, verifyRequest }, undefined, {
    coordinatorDO,
  });
  const fetch = (request: Request) => api.handle(request);
  return { api, served, coordinators, client: createClient({ url: "https://flows.example", token: "t", fetch }) };
}
