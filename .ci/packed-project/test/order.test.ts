import assert from "node:assert/strict";
import { test } from "node:test";
import { testWorkflow } from "@holdfast/workflows/testing";
import { order } from "../src/order.js";

const input = { orderId: "o-1", cents: 4200 };

test("an approved order completes, whatever write it crashes at", async () => {
  const result = await testWorkflow(order, input, { signals: { approval: { ok: true } }, crashEverywhere: true });
  assert.equal(result.status, "completed");
  assert.equal(result.output?.quantity, 1);
});

test("an order that nobody approves fails after a day", async () => {
  const result = await testWorkflow(order, input);
  assert.equal(result.status, "failed");
  assert.ok(result.elapsedMs >= 24 * 3_600_000);
});
