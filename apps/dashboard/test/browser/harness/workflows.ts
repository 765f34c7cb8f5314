/**
 * Workflows that make a run of every kind, each as fast as its state can be reached. The name of the kind is the name of the
 * workflow.
 *
 * Owns: nothing else. `runs.ts` starts them and knows which state each ends in.
 */
import { FatalError, event as declareEvent, limit, workflow } from "@holdfast/workflows";

/** Completes: steps in a row and in parallel, metadata, an output. */
export const order = workflow({
  id: "order",
  version: "2",
  description: "Takes an order and ships it.",
  run: async ({ items = 2 }: { readonly items?: number }, ctx) => {
    await ctx.step("reserve stock", () => ({ items, warehouse: "north" }));
    ctx.metadata.set("phase", "payment");
    const [charge, label] = await Promise.all([
      ctx.step("charge card", () => ({ id: "ch_88", cents: 12_900 })),
      ctx.step("print label", () => "label 7"),
    ]);
    await ctx.sleep(20);
    await ctx.step("ship", () => "shipped");
    return { charge, label };
  },
});

/** Fails after three attempts of a step. */
export const payment = workflow({
  id: "payment",
  run: async (_input: unknown, ctx) => {
    await ctx.step("look up customer", () => ({ customer: "c_12" }));
    await ctx.step("charge", { retry: { max: 3, initial: 10 } }, ({ attempt }) => {
      if (attempt < 3) throw new Error("The bank does not answer.");
      throw new FatalError("The card has expired.");
    });
  },
});

/** Stays between two attempts of a step. */
export const retrying = workflow({
  id: "retrying",
  run: async (_input: unknown, ctx) => {
    await ctx.step("call the carrier", { retry: { max: 5, initial: "1h" } }, () => {
      throw new Error("503 Service Unavailable");
    });
  },
});

/** Waits for a signal, an event and a token at a time, until the signal arrives. */
export const approval = workflow({
  id: "approval",
  run: async (_input: unknown, ctx) => {
    await ctx.step("collect documents", () => ["passport.pdf", "lease.pdf"]);
    const signal = ctx.waitForSignal("approve", { timeout: "3d" });
    const event = ctx.waitForEvent("document.signed", { timeout: "5d" });
    const token = ctx.waitForToken({ timeout: "7d" });
    const answers = await Promise.all([signal, event, token.wait()]);
    return ctx.step("archive", () => answers.length);
  },
});

/** Waits for a child that waits. */
export const family = workflow({
  id: "family",
  run: async (_input: unknown, ctx) => {
    await ctx.invoke(order, { items: 1 });
    return ctx.invoke(approval, {});
  },
});

/** Fails, and undoes two steps. */
export const booking = workflow({
  id: "booking",
  run: async (_input: unknown, ctx) => {
    await ctx.step("book hotel", { compensate: () => "cancelled" }, () => "room 12");
    await ctx.step("book flight", { compensate: () => "cancelled" }, () => "seat 4 A");
    await ctx.step("charge card", () => {
      throw new FatalError("The card has expired.");
    });
  },
});

/** Sleeps for three days. */
export const reminder = workflow({
  id: "reminder",
  run: async (_input: unknown, ctx) => {
    await ctx.sleep("3d");
    return ctx.step("send mail", () => "sent");
  },
});

/** Executes a step until it is cancelled. */
export const report = workflow({
  id: "report",
  run: async (_input: unknown, ctx) => {
    await ctx.step(
      "compute",
      ({ signal }) =>
        new Promise((_, reject) => {
          signal.addEventListener("abort", () => reject(new Error("stopped")));
        }),
    );
  },
});

/** Writes a stream of text, and waits for a signal. */
export const answer = workflow({
  id: "answer",
  run: async (_input: unknown, ctx) => {
    await ctx.stream.text("reply", ["The parcel ", "left ", "the warehouse."]);
    return ctx.waitForSignal("done", { timeout: "1d" });
  },
});

/** Executes many steps, a hundred at a time, then waits for a signal. */
export const many = workflow({
  id: "many",
  run: async ({ steps = 500 }: { readonly steps?: number }, ctx) => {
    for (let from = 0; from < steps; from += 100)
      await Promise.all(Array.from({ length: 100 }, (_, index) => ctx.step(`step ${from + index}`, () => index)));
    return ctx.waitForSignal("done", { timeout: "1d" });
  },
});

interface HostileInput {
  readonly texts: readonly string[];
  readonly value: unknown;
}

/** Puts hostile texts wherever an author can put text. */
export const hostile = workflow({
  id: "hostile <img src=x onerror=pwned()>",
  description: "<script>pwned()</script>",
  run: async ({ texts, value }: HostileInput, ctx) => {
    for (const [index, text] of texts.entries()) {
      await ctx.step(text, () => (index % 8 === 0 ? value : text));
      ctx.metadata.set(text, text);
    }
    const failing = texts.map((text) =>
      ctx
        .step(`fails: ${text}`.slice(0, 200), () => {
          const error = new FatalError(text);
          error.name = text;
          throw error;
        })
        .catch(() => null),
    );
    await Promise.all(failing);
    await ctx.stream.text("<b>stream</b>", texts);
    return ctx.waitForSignal(texts[0] ?? "go", { timeout: "1d" });
  },
});

/** Returns a text of ten million characters. */
export const huge = workflow({
  id: "huge",
  run: async (_input: unknown, ctx) => ctx.step("write a book", () => "word ".repeat(2_000_000)),
});

interface Question {
  readonly title: string;
  readonly timeout?: string | number;
  readonly [field: string]: unknown;
}

/** Asks people, everything at a time, and returns their answers. */
export const asking = workflow({
  id: "asking",
  run: async ({ asks }: { readonly asks: readonly Question[] }, ctx) =>
    Promise.all(
      asks.map(({ timeout, ...ask }) =>
        // A cast: the fields of an ask are data of the test.
        ctx.waitForToken({ ask, ...(timeout === undefined ? {} : { timeout }) } as { readonly timeout: "1d" }).wait(),
      ),
    ),
});

/** Asks the holder of a public link, whose URL is in its metadata. */
export const link = workflow({
  id: "link",
  run: async (_input: unknown, ctx) => {
    const schema = {
      type: "object",
      properties: {
        ok: { type: "boolean", title: "Refund it" },
        code: { type: "string", title: "Code", maxLength: 20, pattern: "^R-", description: "It begins with R-." },
      },
      required: ["ok", "code"],
    };
    const ask = { title: "Refund order o-1?", details: "The parcel is **lost**.", schema, risk: "high" } as const;
    const token = ctx.waitForToken({ public: true, ask, timeout: "7d" });
    ctx.metadata.set("url", token.url);
    return token.wait();
  },
});

interface Order {
  readonly cents: number;
}

/** Accepts an input with a number of cents only. */
export const checked = workflow({
  id: "checked",
  input: {
    "~standard": {
      version: 1,
      vendor: "test",
      validate: (value: unknown) => {
        const cents: unknown = typeof value === "object" && value !== null ? Reflect.get(value, "cents") : undefined;
        // A cast: the field was checked.
        if (typeof cents === "number") return { value: value as Order };
        return { issues: [{ path: ["cents"], message: "must be a number" }] };
      },
    },
  },
  run: ({ cents }: Order) => cents,
});

interface Limited {
  readonly customerId: string;
  readonly vip?: boolean;
}

const perCustomer = limit("customer", { key: "input.customerId", max: 1 });

/** One run of a customer at a time, which ends with a signal. */
export const limited = workflow({
  id: "limited",
  limits: [perCustomer.hold("run")],
  priority: ({ vip }: Limited) => (vip === true ? 60 : 0),
  run: async (_input: Limited, ctx) => ctx.waitForSignal("done", { timeout: "1d" }),
});

interface Paid {
  readonly orderId: string;
  readonly cents: number;
}

const orderPaid = declareEvent<Paid>("order.paid", { key: "orderId" });

/** Started by events of large payments. */
export const fulfil = workflow({
  id: "fulfil",
  on: [{ id: "large", event: orderPaid, where: { "data.cents": { gte: 100 } }, input: { orderId: "data.orderId" } }],
  run: ({ orderId }: { readonly orderId: string }) => orderId,
});

/** Waits for the second payment of an order. */
export const payer = workflow({
  id: "payer",
  run: async ({ orderId }: { readonly orderId: string }, ctx) =>
    ctx.waitForEvent(orderPaid, { key: orderId, timeout: "1d", since: "now" }),
});
