/**
 * An order: reserve, charge, wait for an approval, ship.
 *
 * Each step body sends its start and its end to a counter server (`counterUrl`). The demo and the crash test read from it
 * how often a body ran.
 */
import { FatalError, workflow } from "@holdfast/workflows";
import * as z from "zod";

export const order = workflow({
  id: "order",
  description: "Reserves stock, charges the customer, waits for an approval, ships.",
  input: z.object({
    orderId: z.string().min(1),
    cents: z.number().int().positive(),
    counterUrl: z.url().optional(),
    /** The duration of the shipping, ms: the demo kills the runtime during this time. */
    shippingMs: z.number().int().min(0).max(60_000).default(0),
  }),
  output: z.object({ orderId: z.string(), chargeId: z.string(), parcel: z.string() }),
  run: async (input, ctx) => {
    const count = counterAt(input.counterUrl);

    const hold = await ctx.step("reserve", async ({ idempotencyKey }) => {
      await count("reserve", "start", idempotencyKey);
      await count("reserve", "end", idempotencyKey);
      return { holdId: `hold-${input.orderId}`, until: new Date(Date.now() + 86_400_000) };
    });

    const charge = await ctx.step("charge", { retry: { max: 5 }, timeout: "10s" }, async ({ idempotencyKey }) => {
      await count("charge", "start", idempotencyKey);
      await count("charge", "end", idempotencyKey);
      return { chargeId: `charge-${input.orderId}`, cents: input.cents };
    });

    const approval = await ctx.waitForSignal<{ ok: boolean; by: string }>("approval", { timeout: "24h" });
    if (!approval?.ok) throw new FatalError("The order was not approved within a day.");

    const parcel = await ctx.step("ship", async ({ idempotencyKey }) => {
      await count("ship", "start", idempotencyKey);
      await new Promise((resolve) => setTimeout(resolve, input.shippingMs));
      await count("ship", "end", idempotencyKey);
      return `parcel-for-${hold.holdId}`;
    });

    return { orderId: input.orderId, chargeId: charge.chargeId, parcel };
  },
});

type Count = (step: string, edge: "start" | "end", key: string) => Promise<void>;

function counterAt(url: string | undefined): Count {
  return async (step, edge, key) => {
    if (url === undefined) return;
    const response = await fetch(`${url}/${step}/${edge}`, {
      method: "POST",
      headers: { "Idempotency-Key": encodeURIComponent(key) },
    });
    // A connection whose answer is not read stays open.
    await response.text();
    if (!response.ok) throw new Error(`the counter server answered ${response.status}`);
  };
}
