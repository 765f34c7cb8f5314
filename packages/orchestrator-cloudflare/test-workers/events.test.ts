/** tests: events in workerd: triggers, waits, sending, cancelling and webhooks, through aborts of all objects */
import { beforeEach, expect, test } from "vitest";
import { call, read, signal, trigger, untilStatus } from "./api-client.ts";
import { abortAll, resetAfterEach } from "./declared-output.ts";
import { effects } from "./workflows.ts";

interface Accepted {
  readonly eventId: string;
  readonly state: string;
  readonly targets: readonly { readonly runId?: string; readonly state: string }[];
}

beforeEach(() => {
  effects.length = 0;
});
resetAfterEach();

async function send(name: string, data: object, id: string): Promise<Accepted> {
  const answer = await call("/api/events", { name, data, id });
  expect(answer.status).toBe(202);
  return answer.json();
}

/** Waits until every target of an event has answered, and returns its record. */
async function settled(id: string): Promise<Accepted> {
  const record = async (): Promise<Accepted> => (await call(`/api/events/${id}`)).json();
  const isPending = async (): Promise<boolean> => (await record()).targets.some(({ state }) => state === "pending");
  await expect.poll(isPending, { timeout: 20_000, interval: 20 }).toBe(false);
  return record();
}

function runOf({ targets }: Accepted): string {
  return targets.find(({ runId }) => runId !== undefined)?.runId ?? "no run";
}

test("EVT1 EVT3 an event starts its run once, also if all objects are aborted right after the 202", async () => {
  const accepted = await send("order.paid", { orderId: "o-1", cents: 100 }, "e-1");
  expect(accepted.state).toBe("accepted");
  await abortAll();
  const again = await send("order.paid", { orderId: "o-1", cents: 100 }, "e-1");
  expect(again).toEqual({ ...accepted, state: "duplicate" });
  expect(await untilStatus(runOf(accepted), "completed")).toMatchObject({ output: "o-1", triggeredBy: "event" });
  const { targets } = await settled("e-1");
  expect(targets.map(({ state }) => state)).toEqual(["delivered", "started"]);
  expect(effects).toEqual(["pack o-1"]);
});

test("EVT5 EVT13 an event is found by a wait before it and by one after it, and a run sends one", async () => {
  await trigger("waits for payment", "before", { orderId: "o-2" });
  await trigger("waits for payment", "after", { orderId: "o-2", after: "go" });
  await abortAll();
  const sent = await trigger("pays", "payer", { orderId: "o-2", cents: 7 });
  expect(sent).toMatchObject({ status: "completed", output: { eventId: expect.any(String) } });
  expect((await untilStatus("before", "completed")).output).toBe(7);
  await abortAll();
  await signal("after", "go");
  expect((await untilStatus("after", "completed")).output).toBe(7);
});

test("EVT14 the event of cancelOn cancels the run with its key, and no other", async () => {
  for (const orderId of ["o-3", "o-4"]) await trigger("waits for payment", orderId, { orderId });
  await send("order.stopped", { orderId: "o-3" }, "e-3");
  await untilStatus("o-3", "cancelled");
  expect((await read("o-4")).status).toBe("waiting");
});

test.each(["rpc", "fetch", "http", "frames"])(
  "EVT14 cancelOn of a workflow in another process cancels the run with its key, and no other, over %s",
  async (pipe) => {
    const runs = [1, 2].map((n) => ({ id: `listed-${pipe}-${n}`, orderId: `${pipe}-${n}` }));
    for (const { id, orderId } of runs) await trigger("watched-stops", id, { orderId });
    await abortAll();
    const stopped = { id: `e-${pipe}`, name: "watched.stopped", key: `${pipe}-1`, data: {} };
    expect((await call("/api/events", stopped)).status).toBe(202);
    await untilStatus(`listed-${pipe}-1`, "cancelled");
    expect((await read(`listed-${pipe}-2`)).status).toBe("waiting");
  },
);

test("EVT2 EVT16 a function decides, and what a schema refuses is not stored, also after all objects are aborted", async () => {
  const small = await send("order.checked", { cents: 5 }, "c-1");
  expect(small.targets).toEqual([]);
  await abortAll();
  expect(await (await call("/api/events/c-1")).json()).toMatchObject({
    unmatched: [{ trigger: "large", reason: "where: the function returned false" }],
  });
  const large = await send("order.checked", { cents: 100 }, "c-2");
  expect((await untilStatus(runOf(large), "completed")).output).toBe(100);
  const refused = await call("/api/events", { name: "order.checked", data: { cents: "5" }, id: "c-3" });
  expect([refused.status, await refused.json()]).toMatchObject([
    422,
    { error: "invalid_event_data", details: { issues: [{ path: "/cents" }] } },
  ]);
  await abortAll();
  expect((await call("/api/events/c-3")).status).toBe(404);
  const failed = await trigger("sends checked", "bad", { cents: "5" });
  expect(failed).toMatchObject({ status: "failed", error: { code: "INVALID_ARGUMENT" } });
  expect(await trigger("sends checked", "good", { cents: 5 })).toMatchObject({ status: "completed" });
});

const SECRET = "a secret of the tests";

async function hook(body: object, secret: string): Promise<Response> {
  const bytes = (text: string): BufferSource => new TextEncoder().encode(text);
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", bytes(secret), algorithm, false, ["sign"]);
  const text = JSON.stringify(body);
  const time = Math.floor(Date.now() / 1_000);
  const signature = new Uint8Array(await crypto.subtle.sign("HMAC", key, bytes(`${time}.${text}`)));
  const hex = Array.from(signature, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return call("/hooks/payments", body, { "Stripe-Signature": `t=${time},v1=${hex}` });
}

test("EVT12 a signed webhook starts a run, and of a forged one nothing is stored", async () => {
  const body = { id: "h-1", type: "order.paid", orderId: "o-5", cents: 500 };
  const forged = await hook(body, "another secret");
  expect([forged.status, await forged.json()]).toEqual([401, expect.objectContaining({ error: "unauthorized" })]);
  expect((await call("/api/events/hook_payments_h-1")).status).toBe(404);
  const answer = await hook(body, SECRET);
  expect(answer.status).toBe(202);
  expect((await untilStatus(runOf(await answer.json()), "completed")).output).toBe("o-5");
});
