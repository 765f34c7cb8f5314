/** The JSON Schema of an input, made by a real library of schemas. */
import { describeWorkflow } from "@holdfast/protocol";
import { workflow } from "@holdfast/workflows";
import { expect, test } from "vitest";
import * as z from "zod";

test("API9 the schema says what callers send: a field with a default may be absent", () => {
  const input = z.object({
    orderId: z.string().min(1),
    cents: z.int().positive(),
    currency: z.string().default("EUR"),
  });
  const order = workflow({ id: "order", input, run: ({ currency }) => currency });
  expect(describeWorkflow(order).inputSchema).toMatchObject({
    type: "object",
    properties: { orderId: { type: "string", minLength: 1 }, cents: { type: "integer" }, currency: { default: "EUR" } },
    required: ["orderId", "cents"],
  });
});

test("API9 a schema that JSON cannot express is left out", () => {
  const input = z.object({ at: z.date() });
  expect(describeWorkflow(workflow({ id: "order", input, run: () => null }))).toEqual({ id: "order" });
});
