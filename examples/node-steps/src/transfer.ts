/** Moves money from one account to another, or not at all. */
import { FatalError, type Workflow, workflow } from "@holdfast/workflows";
import type { Accounts } from "./accounts.ts";

interface Transfer {
  readonly from: string;
  readonly to: string;
  readonly cents: number;
}

interface Balances {
  readonly from: number;
  readonly to: number;
}

export function transferBetween(accounts: Accounts): Workflow<unknown, Balances> {
  return workflow({
    id: "transfer",
    run: async ({ from, to, cents }: Transfer, ctx) => {
      const left = await ctx.step(
        "debit",
        { compensate: () => accounts.book(`${ctx.run.id} undo`, from, cents) },
        ({ idempotencyKey }) => accounts.book(idempotencyKey, from, -cents),
      );
      const has = await ctx.step("credit", ({ idempotencyKey }) => {
        if (to === "closed") throw new FatalError("the account is closed");
        return accounts.book(idempotencyKey, to, cents);
      });
      return { from: left, to: has };
    },
  });
}
