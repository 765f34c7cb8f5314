/** The journey in virtual time. */
import { testWorkflow } from "@holdfast/workflows/testing";
import { expect, test } from "vitest";
import { journey, visa } from "../src/journey.ts";

/** The bodies end at once: the retries of the flight are not of interest here. */
const steps = { "find offers": 3, "book hotel": 12, "book flight": "4 A", "book car": "small" };
const children = { visa: "visa 88" };
const signals = { deposit: 120 };

test("a journey whose payment fails is undone, the last booking first", async () => {
  const compensations = { "book hotel": () => null, "book flight": () => null, "book car": () => null };
  const declined = { ...steps, "charge card": () => Promise.reject(new Error("The card has expired.")) };
  const result = await testWorkflow(journey, {}, { steps: declined, children, signals, compensations });
  expect(result).toMatchObject({ status: "compensated", error: { message: "The card has expired." } });
  const undone = result.journal.filter(({ operation }) => operation.kind === "compensation");
  expect(undone).toHaveLength(3);
});

test("a journey that is paid keeps its bookings", async () => {
  const paid = { ...steps, "charge card": "paid" };
  const result = await testWorkflow(journey, { fails: false }, { steps: paid, children, signals });
  expect(result).toMatchObject({ status: "completed", output: { papers: "visa 88", deposit: 120 } });
});

test("the visa comes after six hours", async () => {
  const bodies = { "check passport": null, "send form": null, "fetch visa": "visa 88" };
  const result = await testWorkflow(visa, {}, { steps: bodies });
  expect(result).toMatchObject({ output: "visa 88", elapsedMs: 6 * 3_600_000 });
});
