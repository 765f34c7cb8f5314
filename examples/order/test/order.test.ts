/** The tests of a workflow by its author. docs/how-to/test.md explains each line. */
import { FatalError } from "@holdfast/workflows";
import { testWorkflow } from "@holdfast/workflows/testing";
import { expect, test } from "vitest";
import { order } from "../src/order.ts";

const input = { orderId: "o-1", cents: 4_200 };

test("an approved order is shipped", async () => {
  const result = await testWorkflow(order, input, {
    signals: { approval: { ok: true, by: "ada" } },
    crashEverywhere: true,
    // A step reads the expiry of the hold from the clock, so it may differ.
    compare: ({ status, output }) => [status, output],
  });
  expect(result.status).toBe("completed");
  expect(result.output).toEqual({ orderId: "o-1", chargeId: "charge-o-1", parcel: "parcel-for-hold-o-1" });
});

test("an order without an approval fails after a day", async () => {
  const result = await testWorkflow(order, input);
  expect(result).toMatchObject({ status: "failed", error: { code: "FATAL" } });
  expect(result.elapsedMs).toBe(24 * 3_600_000);
});

test("a declined card is tried five times, and nothing is shipped", async () => {
  const result = await testWorkflow(order, input, {
    steps: { charge: () => Promise.reject(new Error("declined")) },
  });
  expect(result).toMatchObject({ status: "failed", error: { message: "declined" } });
  expect(result.steps.map(({ name, attempts }) => [name, attempts])).toEqual([
    ["reserve", 1],
    ["charge", 5],
  ]);
});

test("a card with a permanent error is tried once", async () => {
  const result = await testWorkflow(order, input, {
    steps: { charge: () => Promise.reject(new FatalError("stolen")) },
  });
  expect(result.steps.at(-1)).toMatchObject({ name: "charge", attempts: 1, status: "failed" });
});

test("an invalid input fails the run before the first step", async () => {
  const result = await testWorkflow(order, { orderId: "", cents: -1 });
  expect(result).toMatchObject({ status: "failed", error: { code: "INVALID_INPUT" }, steps: [] });
});
