/** An order: charge, wait for an approval, ship. An order that is not approved gets its money back. */
import { FatalError, workflow } from "@holdfast/workflows";
import * as z from "zod";
import { type Payment, charge, refund, ship } from "./shop.ts";

export const order = workflow({
  id: "order",
  input: z.object({ orderId: z.string().min(1), cents: z.number().int().positive() }),
  output: z.object({ orderId: z.string(), paymentId: z.string(), parcel: z.string() }),
  run: async ({ orderId, cents }, ctx) => {
    const { paymentId } = await ctx.step<Payment>(
      "charge",
      { retry: { max: 5 }, timeout: "10s", compensate: (payment) => refund(payment) },
      ({ idempotencyKey }) => charge(orderId, cents, idempotencyKey),
    );

    const approval = await ctx.waitForSignal<{ ok: boolean }>("approval", { timeout: "24h" });
    if (approval?.ok !== true) throw new FatalError(approval === null ? "no approval in a day" : "not approved");

    const parcel = await ctx.step("ship", ({ idempotencyKey }) => ship(orderId, idempotencyKey));
    return { orderId, paymentId, parcel };
  },
});
