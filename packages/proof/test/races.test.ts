import { planResume } from "@holdfast/orchestrator";
import { FatalError, type WorkflowContext, workflow } from "@holdfast/workflows";
import { MemoryHost } from "@holdfast/workflows/testing";
import { describe, expect, expectTypeOf, test } from "vitest";
import { finished, journalOf, outcomeOf, started, workflowOf } from "./run-workflow.ts";

type Body = (ctx: WorkflowContext) => Promise<unknown>;

/** Runs `body` without a crash, and with a crash after each commit, on both kinds of pipes. Returns the outcomes. */
async function everywhere(body: Body, drive: (host: MemoryHost) => Promise<void>): Promise<Set<string>> {
  const seen = new Set<string>();
  for (const remote of [false, true]) {
    for (let crash = 0; crash < 40; crash++) {
      const host = await started(body, { crashAfterCommits: [crash], faults: { remote: () => remote } });
      await drive(host);
      await host.advance();
      expect(await host.replayCold()).toEqual([]);
      seen.add(JSON.stringify([outcomeOf(host), [...host.store.list("inbox/")].length]));
      if (crash > 0 && host.crashes === 0) break;
    }
  }
  return seen;
}

const outcome = (output: unknown, left = 0): Set<string> =>
  new Set([JSON.stringify([{ status: "completed", output, error: undefined }, left])]);

const never = (): Promise<never> => new Promise(() => {});

describe("ctx.race", () => {
  test("WAIT11 a race resolves with the name and the value of its winner, as a union", async () => {
    const host = await finished(async (ctx) => {
      const first = await ctx.race({
        stop: ctx.waitForSignal<number>("stop"),
        tick: ctx.sleep(100),
        n: ctx.step("n", () => "text"),
      });
      expectTypeOf(first).toEqualTypeOf<
        | { readonly name: "stop"; readonly value: number }
        | { readonly name: "tick"; readonly value: void }
        | { readonly name: "n"; readonly value: string }
      >();
      return first;
    });
    expect(host.output).toEqual({ name: "n", value: "text" });
    expect(journalOf(host)).toEqual([
      "wait.opened signal/0/stop",
      "wait.opened sleep/0/sleep",
      "step.completed step/0/n",
      "wait.released signal/0/stop",
      "wait.released sleep/0/sleep",
    ]);
  });

  test("WAIT11 WAIT2 each delivery of a loop of races is taken once, and none goes to a turn that is over", async () => {
    const body: Body = async (ctx) => {
      const got: unknown[] = [];
      for (let turn = 0; turn < 5; turn++) {
        const { name, value } = await ctx.race({ stop: ctx.waitForSignal("stop"), tick: ctx.sleep(100) });
        if (name === "stop") got.push(value);
      }
      return got;
    };
    const drive = async (host: MemoryHost): Promise<void> => {
      await host.advance(250);
      for (const id of ["a", "b"]) host.deliver("signal", "stop", id, id);
      await host.advance(50);
      host.deliver("signal", "stop", "c", "c");
    };
    expect(await everywhere(body, drive)).toEqual(outcome(["a", "b", "c"]));
  });

  test("WAIT11 1,200 turns with a step and a sleep of an hour, and with a signal, stay within the limit of open waits", async () => {
    const host = await finished(async (ctx) => {
      for (let turn = 0; turn < 600; turn++) {
        await ctx.race({ work: ctx.step("work", () => turn), late: ctx.sleep("1h") });
        await ctx.race({ stop: ctx.waitForSignal("stop"), tick: ctx.sleep(100) });
      }
      return "done";
    });
    expect(outcomeOf(host)).toMatchObject({ status: "completed", output: "done" });
    expect(host.header).toMatchObject({ waits: [], endedAt: host.header.createdAt + 60_000 });
    expect(host.header.races).toBeUndefined();
  });

  test("LIM1 the message of the limit of open waits names ctx.race and signal", async () => {
    const host = await finished(async (ctx) => {
      for (let turn = 0; ; turn++) await Promise.race([ctx.step("work", () => turn), ctx.sleep("1h")]);
    });
    expect(host.header.error).toMatchObject({
      code: "LIMIT_EXCEEDED",
      message: expect.stringMatching(/ctx\.race.*signal/),
    });
  });

  test("WAIT11 of two buffered deliveries for members of one race only the first is taken", async () => {
    const body: Body = async (ctx) => {
      await ctx.sleep(1_000);
      const first = await ctx.race({ a: ctx.waitForSignal("a"), b: ctx.waitForSignal("b") });
      return [first, await ctx.waitForSignal("b", { timeout: 0 })];
    };
    const drive = async (host: MemoryHost): Promise<void> => {
      host.deliver("signal", "b", 1, "1");
      host.deliver("signal", "a", 2, "2");
    };
    expect(await everywhere(body, drive)).toEqual(outcome([{ name: "a", value: 2 }, 1]));
  });

  test("WAIT11 of members that are due concurrently only the first ends", async () => {
    const body: Body = async (ctx) => {
      const first = await ctx.race({
        a: ctx.waitForSignal("a", { timeout: 100 }),
        b: ctx.sleep(100),
        c: ctx.sleep(50),
      });
      const none = await ctx.race({ a: ctx.sleep(0), b: ctx.waitForSignal("b", { timeout: 0 }) });
      return [first.name, none.name];
    };
    const late = async (host: MemoryHost): Promise<void> => {
      host.clock.jump(10_000);
      host.fireAlarmIfSet();
    };
    expect(await everywhere(body, late)).toEqual(outcome(["c", "a"]));
  });

  test("WAIT11 a race with an operation that has ended has its winner, and releases the others", async () => {
    const body: Body = async (ctx) => {
      const early = ctx.waitForSignal("early");
      await ctx.sleep(1_000);
      await early;
      const first = await ctx.race({ early, late: ctx.sleep("1h") });
      return first;
    };
    const drive = async (host: MemoryHost): Promise<void> => void host.deliver("signal", "early", 1, "1");
    expect(await everywhere(body, drive)).toEqual(outcome({ name: "early", value: 1 }));
  });

  test("WAIT11 REP7 an operation that has lost rejects with RELEASED, in a later race too, and unhandled it does no harm", async () => {
    const body: Body = async (ctx) => {
      const stop = ctx.waitForSignal("stop");
      await ctx.race({ stop, tick: ctx.sleep(1) });
      const codes = await Promise.all(
        [stop, ctx.race({ stop, tick: ctx.sleep("1h") })].map((lost) =>
          lost.then(String, (error: { code: string }) => error.code),
        ),
      );
      return [codes, await ctx.waitForSignal("stop")];
    };
    const drive = async (host: MemoryHost): Promise<void> => {
      await host.advance(10_000);
      host.deliver("signal", "stop", "late", "1");
    };
    expect(await everywhere(body, drive)).toEqual(outcome([["RELEASED", "RELEASED"], "late"]));
  });

  test("WAIT11 one operation in two races that are open decides both", async () => {
    const body: Body = async (ctx) => {
      const stop = ctx.waitForSignal("stop");
      const races = [ctx.race({ stop, a: ctx.sleep("1h") }), ctx.race({ stop, b: ctx.sleep("2h") })];
      return (await Promise.all(races)).map(({ name }) => name);
    };
    const drive = async (host: MemoryHost): Promise<void> => void host.deliver("signal", "stop", 1, "1");
    expect(await everywhere(body, drive)).toEqual(outcome(["stop", "stop"]));
  });

  test("WAIT11 a race rejects if its first outcome is an error", async () => {
    const host = await finished(async (ctx) => {
      await ctx.race({
        bad: ctx.step("bad", { retry: { max: 1 } }, () => Promise.reject(new Error("no"))),
        slow: ctx.waitForSignal("s"),
      });
    });
    expect(outcomeOf(host)).toMatchObject({ status: "failed", error: "no" });
    expect(journalOf(host).at(-1)).toBe("wait.released signal/0/s");
  });

  test("WAIT11 WAIT7 a token that lost cannot be answered", async () => {
    const host = await started(async (ctx) => {
      const token = ctx.waitForToken({ tokenId: "t" });
      await ctx.race({ token: token.wait(), tick: ctx.sleep(10) });
      return ctx.waitForSignal("end");
    });
    await host.advance(20);
    expect(host.resolveToken("t")).toMatchObject({
      code: "already_resolved",
      message: expect.stringContaining("let it go"),
    });
  });

  test("WAIT11 RUN7 a race without members, or with other promises, is rejected with advice", async () => {
    const wrong: Record<string, (ctx: WorkflowContext) => unknown> = {
      none: (ctx) => ctx.race({}),
      nothing: (ctx) => ctx.race(undefined as never),
      promise: (ctx) => ctx.race({ other: Promise.resolve(1) }),
      nested: (ctx) => ctx.race({ inner: ctx.race({ a: ctx.sleep(1) }), b: ctx.sleep(1) }),
      parallel: (ctx) => ctx.race({ all: ctx.parallel([1], (one) => one) }),
      token: (ctx) => ctx.race({ token: ctx.waitForToken() as never }),
      option: (ctx) => ctx.race({ a: ctx.sleep(1) }, { timeout: 1 } as never),
    };
    for (const body of Object.values(wrong)) {
      const host = await finished(async (ctx) => body(ctx));
      expect(host.header.error).toMatchObject({
        code: "INVALID_ARGUMENT",
        message: expect.stringContaining("ctx.race"),
      });
    }
  });

  test("CAN6 WAIT11 a step that wins while the run is paused closes the waits, so no delivery of the pause reaches them", async () => {
    let finish: (value: string) => void = () => {};
    const host = await started(async (ctx) => {
      const work = ctx.step("work", () => new Promise<string>((resolve) => (finish = resolve)));
      const first = await ctx.race({ work, stop: ctx.waitForSignal("stop") });
      return [first.name, await ctx.waitForSignal("stop")];
    });
    host.operate("pause");
    host.deliver("signal", "stop", 1, "1");
    finish("done");
    await host.settle();
    host.operate("unpause");
    await host.advance();
    expect(host.output).toEqual(["work", 1]);
  });
});

describe("steps and children that lose", () => {
  test("WAIT11 STEP6 the signal of a losing step aborts, and it is journaled and compensated if it completes", async () => {
    const undone: string[] = [];
    const aborted: boolean[] = [];
    const host = await finished(async (ctx) => {
      const slow = ctx.step("slow", { compensate: () => undone.push("slow") }, async ({ signal }) => {
        await new Promise((resolve) => signal.addEventListener("abort", resolve));
        aborted.push(signal.aborted);
      });
      await ctx.race({ slow, tick: ctx.sleep(100) });
      await ctx.sleep(1_000);
      throw new Error("later");
    });
    expect([aborted, undone]).toEqual([[true], ["slow"]]);
    expect(host.header.status).toBe("compensated");
    expect(journalOf(host)).toContain("step.completed step/0/slow");
  });

  test("WAIT11 a losing step that ignores its signal fails with RELEASED after 5 s, so the run can wait", async () => {
    const host = await started(async (ctx) => {
      await ctx.race({ slow: ctx.step("slow", never), tick: ctx.sleep(100) });
      return ctx.waitForSignal("s");
    });
    await host.advance(5_200);
    expect(host.header.status).toBe("waiting");
    expect(host.journal.find((entry) => entry.type === "step.failed")).toMatchObject({ error: { code: "RELEASED" } });
  });

  test("WAIT11 DUR3 a step that has lost never executes again: not after a failed attempt, not after a crash", async () => {
    for (const crash of [false, true]) {
      const bodies: string[] = [];
      const host = await started(async (ctx) => {
        const flaky = ctx.step("flaky", { retry: { initial: 500 } }, () => {
          bodies.push("flaky");
          throw new Error("no");
        });
        const hangs = ctx.step("hangs", () => (bodies.push("hangs"), never()));
        await ctx.race({ flaky, hangs, tick: ctx.sleep(100) });
        await ctx.sleep(60_000);
        return (await Promise.allSettled([flaky, hangs])).map((one) => one.status === "rejected" && one.reason.code);
      });
      await host.advance(200);
      if (crash) host.crash();
      await host.advance();
      expect([host.output, bodies]).toEqual([
        ["RELEASED", "RELEASED"],
        ["flaky", "hangs"],
      ]);
      expect(await host.replayCold()).toEqual([]);
    }
  });

  test("WAIT11 a losing step whose attempt fails and would be repeated fails with RELEASED; its last attempt keeps its error", async () => {
    for (const [max, code] of [
      [2, "RELEASED"],
      [1, "OWN"],
    ] as const) {
      const host = await finished(async (ctx) => {
        const slow = ctx.step("slow", { retry: { max, initial: 10 } }, async ({ signal }) => {
          await new Promise((resolve) => signal.addEventListener("abort", resolve));
          throw Object.assign(new Error("no"), { code: "OWN" });
        });
        await ctx.race({ slow, tick: ctx.sleep(100) });
        await ctx.sleep(1_000);
      });
      expect(host.journal.find((entry) => entry.type === "step.failed")).toMatchObject({ attempt: 1, error: { code } });
      expect(await host.replayCold()).toEqual([]);
    }
  });

  test("STEP6 a losing step that still executes when the run ends is aborted and awaited", async () => {
    const host = await finished(async (ctx) => {
      const slow = ctx.step(
        "slow",
        ({ signal }) => new Promise((resolve) => signal.addEventListener("abort", () => resolve(1))),
      );
      return ctx.race({ slow, quick: ctx.step("quick", () => 2) });
    });
    expect(journalOf(host)).toEqual(["step.completed step/0/quick", "step.completed step/0/slow"]);
  });

  test("COMP4 a race inside a group that fails: the group's completed steps are compensated, a loser that completed too", async () => {
    const undone: string[] = [];
    await finished(async (ctx) => {
      const compensate = (name: unknown): unknown => undone.push(String(name));
      await ctx
        .group("g", async ({ step }) => {
          const slow = step("slow", { compensate }, async ({ signal }) => {
            await new Promise((resolve) => signal.addEventListener("abort", resolve));
            return "slow";
          });
          await ctx.race({ slow, quick: step("quick", { compensate }, () => "quick") });
          throw new Error("group");
        })
        .catch(() => {});
    });
    expect(undone).toEqual(["slow", "quick"]);
  });

  test.each([false, true])(
    "WAIT11 CHILD3 a child that loses continues, or is cancelled with cancelLosers: %s",
    async (cancelLosers) => {
      const kid = workflow({ id: "kid", run: (_input, ctx) => ctx.sleep(10_000) });
      const parent = workflowOf(async (ctx) => {
        const child = ctx.invoke(kid, 1);
        const first = await ctx.race({ child, tick: ctx.sleep(100) }, { cancelLosers });
        await ctx.sleep(20_000);
        return [
          first.name,
          await child.then(
            () => "ended",
            (error: { code: string }) => error.code,
          ),
        ];
      });
      const host = new MemoryHost({ workflows: [parent, kid] });
      host.trigger("w");
      await host.advance();
      const child = [...host.world.values()].find((one) => one !== host);
      expect(host.output).toEqual(["tick", cancelLosers ? "RELEASED" : "ended"]);
      expect(child?.header.status).toBe(cancelLosers ? "cancelled" : "completed");
    },
  );
});

describe("races in stored runs", () => {
  const broken = { now: true };
  const body = async (ctx: WorkflowContext): Promise<unknown> => {
    const before = await ctx.race({ tick: ctx.sleep(10), stop: ctx.waitForSignal("stop") });
    const pay = ctx.step("pay", ({ signal }) => {
      if (broken.now) throw new FatalError("down");
      return new Promise((resolve) => signal.addEventListener("abort", resolve));
    });
    const first = await ctx.race({ pay, stop: ctx.waitForSignal("stop") });
    return [before.name, first.name];
  };

  test("RES1 WAIT11 a resume from a step that lost its race by failing opens the losers of that race again, and no others", async () => {
    broken.now = true;
    const parent = await finished(body);
    expect(journalOf(parent).slice(-2)).toEqual(["step.failed step/0/pay", "wait.released signal/1/stop"]);
    broken.now = false;
    const inherited = planResume(parent.header, parent.journal, { seedResults: [] });
    if ("type" in inherited) throw new Error(inherited.message);
    expect(inherited.entries.map(({ type, op }) => `${type} ${op}`)).toEqual(journalOf(parent).slice(0, 4));
    const host = new MemoryHost({ workflows: [workflowOf(body)] });
    host.trigger("w", undefined, { runId: "run-2", inherited });
    await host.settle();
    expect(host.header.uses).toEqual(["incarnation", "releases"]);
    host.deliver("signal", "stop", 1);
    await host.advance();
    expect(host.output).toEqual(["tick", "stop"]);
  });

  test("VER4 a run with a race says so in its header, and a run without one does not", async () => {
    const plain = await started((ctx) => ctx.waitForSignal("s", { timeout: "1h" }));
    const raced = await started((ctx) => ctx.race({ s: ctx.waitForSignal("s"), t: ctx.sleep("1h") }));
    expect([plain.header.uses, raced.header.uses]).toEqual([["incarnation"], ["incarnation", "releases"]]);
    raced.crash();
    expect(raced.host.state.newer).toBeUndefined();
  });
});
