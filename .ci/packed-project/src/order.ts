/** An order that waits for its approval. */
import { FatalError, workflow } from "@holdfast/workflows";

export const order = workflow({
  id: "order",
  run: async (input: { orderId: string; cents: number }, ctx) => {
    const charge = await ctx.step("charge", { retry: { max: 5 } }, ({ idempotencyKey }) => ({
      id: idempotencyKey,
      cents: input.cents,
      lines: new Map([[input.orderId, 1n]]),
    }));
    const approval = await ctx.waitForSignal<{ ok: boolean }>("approval", { timeout: "24h" });
    if (!approval?.ok) throw new FatalError("not approved");
    await ctx.sleep("10ms");
    return { orderId: input.orderId, cents: charge.cents, quantity: Number(charge.lines.get(input.orderId)) };
  },
});
