/** Entries about sleeps, signals, events and tokens. */
import type { CatalogueEntry, Cue } from "./types.ts";

const signal = (name: string, payload?: unknown, when?: Cue["when"]): Cue => ({
  ...(when === undefined ? {} : { when }),
  act: { type: "signal", name, payload },
});

const APPROVED = signal("approval", { ok: true }, { waitsFor: "approval" });

export function waitEntries(): CatalogueEntry[] {
  return [
    {
      title: "WAIT1 a sleep ends",
      run: async (ctx) => {
        await ctx.sleep("20ms");
        return ctx.step("after", () => "slept");
      },
      outcome: { status: "completed", output: "slept" },
    },
    {
      title: "WAIT1 a time that has passed is not slept for",
      run: async (ctx) => {
        await ctx.sleepUntil(new Date(0));
        return "done";
      },
      outcome: { status: "completed", output: "done" },
    },
    {
      title: "WAIT2 a signal reaches the run that waits for it",
      run: (ctx) => ctx.waitForSignal("approval"),
      cues: [APPROVED],
      outcome: { status: "completed", output: { ok: true } },
    },
    {
      title: "WAIT2 a signal that comes before the wait is kept for it",
      run: async (ctx) => {
        const go = await ctx.waitForSignal("go");
        return [go, await ctx.waitForSignal("early")];
      },
      cues: [signal("early", "kept"), signal("go", "now", { waitsFor: "go" })],
      outcome: { status: "completed", output: ["now", "kept"] },
    },
    {
      title: "WAIT2 each delivery ends one wait, first come, first served",
      run: async (ctx) => {
        await ctx.waitForSignal("go");
        return [await ctx.waitForSignal("n"), await ctx.waitForSignal("n"), await ctx.waitForSignal("n")];
      },
      cues: [signal("n", 1), signal("n", 2), signal("n", 3), signal("go")],
      outcome: { status: "completed", output: [1, 2, 3] },
    },
    {
      title: "WAIT10 the oldest of several waits takes a delivery",
      run: (ctx) => Promise.all([ctx.waitForEvent("e"), ctx.waitForEvent("e")]),
      cues: [
        { when: { waitsFor: "e" }, act: { type: "event", name: "e", payload: "first" } },
        { when: { waitsFor: "e" }, act: { type: "event", name: "e", payload: "second" } },
      ],
      outcome: { status: "completed", output: ["first", "second"] },
    },
    {
      title: "WAIT3 a delivery with the id of an earlier one counts once",
      run: async (ctx) => [await ctx.waitForEvent("e"), await ctx.waitForEvent("e", { timeout: "20ms" })],
      cues: [
        { when: { waitsFor: "e" }, act: { type: "event", name: "e", payload: 1, deliveryId: "d1" } },
        { act: { type: "event", name: "e", payload: 1, deliveryId: "d1" } },
      ],
      outcome: { status: "completed", output: [1, null] },
    },
    {
      title: "WAIT4 a wait times out with null",
      run: (ctx) => ctx.waitForSignal("never", { timeout: "10ms" }),
      outcome: { status: "completed", output: null },
    },
    {
      title: "WAIT4 a wait times out with an error, where that is asked for",
      run: (ctx) =>
        ctx
          .waitForEvent("never", { timeout: "10ms", onTimeout: "throw" })
          .catch((error: { code: string }) => error.code),
      outcome: { status: "completed", output: "TIMEOUT" },
    },
    {
      title: "WAIT4 a payload of null is no time-out",
      run: async (ctx) => {
        const payload = await ctx.waitForSignal("s", { timeout: "1h", onTimeout: "throw" });
        return payload === null ? "null" : "other";
      },
      cues: [signal("s", null, { waitsFor: "s" })],
      outcome: { status: "completed", output: "null" },
    },
    {
      title: "WAIT5 an iterated wait takes delivery after delivery, until its time-out",
      run: async (ctx) => {
        const seen: unknown[] = [];
        for await (const one of ctx.waitForEvent("e", { timeout: "300ms" })) seen.push(one);
        return seen;
      },
      cues: [{ act: { type: "event", name: "e", payload: "a" } }, { act: { type: "event", name: "e", payload: "b" } }],
      outcome: { status: "completed", output: ["a", "b"] },
    },
    {
      title: "WAIT6 a wait that chooses leaves the rest for later waits",
      run: async (ctx) => {
        await ctx.waitForSignal("go");
        const chosen = await ctx.waitForEvent("e", { match: { id: 2 } });
        return [chosen, await ctx.waitForEvent("e")];
      },
      cues: [
        { act: { type: "event", name: "e", payload: { id: 1 } } },
        { act: { type: "event", name: "e", payload: { id: 2 } } },
        signal("go"),
      ],
      outcome: { status: "completed", output: [{ id: 2 }, { id: 1 }] },
    },
    {
      title: "WAIT7 a token is there before anything is awaited, and its answer comes back",
      run: async (ctx) => {
        const token = ctx.waitForToken<string>();
        const sent = await ctx.step("send", () => token.tokenId.length);
        return [sent > 8, await token.wait()];
      },
      cues: [{ when: { status: "waiting" }, act: { type: "token", payload: "yes" } }],
      outcome: { status: "completed", output: [true, "yes"] },
    },
    {
      title: "WAIT7 a token that nobody answers times out",
      run: (ctx) => ctx.waitForToken({ timeout: "10ms" }).wait(),
      outcome: { status: "completed", output: null },
    },
    {
      title: "REP2 a race between a signal and a sleep has the winner that came first",
      run: async (ctx) => {
        const winner = await Promise.race([
          ctx.waitForSignal("s").then(() => "signal"),
          ctx.sleep("15ms").then(() => "sleep"),
        ]);
        await ctx.step("record", () => winner);
        await ctx.waitForSignal("end");
        return winner;
      },
      cues: [signal("s", 1, { waitsFor: "end" }), signal("end")],
      outcome: { status: "completed", output: "sleep" },
    },
    {
      title: "REP2 several sleeps end in the order of their times",
      run: async (ctx) => {
        const order: string[] = [];
        const after = async (name: string, ms: number): Promise<void> => {
          await ctx.sleep(ms);
          order.push(name);
        };
        await Promise.all([after("c", 30), after("a", 5), after("b", 15)]);
        return order;
      },
      outcome: { status: "completed", output: ["a", "b", "c"] },
    },
    {
      title: "REP7 a wait inside try and finally, and a wait that is never awaited",
      run: async (ctx) => {
        void ctx.waitForSignal("never");
        try {
          await ctx.sleep("5ms");
          return await ctx.step("work", () => "worked");
        } finally {
          await ctx.step("tidy", () => "tidied");
        }
      },
      outcome: { status: "completed", output: "worked" },
    },
    {
      title: "WAIT11 a race closes its other waits, so each delivery reaches a turn that is not over",
      run: async (ctx) => {
        const got: unknown[] = [];
        for (let turn = 0; turn < 2; turn++) {
          const first = await ctx.race({ stop: ctx.waitForSignal("stop"), tick: ctx.sleep("10ms") });
          got.push(first.name);
        }
        await ctx.waitForSignal("end");
        return [got, await ctx.waitForSignal("stop")];
      },
      cues: [signal("stop", 7, { waitsFor: "end" }), signal("end")],
      outcome: { status: "completed", output: [["tick", "tick"], 7] },
    },
    {
      title: "WAIT11 a wait whose signal aborts rejects with the reason, and takes no delivery",
      run: async (ctx) => {
        const stop = new AbortController();
        const idle = ctx.waitForSignal("s", { signal: stop.signal }).catch((reason: unknown) => reason);
        await ctx.step("work", () => 1);
        stop.abort("over");
        await ctx.waitForSignal("end");
        return [await idle, await ctx.waitForSignal("s")];
      },
      cues: [signal("s", 1, { waitsFor: "end" }), signal("end")],
      outcome: { status: "completed", output: ["over", 1] },
    },
  ];
}
