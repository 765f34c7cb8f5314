/** Tests in virtual time: a day passes at once. `crashEverywhere` repeats a run with a crash at each write of its journal. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { FatalError } from "@holdfast/workflows";
import { testWorkflow } from "@holdfast/workflows/testing";
import { order } from "../src/order.ts";

const input = { orderId: "o-1", cents: 4_200 };

/** What a shop has done in one run. A service that knows the key of a request does not act twice. */
const done = new Set<string>();
const before = () => done.clear();
const steps = {
  charge: ({ idempotencyKey }: { idempotencyKey: string }) => {
    done.add(`charge ${idempotencyKey}`);
    return { paymentId: "p-1" };
  },
  ship: ({ idempotencyKey }: { idempotencyKey: string }) => {
    done.add(`ship ${idempotencyKey}`);
    return "parcel-1";
  },
};
const compensations = { charge: () => done.add("refund") };
const mocks = { before, steps, compensations };

/** The first words of what was done, in order. */
const deeds = () => [...done].map((deed) => deed.split(" ")[0]);

test("an approved order is charged and shipped once, whenever the process dies", async () => {
  const result = await testWorkflow(order, input, {
    ...mocks,
    signals: { approval: { ok: true } },
    crashEverywhere: true,
    compare: ({ status, output }) => ({ status, output, deeds: deeds() }),
  });
  assert.equal(result.status, "completed");
  assert.deepEqual(result.output, { orderId: "o-1", paymentId: "p-1", parcel: "parcel-1" });
  assert.deepEqual(deeds(), ["charge", "ship"]);
});

test("nothing is shipped before the approval", async () => {
  await testWorkflow(order, input, {
    ...mocks,
    drive: async (run) => {
      await run.waitsFor("approval");
      await run.advance("23h");
      assert.deepEqual(deeds(), ["charge"]);
      await run.signal("approval", { ok: true });
    },
  });
  assert.deepEqual(deeds(), ["charge", "ship"]);
});

test("an order that is refused gets its money back, whenever the process dies", async () => {
  const result = await testWorkflow(order, input, {
    ...mocks,
    signals: { approval: { ok: false } },
    crashEverywhere: true,
    compare: ({ status, error }) => ({ status, error, deeds: deeds() }),
  });
  assert.equal(result.status, "compensated");
  assert.equal(result.error?.message, "not approved");
  assert.deepEqual(deeds(), ["charge", "refund"]);
});

test("an order without an answer gets its money back after a day", async () => {
  const result = await testWorkflow(order, input, mocks);
  assert.equal(result.status, "compensated");
  assert.equal(result.elapsedMs, 24 * 3_600_000);
  assert.deepEqual(deeds(), ["charge", "refund"]);
});

test("a declined card is tried five times, and a stolen one once", async () => {
  const declined = await testWorkflow(order, input, {
    steps: { charge: () => Promise.reject(new Error("declined")) },
  });
  assert.equal(declined.status, "failed");
  assert.equal(declined.steps[0]?.attempts, 5);
  const stolen = await testWorkflow(order, input, {
    steps: { charge: () => Promise.reject(new FatalError("stolen")) },
  });
  assert.equal(stolen.steps[0]?.attempts, 1);
});

test("the shop's own functions fit the workflow", async () => {
  const result = await testWorkflow(order, input, { signals: { approval: { ok: true } } });
  assert.deepEqual(result.output, { orderId: "o-1", paymentId: "payment-o-1", parcel: "parcel-o-1" });
});

test("an invalid order fails before it is charged", async () => {
  for (const invalid of [
    { ...input, orderId: "" },
    { ...input, cents: -1 },
  ]) {
    const result = await testWorkflow(order, invalid, mocks);
    assert.equal(result.error?.code, "INVALID_INPUT");
    assert.deepEqual(deeds(), []);
  }
});
