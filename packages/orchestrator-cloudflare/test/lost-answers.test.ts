/** tests: acts on limits, windows, schedules and events whose answers are lost: the client repeats them (API10) */
import { event, limit, workflow } from "@holdfast/workflows";
import { createClient } from "@holdfast/workflows/client";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type VerifyRequest, createInlineDispatcher } from "../src/index.ts";
import { FakeCoordinators } from "./fake-coordinators.ts";
import { FakeDeployment } from "./fake-platform.ts";

const paid = event<{ n: number }>("order.paid", { key: "n" });
const slots = limit("slots", { max: 1 });
const fulfil = workflow({ id: "fulfil", on: [{ id: "paid", event: paid }], run: async (input: unknown) => input });
const mail = workflow({ id: "mail", debounce: { wait: "1h" }, run: async (input: unknown) => input });
const held = workflow({
  id: "held",
  limits: [slots.hold("run")],
  run: (_input, ctx) => ctx.waitForSignal("go"),
});
const nightly = workflow({ id: "nightly", run: async () => "done" });

class Deployment {
  readonly coordinators: FakeCoordinators = new FakeCoordinators(() => ({ runDO: this.api.runDO, dispatcher }));
  readonly api: FakeDeployment;
  readonly client;
  /** Called in place of the answer to the next request that is no read. */
  #loses: (() => Promise<unknown>) | undefined;

  constructor() {
    const coordinatorDO = this.coordinators.binding;
    const verifyRequest: VerifyRequest = () => ({ subject: "ops", scopes: ["read", "trigger", "deliver", "operate"] });
    this.api = new FakeDeployment([], { coordinatorDO, verifyRequest }, dispatcher, { coordinatorDO, rev: 1 });
    const fetch = async (request: Request): Promise<Response> => {
      const answer = await this.api.handle(request);
      const loses = request.method === "GET" ? undefined : this.#loses;
      if (loses === undefined) return answer;
      this.#loses = undefined;
      await answer.text();
      await loses();
      throw new TypeError("Failed to fetch");
    };
    this.client = createClient({ url: "https://flows.example", token: "t", retryAfterMs: 1, fetch });
  }

  /** Executes an act. Its first answer is lost, and others do something before it is repeated. */
  async lose<T>(act: () => Promise<T>, meanwhile: () => Promise<unknown> = async () => {}): Promise<T> {
    const lost = vi.fn(meanwhile);
    this.#loses = lost;
    const result = await act();
    expect(lost).toHaveBeenCalledOnce();
    return result;
  }
}

const dispatcher = createInlineDispatcher({ workflows: [fulfil, mail, held, nightly] });

let deployment: Deployment;

describe("acts whose answers are lost", () => {
  beforeEach(() => {
    vi.spyOn(console, "log").mockReturnValue();
    deployment = new Deployment();
  });
  afterEach(() => vi.restoreAllMocks());

  test("API10 a run is kicked from a limit once, and the settings of the limit are what the request asked for", async () => {
    const { client } = deployment;
    const first = await client.trigger(held);
    const second = await client.trigger(held);
    const gate = client.limit("slots");
    await vi.waitFor(async () => expect(await gate.get()).toMatchObject({ held: 1, queued: 1 }));
    expect(await deployment.lose(() => gate.kick(second.id))).toMatchObject({ held: 1, queued: 0 });
    expect(await deployment.lose(() => gate.pause())).toMatchObject({ paused: { by: "ops" } });
    expect(await deployment.lose(() => gate.unpause())).not.toHaveProperty("paused");
    expect(await deployment.lose(() => gate.setMax(2))).toMatchObject({ max: 2 });
    await vi.waitFor(async () => expect(await second.get()).toMatchObject({ status: "cancelled" }));
    expect(await first.get()).toMatchObject({ status: "waiting" });
  });

  test("API10 a window is fired or cancelled once: the one after it stays open", async () => {
    const { client } = deployment;
    const run = await client.trigger(mail, 1);
    const window = client.window(mail);
    let next = "";
    const fired = await deployment.lose(
      () => window.fire(),
      async () => (next = (await client.trigger(mail, 2)).id),
    );
    expect(fired).toMatchObject({ state: "fired", runId: run.id, count: 1 });
    expect(await window.get()).toMatchObject({ runId: next, state: "debounced" });
    expect(await deployment.lose(() => window.cancel())).toMatchObject({ state: "cancelled", runId: next });
    expect(await run.result()).toBe(1);
  });

  test("API10 a backfill begins once, also if it has ended before it is repeated", async () => {
    const { client } = deployment;
    await client.createSchedule({ id: "nightly", workflow: "nightly", every: "1h" });
    const schedule = client.schedule("nightly");
    const until = new Date(Math.floor(Date.now() / 3_600_000) * 3_600_000);
    const range = {
      from: new Date(until.getTime() - 3_600_000).toISOString(),
      until: until.toISOString(),
      overlap: "allow",
      again: true,
    } as const;
    const hasEnded = () => vi.waitFor(async () => expect(await schedule.get()).not.toHaveProperty("backfill"));
    expect(await deployment.lose(() => schedule.backfill(range), hasEnded)).toMatchObject({ total: 1 });
    const { ticks } = await schedule.get();
    expect(ticks.filter(({ kind }) => kind === "backfill")).toMatchObject([{ outcome: "fired" }]);
    expect(await schedule.get()).not.toHaveProperty("backfill");
    expect(await deployment.lose(() => schedule.pause("enough"))).toMatchObject({ paused: { reason: "enough" } });
    await deployment.lose(() => schedule.delete());
  });

  test("API10 an event is replayed by force once, alone and with others", async () => {
    const { client } = deployment;
    const { eventId: id } = await client.sendEvent(paid, { n: 1 });
    const sent = client.event(id);
    expect((await deployment.lose(() => sent.replay({ mode: "force" }))).targets).toHaveLength(3);
    const all = async () => {
      const found = [];
      for await (const one of client.replayEvents({ name: "order.paid", from: new Date(0), mode: "force" }))
        found.push(one);
      return found;
    };
    await vi.waitFor(async () =>
      expect(await client.events({ name: "order.paid" }).next()).toHaveProperty("value.id", id),
    );
    expect(await deployment.lose(all)).toMatchObject([{ id, starts: [{ runId: expect.stringMatching(/_r2$/) }] }]);
    expect((await sent.get()).targets).toHaveLength(4);
  });
});
