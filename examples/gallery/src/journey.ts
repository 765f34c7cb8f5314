/**
 * A journey whose timeline has every kind of row: steps in parallel, retries, a token, a child run, a sleep, a signal, a
 * failure, and the compensation of what was booked.
 *
 * Its bodies only wait: there is nothing to book.
 */
import { FatalError, workflow } from "@holdfast/workflows";

interface JourneyInput {
  /** Waits take seconds instead of days. */
  readonly fast?: boolean;
  /** Whether the payment fails, so that the bookings are undone. */
  readonly fails?: boolean;
}

/** What the travel desk is asked. */
const APPROVAL = {
  title: "Is the journey approved?",
  details: "Hotel, flight and car are booked. The visa costs **60 euros** and cannot be returned.",
  schema: { type: "string", title: "Decision, with your name", minLength: 2, maxLength: 60 },
};

export const journey = workflow({
  id: "journey",
  description: "Books a journey, waits for people, and undoes the bookings if the payment fails.",
  run: async ({ fast = false, fails = true }: JourneyInput, ctx) => {
    const wait = (days: number): number => (fast ? 2_000 : days * 86_400_000);
    await ctx.step("find offers", () => work(900, "3 offers"));
    ctx.metadata.set("phase", "booking");
    await Promise.all([
      ctx.step("book hotel", { compensate: () => work(500) }, () => work(2_100, "room 12")),
      ctx.step("book flight", { retry: { max: 4, initial: 1_500 }, compensate: () => work(900) }, ({ attempt }) =>
        attempt < 3 ? refuse(600, "The airline is busy.") : work(1_300, "seat 4 A"),
      ),
      ctx.step("book car", { compensate: () => work(400) }, () => work(1_300, "the small one")),
    ]);
    const ask = { ...APPROVAL, assignees: ["role:travel"], risk: "medium" } as const;
    await ctx.waitForToken<string>({ ask, timeout: wait(7) }).wait();
    const papers = await ctx.invoke(visa, { fast });
    await ctx.sleep(wait(3.2));
    const deposit = await ctx.waitForSignal<number>("deposit", { timeout: wait(2) });
    ctx.metadata.set("phase", "payment");
    await ctx.step("charge card", { retry: { max: 3, initial: "1s" } }, ({ attempt }) => {
      if (!fails) return work(800, "paid");
      if (attempt < 3) return refuse(700, "The bank does not answer.");
      throw new FatalError("The card has expired.");
    });
    return { papers, deposit: deposit ?? 0 };
  },
});

export const visa = workflow({
  id: "visa",
  description: "Asks an office for a visa.",
  run: async ({ fast = false }: { readonly fast?: boolean }, ctx) => {
    await ctx.step("check passport", () => work(700));
    await ctx.step("send form", () => work(1_200));
    await ctx.sleep(fast ? 2_000 : "6h");
    return ctx.step("fetch visa", () => work(900, "visa 88"));
  },
});

async function work<Result = null>(ms: number, result: Result = null as Result): Promise<Result> {
  await new Promise((resolve) => setTimeout(resolve, ms));
  return result;
}

async function refuse(ms: number, message: string): Promise<never> {
  await work(ms);
  throw new Error(message);
}
