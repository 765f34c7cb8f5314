import { DEFAULT_LIMITS } from "@holdfast/protocol";
import { type Token, type WorkflowContext, workflow } from "@holdfast/workflows";
import { describe, expect, test } from "vitest";
import { MemoryHost } from "@holdfast/workflows/testing";
import { finished, journalOf, outcomeOf, started, workflowOf } from "./run-workflow.ts";

describe("sleeps", () => {
  test("WAIT1 a sleep ends at the time that was fixed when it started, also after a crash and a downtime", async () => {
    const ends: number[] = [];
    const host = await started(async (ctx) => {
      await ctx.sleep("30d");
      ends.push(ctx.now().getTime());
    });
    const due = host.header.createdAt + 30 * 86_400_000;
    expect(host.store.alarm).toBe(due);
    await host.advance(86_400_000);
    host.crash();
    await host.advance();
    expect(ends).toEqual([due]);
  });

  test("WAIT1 WAIT4 later code does not change the time of an open sleep or the time-out and pattern of an open wait", async () => {
    const bodies = (sleep: string, options: object) => [
      async (ctx: WorkflowContext) => ctx.sleep(sleep as "1h"),
      async (ctx: WorkflowContext) => ctx.waitForSignal("s", options),
    ];
    const later = bodies("10h", { timeout: "10h", match: { a: 1 } });
    for (const [index, before] of bodies("1h", { timeout: "1h" }).entries()) {
      const { store, clock } = await started(before);
      const host = new MemoryHost({ store, clock, workflows: [workflowOf(later[index] ?? before)] });
      await host.advance();
      expect((host.header.endedAt ?? 0) - host.header.createdAt).toBe(3_600_000);
    }
    const { store, clock } = await started(async (ctx) => ctx.waitForSignal("s"));
    const host = new MemoryHost({ store, clock, workflows: [workflowOf(later[1] as () => Promise<unknown>)] });
    host.deliver("signal", "s", { b: 1 });
    await host.advance();
    expect(host.output).toEqual({ b: 1 });
  });

  test("WAIT1 a sleep that became due during a downtime ends at the first alarm", async () => {
    const host = await started((ctx) => ctx.sleep("1h"));
    host.crash();
    host.clock.jump(86_400_000);
    host.fireAlarm();
    await host.settle();
    expect(host.header.status).toBe("completed");
  });

  test("WAIT1 sleepUntil accepts a Date or ISO text, and returns without a wait for a time in the past", async () => {
    const host = await started(async (ctx) => {
      await ctx.sleepUntil(new Date(0));
      await ctx.sleepUntil(new Date(ctx.now().getTime() + 60_000).toISOString());
      return ctx.now().getTime();
    });
    const { createdAt } = host.header;
    await host.advance();
    expect(host.output).toBe(createdAt + 60_000);
  });
});

describe("waits that are due when they open", () => {
  const loops: Record<string, (ctx: WorkflowContext) => Promise<unknown>> = {
    "sleeps of no time": async (ctx) => {
      for (let turn = 0; turn < 300; turn++) await ctx.sleep(0);
      return 300;
    },
    "sleeps until a past time": async (ctx) => {
      for (let turn = 0; turn < 300; turn++) await ctx.sleepUntil(new Date(turn));
      return 300;
    },
    "signal waits without time": async (ctx) => {
      let count = 0;
      while ((await ctx.waitForSignal("m", { timeout: 0 })) === null && count < 300) count++;
      return count;
    },
    "token waits without time": async (ctx) => {
      let count = 0;
      while (count < 300 && (await ctx.waitForToken({ timeout: 0 }).wait()) === null) count++;
      return count;
    },
  };

  test.each(Object.entries(loops))("WAIT1 WAIT4 %s end without an alarm, and replay equally", async (_name, run) => {
    const host = await started(run);
    expect([host.header.status, host.output, host.clock.now()]).toEqual(["completed", 300, host.header.createdAt]);
    expect(await host.replayCold()).toEqual([]);
  });

  test.each(Object.entries(loops))("DUR5 REP8 in a run without the flag, alarms end %s", async (_name, run) => {
    const host = await started(run, { replayFlags: { newest: [1] } });
    await host.advance();
    expect([host.header.status, host.output]).toEqual(["completed", 300]);
  });

  test("WAIT2 WAIT4 a wait without time takes a buffered delivery, and the next wait times out", async () => {
    const host = await started(async (ctx) => {
      await ctx.waitForSignal("go");
      const zero = { timeout: 0 } as const;
      return [await ctx.waitForSignal("m", zero), await ctx.waitForSignal("m", zero)];
    });
    host.deliver("signal", "m", "kept");
    host.deliver("signal", "go");
    await host.settle();
    expect(host.output).toEqual(["kept", null]);
  });

  test("WAIT4 waits that open due end in the order of their times", async () => {
    const host = await started((ctx) =>
      Promise.race([ctx.sleepUntil(new Date(2)).then(() => 2), ctx.sleepUntil(new Date(1)).then(() => 1)]),
    );
    await host.settle();
    expect(host.output).toBe(1);
  });

  test("CAN1 an endless loop of sleeps of no time lets the event loop turn, and a cancel ends it", async () => {
    const host = new MemoryHost({
      workflows: [
        workflow({
          id: "endless",
          run: async (_input, ctx) => {
            for (;;) await ctx.sleep(0);
          },
        }),
      ],
    });
    host.trigger("endless");
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(host.header.status).toBe("running");
    host.cancel();
    await host.settle();
    expect(host.header.status).toBe("cancelled");
  });
});

describe("what is left until a time that has passed", () => {
  test("WAIT1 a sleep of a negative number of milliseconds ends at once, as sleepUntil does", async () => {
    const host = await started(async (ctx) => {
      const due = ctx.now().getTime() - 5_000;
      await ctx.sleep(due - ctx.now().getTime());
      await ctx.sleep(-0.5);
      return ctx.now().getTime();
    });
    expect([host.header.status, host.output]).toEqual(["completed", host.header.createdAt]);
  });

  test("WAIT2 WAIT4 a wait with a negative time-out takes a buffered delivery, and otherwise times out at once", async () => {
    const host = await started(async (ctx) => {
      await ctx.waitForEvent("go");
      const past = { timeout: -1 };
      const token = ctx.waitForToken(past).wait();
      return [await ctx.waitForEvent("m", past), await ctx.waitForEvent("m", past), await token];
    });
    host.deliver("event", "m", "kept");
    host.deliver("event", "go");
    await host.settle();
    expect(host.output).toEqual(["kept", null, null]);
  });

  test.each(["-1s", Number.NaN, Infinity, -Infinity])("RUN7 a sleep of %s is refused", async (duration) => {
    const host = await started((ctx) => ctx.sleep(duration as never));
    expect(host.header).toMatchObject({ status: "failed", error: { code: "INVALID_ARGUMENT" } });
  });
});

describe("deliveries", () => {
  test("WAIT2 a wait takes a signal that was sent before it, and two signals resolve two waits in order", async () => {
    const host = await started(async (ctx) => {
      await ctx.waitForSignal("go");
      return [await ctx.waitForSignal("s"), await ctx.waitForSignal("s")];
    });
    expect(host.deliver("signal", "s", "first")).toEqual({ type: "delivered", delivery: "buffered" });
    expect(host.deliver("signal", "s", "second")).toEqual({ type: "delivered", delivery: "buffered" });
    host.crash();
    expect(host.deliver("signal", "go")).toEqual({ type: "delivered", delivery: "resolved" });
    await host.advance();
    expect(host.output).toEqual(["first", "second"]);
    expect(Object.keys(host.store.dump()).filter((key) => key.startsWith("inbox/"))).toEqual([]);
  });

  test("WAIT2 each delivery resolves exactly one wait of its kind and name", async () => {
    const host = await started((ctx) =>
      Promise.all([ctx.waitForSignal("x"), ctx.waitForEvent("x"), ctx.waitForSignal("y", { timeout: "1s" })]),
    );
    host.deliver("event", "x", "event");
    host.deliver("signal", "x", "signal");
    host.deliver("signal", "x", "one too many");
    await host.advance();
    expect(host.output).toEqual(["signal", "event", null]);
  });

  test("WAIT2 a delivery to a run that has not started is buffered", async () => {
    const host = await started((ctx) => ctx.waitForSignal("s"), { trigger: { delayMs: 1_000 } });
    host.deliver("signal", "s", "early");
    await host.advance();
    expect(host.output).toBe("early");
  });

  test("WAIT3 deliveries with the same delivery id count once, buffered or taken", async () => {
    const host = await started((ctx) =>
      Promise.all([ctx.waitForSignal("s"), ctx.waitForSignal("s", { timeout: "1s" })]),
    );
    expect(host.deliver("signal", "s", 1, "d")).toMatchObject({ delivery: "resolved" });
    expect(host.deliver("signal", "s", 1, "d")).toMatchObject({ delivery: "duplicate" });
    expect(host.deliver("event", "e", 1, "e")).toMatchObject({ delivery: "buffered" });
    host.crash();
    expect(host.deliver("event", "e", 1, "e")).toMatchObject({ delivery: "duplicate" });
    await host.advance();
    expect(host.output).toEqual([1, null]);
    expect(host.deliver("signal", "s", 1, "d")).toMatchObject({ delivery: "duplicate" });
  });

  test("WAIT10 the oldest of several matching waits takes a delivery, also after an eviction", async () => {
    const host = await started((ctx) => Promise.all([1, 2, 3].map(() => ctx.waitForSignal("s"))));
    host.deliver("signal", "s", "a");
    host.crash();
    host.deliver("signal", "s", "b");
    await host.settle();
    host.crash();
    host.deliver("signal", "s", "c");
    await host.advance();
    expect(host.output).toEqual(["a", "b", "c"]);
  });

  test("WAIT6 match selects deliveries by payload, and a delivery without a matching wait stays buffered", async () => {
    const host = await started(async (ctx) => [
      await ctx.waitForEvent("paid", { match: { order: { id: "o-2" } } }),
      await ctx.waitForEvent("paid"),
      await ctx.waitForEvent("paid", { match: { amount: 5 }, timeout: "1s" }),
    ]);
    const paid = (id: string): object => ({ order: { id, cents: 1 }, amount: 1 });
    expect(host.deliver("event", "paid", paid("o-1"))).toMatchObject({ delivery: "buffered" });
    host.crash();
    expect(host.deliver("event", "paid", "o-2")).toMatchObject({ delivery: "buffered" });
    expect(host.deliver("event", "paid", paid("o-2"))).toMatchObject({ delivery: "resolved" });
    await host.advance();
    expect(host.output).toEqual([paid("o-2"), paid("o-1"), null]);
    expect(host.header.inbox.count).toBe(1);
  });

  const cyclic: Record<string, unknown> = {};
  cyclic.self = cyclic;
  test.each([
    ["undefined", { id: undefined }, "match.id:"],
    ["undefined deep inside", { a: [{ b: 1 }, { c: undefined }] }, "match.a[1].c:"],
    ["undefined in a list", { a: [undefined] }, "match.a[0]:"],
    ["an empty place", { a: Object.assign([1], { 4_000_000_000: 2 }) }, "match.a[1]:"],
    ["a boxed text", { a: Object("x") as unknown }, "match.a:"],
    ["a Map", { a: { m: new Map() } }, "match.a.m:"],
    ["bytes", { bytes: Uint8Array.of(1) }, "match.bytes:"],
    ["itself", cyclic, "match.self:"],
  ])("WAIT6 a pattern that holds %s matches no payload and is refused with the path", async (_what, match, path) => {
    const host = await finished((ctx) => ctx.waitForEvent("paid", { match }));
    expect(host.header.error).toMatchObject({ code: "INVALID_ARGUMENT", message: expect.stringContaining(path) });
    const signal = await finished((ctx) => ctx.waitForSignal("paid", { match }));
    expect(signal.header.error).toMatchObject({ code: "INVALID_ARGUMENT" });
  });

  test("WAIT6 a function as a pattern is rejected with the reason", async () => {
    const host = await finished((ctx) => ctx.waitForEvent("paid", { match: () => true }));
    expect(host.header.error).toMatchObject({ code: "INVALID_ARGUMENT", message: expect.stringContaining("pattern") });
  });
});

describe("time-outs", () => {
  test("WAIT4 every kind of wait times out on time, with null, or with a TimeoutError for onTimeout throw", async () => {
    const host = await started(async (ctx) => {
      const options = { timeout: "10s", onTimeout: "throw" } as const;
      const nulls = await Promise.all([
        ctx.waitForSignal("s", { timeout: "5s" }),
        ctx.waitForEvent("e", { timeout: "5s" }),
        ctx.waitForToken({ timeout: "5s" }).wait(),
      ]);
      const at = ctx.now().getTime();
      const errors = await Promise.allSettled([
        ctx.waitForSignal("s", options),
        ctx.waitForEvent("e", options),
        ctx.waitForToken(options).wait(),
      ]);
      return {
        nulls,
        at,
        errors: errors.map((one) => (one.status === "rejected" ? (one.reason as { code: string }).code : one)),
        later: ctx.now().getTime(),
      };
    });
    const { createdAt } = host.header;
    await host.advance();
    expect(host.output).toEqual({
      nulls: [null, null, null],
      at: createdAt + 5_000,
      errors: ["TIMEOUT", "TIMEOUT", "TIMEOUT"],
      later: createdAt + 15_000,
    });
  });

  test("WAIT4 a payload of null or undefined is not a time-out", async () => {
    const host = await started(async (ctx) => {
      const options = { timeout: "1h", onTimeout: "throw" } as const;
      return [await ctx.waitForSignal("s", options), await ctx.waitForSignal("s", options)];
    });
    host.deliver("signal", "s", null);
    host.deliver("signal", "s", undefined);
    await host.settle();
    expect(host.output).toEqual([null, undefined]);
  });

  test("WAIT4 a delivery after the time-out, but before the alarm, does not resolve the wait", async () => {
    const host = await started(async (ctx) => [
      await ctx.waitForSignal("s", { timeout: "1s" }),
      await ctx.waitForSignal("s", { timeout: "1h" }),
    ]);
    host.clock.jump(2_000);
    expect(host.deliver("signal", "s", "late")).toMatchObject({ delivery: "buffered" });
    await host.settle();
    host.crash();
    await host.advance();
    expect(host.output).toEqual([null, "late"]);
    expect(journalOf(host)).toEqual([
      "wait.opened signal/0/s",
      "wait.timed_out signal/0/s",
      "wait.opened signal/1/s",
      "wait.resolved signal/1/s",
    ]);
  });

  test("WAIT5 each iteration over a wait is a separate wait, and a time-out ends the loop", async () => {
    const host = await started(async (ctx) => {
      const got: unknown[] = [];
      for await (const payload of ctx.waitForSignal("s", { timeout: "1m" })) {
        got.push(payload);
        if (payload === "stop") break;
      }
      for await (const payload of ctx.waitForSignal("s", { timeout: "1m" })) got.push(payload);
      return got;
    });
    for (const payload of [1, null, "stop", 2]) {
      host.deliver("signal", "s", payload);
      await host.settle();
      host.crash();
    }
    await host.advance();
    expect(host.output).toEqual([1, null, "stop", 2]);
  });
});

describe("tokens", () => {
  test("WAIT7 a token's id and URL exist before the first await, cannot be guessed, and are equal in every replay", async () => {
    const seen: Token<unknown>[] = [];
    const host = await started(
      async (ctx) => {
        const token = ctx.waitForToken<string>();
        seen.push(token);
        return token.wait();
      },
      { trigger: { baseUrl: "https://flows.example", runId: "run/1" } },
    );
    const { tokenId, url } = seen[0] as Token<unknown>;
    expect(tokenId).toMatch(/^[0-9a-f]{32}$/);
    expect(url).toBe(`https://flows.example/api/runs/run%2F1/tokens/${tokenId}`);
    host.crash();
    expect(host.resolveToken(tokenId, "yes")).toEqual({ type: "delivered", delivery: "resolved" });
    await host.settle();
    expect(host.output).toBe("yes");
    expect(seen.map((token) => token.tokenId)).toEqual([tokenId, tokenId]);
  });

  test("WAIT7 a token is resolved once; a second result, or one after the time-out, is rejected with already_resolved", async () => {
    const host = await started(async (ctx) => {
      const first = ctx.waitForToken({ tokenId: "mine" });
      const second = ctx.waitForToken({ tokenId: "short", timeout: "1s" });
      await Promise.all([first.wait(), second.wait()]);
      await ctx.waitForSignal("end");
    });
    host.resolveToken("mine", 1);
    expect(host.resolveToken("mine", 2)).toMatchObject({ type: "refused", code: "already_resolved" });
    await host.advance(2_000);
    expect(host.resolveToken("short", 2)).toMatchObject({
      type: "refused",
      code: "already_resolved",
      message: expect.stringContaining("timed out"),
    });
    expect(host.resolveToken("never issued")).toMatchObject({ type: "refused", code: "token_not_found" });
  });

  test("WAIT7 the result of a token that is resolved before its await is buffered", async () => {
    const host = await started(async (ctx) => {
      const token = ctx.waitForToken({ tokenId: "t" });
      await ctx.waitForSignal("go");
      return token.wait();
    });
    host.resolveToken("t", "early");
    await host.settle();
    host.crash();
    host.deliver("signal", "go");
    await host.advance();
    expect(host.output).toBe("early");
  });

  test("WAIT7 the second use of a token id in a run is rejected", async () => {
    const host = await finished(async (ctx) => {
      ctx.waitForToken({ tokenId: "t" });
      ctx.waitForToken({ tokenId: "t" });
    });
    expect(host.header.error).toMatchObject({ code: "TOKEN_IN_USE" });
  });
});

describe("refusals", () => {
  test("WAIT8 a delivery to an ended run is rejected with run_terminal, and to an unknown run with not_found", async () => {
    const host = await finished((ctx) => (ctx.waitForToken({ tokenId: "t" }), 1));
    expect(host.deliver("signal", "s")).toMatchObject({ type: "refused", code: "run_terminal" });
    expect(host.resolveToken("t")).toMatchObject({ type: "refused", code: "token_not_found" });
    const untriggered = new MemoryHost({ workflows: [] });
    expect(untriggered.deliver("signal", "s")).toMatchObject({ type: "refused", code: "not_found" });
    expect(untriggered.store.dump()).toEqual({});
  });

  test("WAIT9 the number of buffered deliveries is bounded; a further one is rejected with inbox_full and changes no row", async () => {
    const host = await started((ctx) => ctx.waitForSignal("other"));
    for (let i = 0; i < DEFAULT_LIMITS.inboxDeliveries; i++) host.deliver("signal", "s", i);
    const before = host.store.dump();
    expect(host.deliver("signal", "s", "one more", "id")).toMatchObject({ type: "refused", code: "inbox_full" });
    expect(host.store.dump()).toEqual(before);
    expect(host.deliver("signal", "other", "fits")).toMatchObject({ delivery: "resolved" });
  });

  test("WAIT9 the size of buffered deliveries is bounded", async () => {
    const host = await started((ctx) => ctx.waitForSignal("other"));
    const large = "x".repeat(DEFAULT_LIMITS.inboxChars / 2);
    expect(host.deliver("signal", "s", large)).toMatchObject({ delivery: "buffered" });
    expect(host.deliver("signal", "s", large)).toMatchObject({ type: "refused", code: "inbox_full" });
    expect(outcomeOf(host).status).toBe("waiting");
  });

  test("WAIT9 100,000 signals fill the inbox, further ones are rejected, and every accepted one is taken", async () => {
    const host = await started(async (ctx) => {
      await ctx.waitForEvent("go");
      let taken = 0;
      for await (const _ of ctx.waitForSignal("many", { timeout: 1 })) taken += 1;
      return taken;
    });
    let accepted = 0;
    let refused: unknown;
    for (let n = 0; n < 100_000; n++) {
      const reply = host.deliver("signal", "many", n);
      if (reply.type === "delivered") accepted += 1;
      else refused = reply;
    }
    expect(refused).toMatchObject({ code: "inbox_full" });
    expect(accepted).toBe(DEFAULT_LIMITS.inboxDeliveries);
    // A full inbox does not reject a delivery for which a wait is open.
    expect(host.deliver("event", "go")).toMatchObject({ type: "delivered", delivery: "resolved" });
    await host.advance();
    expect(host.output).toBe(accepted);
  });
});
