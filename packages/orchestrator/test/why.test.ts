/** tests: why a run is in its state, from facts that the simulator does not reach (WHY1 to WHY3, WHY6) */
import { DEFAULT_LIMITS, type WhyEntry } from "@holdfast/protocol";
import { describe, expect, test } from "vitest";
import {
  type Activity,
  NO_PARTS,
  type OpenWait,
  type RunHeader,
  type RunHost,
  type View,
  type WhyFacts,
  factsOf,
  factsOfHeader,
  transition,
  whyOf,
} from "../src/index.ts";
import { Bench, child, completed } from "./bench.ts";

const OPERATOR: View = { tokenIds: true, stacks: false, failures: true };
const LIVE: Activity = { live: true, inProgress: [], held: false };

/** A run that waits since 1,000 at the time 2,000. */
function header(more: Partial<RunHeader> = {}): RunHeader {
  return {
    v: 1,
    id: "a/b",
    tenantId: "t",
    workflowId: "w",
    status: "waiting",
    tags: [],
    environment: "test",
    triggeredBy: "api",
    seed: "s",
    number: 1,
    resumedBy: [],
    metadata: [],
    streams: [],
    createdAt: 500,
    startedAt: 600,
    updatedAt: 1_000,
    epoch: 1,
    asked: 1,
    waits: [],
    inbox: { count: 0, chars: 0, next: 1 },
    deliveryIds: 0,
    outbox: { count: 0, next: 1, failures: 0 },
    ...more,
  };
}

function facts(more: Partial<RunHeader>, others: Partial<WhyFacts> = {}): WhyFacts {
  return { ...factsOfHeader(header(more)), now: 2_000, lastAt: 1_000, activity: LIVE, ...others };
}

function why(more: Partial<RunHeader>, others?: Partial<WhyFacts>, view: View = OPERATOR): WhyEntry[] {
  return whyOf(facts(more, others), view);
}

function wait(kind: string, name: string, more: Partial<OpenWait> = {}): OpenWait {
  return { op: `${kind}/0/${name}`, nth: 1, kind: "EVENT", name, openedAt: 1_000, ...more };
}

describe("events of topics", () => {
  const topic = { name: "order.paid\u0002o 1", since: 0 };
  const open = wait("event", "order.paid", { topic, wakeAt: 9_000 });

  test("WHY3 EVT9 a wait for an event with a key names both, leads to its topic, and no delivery to the run helps", () => {
    const [first] = why({ waits: [open] });
    expect(first).toMatchObject({
      code: "WAITING_FOR_TOPIC",
      text: 'Waits for the event "order.paid" with the key "o 1".',
      since: 1_000,
      until: 9_000,
      topic: { name: "order.paid", key: "o 1" },
      link: "/api/topics/order.paid/o%201",
      actions: [],
    });
  });

  test("WHY1 EVT10 a run that finds no room at the topic says so", () => {
    const topics = [{ name: topic.name, seq: 1, open: true, full: true }] as const;
    const [first] = why({ waits: [open], topics });
    expect(first).toMatchObject({ code: "WAITING_FOR_TOPIC", topic: { full: true } });
    expect(first?.text).toContain("Waits for room");
  });
});

describe("what keeps a run from executing", () => {
  const message = "10.0.0.7 answered 502";

  test.each<[code: string, Partial<RunHeader>, Partial<Activity>, object]>([
    [
      "HELD",
      { status: "running", dispatch: { since: 900, failures: 0, retryAt: 60_900, code: "HELD", message } },
      { live: false, held: true },
      { since: 900, until: 60_900 },
    ],
    ["HELD", { status: "pending", startAt: 1_500 }, { live: false, held: true }, { since: 1_500 }],
    ["HELD", { status: "running", watchdogAt: 9_000 }, { live: false, held: true }, { since: 1_000 }],
    [
      "EXECUTIONS_MAX",
      { status: "running", dispatch: { since: 900, failures: 0, retryAt: 2_500, code: "EXECUTIONS_MAX", message } },
      { live: false },
      { since: 900, until: 2_500 },
    ],
    [
      "DISPATCH_FAILING",
      { status: "running", dispatch: { since: 900, failures: 3, retryAt: 2_500, code: "DISPATCH_FAILED", message } },
      { live: false },
      { since: 900, until: 2_500, error: { code: "DISPATCH_FAILED", message } },
    ],
    [
      "HANDLER_SILENT",
      { status: "running", watchdogAt: 2_500 },
      { silence: { ms: 700, pings: 2 } },
      { since: 1_300, until: 2_500 },
    ],
    ["EXECUTION_LOST", { status: "running", watchdogAt: 2_500 }, { live: false }, { since: 1_000, until: 2_500 }],
    ["EXECUTING", { status: "running", watchdogAt: 2_500 }, { silence: { ms: 700, pings: 0 } }, { since: 1_000 }],
    ["WAITING_FOR_NOTHING", {}, {}, { since: 1_000 }],
    ["DELAYED", { status: "pending", startAt: 2_500 }, { held: true }, { since: 500, until: 2_500 }],
    ["UNWINDING", { status: "running", unwinding: { cause: "request", error: error("X") } }, {}, { since: 1_000 }],
    [
      "CLEANING_UP",
      { status: "running", cleanupBy: 9_000, unwinding: { cause: "cancel", error: error("CANCELLED") } },
      {},
      { since: 1_000, until: 9_000 },
    ],
  ])("WHY1 DUR8 DUR11 DUR12 DUR13 a run that is in the state %s says so first", (code, more, activity, expected) => {
    const [first] = why(more, { activity: { ...LIVE, ...activity } });
    expect(first).toMatchObject({ code, ...expected });
  });

  test("WHY2 DUR12 after a hold, a run that it kept does not say that the deployment is held", () => {
    const dispatch = { since: 900, failures: 0, retryAt: 60_900, code: "HELD", message };
    const text = (held: boolean): string | undefined =>
      why({ status: "running", dispatch }, { activity: { ...LIVE, live: false, held } })[0]?.text;
    expect([text(true), text(false)]).toEqual([
      "Held by an operator (HOLD).",
      "The hold has ended: the run continues at its next alarm.",
    ]);
  });

  test("WHY1 DUR12 a run that waits in a held deployment waits for its signal until a timer is due", () => {
    const held = { activity: { ...LIVE, live: false, held: true } };
    const waits = [wait("signal", "go"), wait("sleep", "nap", { wakeAt: 2_500 })];
    const codes = (now: number): string[] => why({ waits }, { ...held, now }).map(({ code }) => code);
    expect(codes(2_000)).toEqual(["WAITING_FOR_SIGNAL", "SLEEPING"]);
    expect(codes(2_600)).toEqual(["HELD", "WAITING_FOR_SIGNAL", "SLEEPING"]);
  });

  test("WHY6 SEC4 a reader without operate sees the code of a failure of dispatch, and not what the other side said", () => {
    const dispatch = { since: 900, failures: 1, retryAt: 2_500, code: "DISPATCH_FAILED", message };
    const paused = { from: "running", at: 900, by: "engine" } as const;
    const failures = [
      why({ status: "running", dispatch }, {}, NO_PARTS),
      why({ status: "paused", paused, error: { ...error("DISPATCH_REFUSED"), message } }, {}, NO_PARTS),
      why({ status: "failed", error: { ...error("DISPATCH_REFUSED"), message } }, {}, NO_PARTS),
    ];
    expect(JSON.stringify(failures)).not.toContain("10.0.0.7");
    expect(failures.map(([first]) => first?.error?.code)).toEqual([
      "DISPATCH_FAILED",
      "DISPATCH_REFUSED",
      "DISPATCH_REFUSED",
    ]);
  });
});

function error(code: "CANCELLED" | "DISPATCH_REFUSED" | "X"): NonNullable<RunHeader["error"]> {
  return { name: "E", message: "m", code, category: "RUNTIME_ERROR" };
}

describe("several reasons", () => {
  test("WHY2 parallel steps and waits have an entry each, and the one to act on first is first", () => {
    const waits = [
      wait("sleep", "nap", { wakeAt: 3_000 }),
      wait("run", "child", { runId: "c/1" }),
      wait("signal", "late"),
      wait("signal", "soon", { wakeAt: 2_500 }),
      wait("token", "token", { tokenId: "t 1" }),
    ];
    const inProgress = [{ op: "step/0/charge", attempt: 2, startedAt: 9_999, progress: '["40 %"]' }];
    const shown = why({ status: "running", waits }, { activity: { ...LIVE, inProgress } });
    expect(shown.map((entry) => [entry.code, entry.for?.name, entry.since, entry.until])).toEqual([
      ["WAITING_FOR_TOKEN", "token", 1_000, undefined],
      ["WAITING_FOR_SIGNAL", "soon", 1_000, 2_500],
      ["WAITING_FOR_SIGNAL", "late", 1_000, undefined],
      ["WAITING_FOR_CHILD", "child", 1_000, undefined],
      ["STEP_EXECUTING", "charge", 2_000, undefined],
      ["SLEEPING", "nap", 1_000, 3_000],
    ]);
    expect(shown[3]).toMatchObject({ for: { runId: "c/1" }, link: "/api/runs/c%2F1", actions: [] });
    expect(shown[4]).toMatchObject({ attempt: 2, progress: "40 %", text: 'Attempt 2 of step "charge" executes.' });
  });

  test("WHY2 of 30 waits 20 are listed, and the last entry counts the others", () => {
    const waits = Array.from({ length: 30 }, (_, i) => wait("signal", `s${i}`, { openedAt: 100 + i }));
    const shown = why({ waits });
    expect(shown).toHaveLength(21);
    expect(shown.at(-1)).toEqual({
      code: "MORE",
      text: "10 more are not listed.",
      since: 120,
      more: 10,
      actions: [],
    });
  });

  test("WHY2 a long message is cut after a word, and says so", () => {
    const textOf = (reason: string): string =>
      why({ status: "paused", paused: { by: "operator", from: "waiting", at: 1, subject: "ann", reason } })[0]?.text ??
      "";
    const words = "The card of the customer was refused. ".repeat(40);
    const cut = textOf(words);
    expect(cut).toMatch(/^Paused by ann: The card .*[a-z.]…$/);
    expect(words.startsWith(`${cut.slice("Paused by ann: ".length, -1)} `)).toBe(true);
    expect(cut.length).toBeLessThanOrEqual("Paused by ann: ".length + 800);
    expect(textOf("x".repeat(800))).toBe(`Paused by ann: ${"x".repeat(800)}`);
    expect(textOf("😀".repeat(500)).isWellFormed()).toBe(true);
  });

  test("WHY2 a message in an entry is cut, and a text has no data of the user but names and messages", () => {
    const data = '[{"secret":1},"of the user"]';
    const retry = {
      op: "step/0/charge",
      attempt: 2,
      retryAt: 3_000,
      at: 900,
      max: 5,
      error: { name: "E", code: "CARD", message: "x".repeat(5_000), data },
    };
    const waits = [wait("signal", "go", { match: data })];
    const shown = why({ retryAt: 3_000, waits }, { retries: [retry] });
    expect(shown[0]).toMatchObject({ code: "STEP_RETRYING", since: 900, until: 3_000, attempt: 3, attemptsMax: 5 });
    expect(shown[0]?.text).toMatch(/^Attempt 3 of 5 of step "charge" comes next\. CARD: x{799}…$/);
    expect(JSON.stringify(shown)).not.toContain("of the user");
  });
});

describe("a long journal", () => {
  function fill(bench: Bench, count: number): void {
    bench.trigger();
    for (let i = 0; i < count; i++) bench.report(completed(`s${i}`, { nth: i + 1 }));
    bench.report({
      type: "step.failed",
      op: "step/0/flaky",
      nth: count + 1,
      attempt: 1,
      startedAt: 1,
      error: { name: "E", message: "m", code: "LATER" },
      retry: { max: 4, backoff: "fixed", initialMs: 60_000, maxDelayMs: 60_000 },
    });
    bench.report({ type: "parked", seq: bench.host.state.lastSeq, now: bench.now });
  }

  test("WHY1 a retry after the entries that the record shows is found, also by an object that has just started", () => {
    const bench = new Bench();
    fill(bench, 40);
    const read = (host: RunHost): WhyEntry[] => whyOf(factsOf(host.state, bench.now, host.activity(), 10), OPERATOR);
    for (const host of [bench.host, bench.newHost()]) {
      expect(read(host)).toMatchObject([{ code: "STEP_RETRYING", for: { name: "flaky" }, attempt: 2 }]);
    }
    expect(read(bench.newHost())[0]).toMatchObject({ attemptsMax: 4, error: { code: "LATER" } });
  });
});

describe("actions", () => {
  test("WHY3 WHY6 an action has its scope, path and known fields, and the path of a token needs deliver", () => {
    const waits = [wait("token", "token", { tokenId: "t 1" }), wait("event", "paid", { name: "paid" })];
    const actions = (view: View): unknown => why({ waits }, {}, view).map((entry) => entry.actions);
    const event = {
      action: "deliverEvent",
      scope: "deliver",
      path: "/api/runs/a%2Fb/events",
      body: { eventType: "paid" },
    };
    expect(actions(OPERATOR)).toEqual([
      [{ action: "resolveToken", scope: "deliver", path: "/api/runs/a%2Fb/tokens/t%201" }],
      [event],
    ]);
    expect(actions(NO_PARTS)).toEqual([[{ action: "resolveToken", scope: "deliver" }], [event]]);
    expect(JSON.stringify(why({ waits }, {}, NO_PARTS))).not.toContain("t 1");
  });

  test("WHY3 while a timer is due the API may refuse an action, and none is listed", () => {
    const waits = [wait("signal", "go")];
    expect(why({ waits, deadlineAt: 2_001 })[0]?.actions).toHaveLength(1);
    expect(why({ waits, deadlineAt: 2_000 })[0]?.actions).toEqual([]);
  });

  test("WHY1 WHY3 VER4 a run that newer code wrote needs a newer release, and no action", () => {
    expect(
      why({ status: "paused", waits: [wait("signal", "go")] }, { newer: "the header has format 9" }),
    ).toMatchObject([{ code: "NEWER_FORMAT", since: 1_000, text: expect.stringContaining("format 9"), actions: [] }]);
  });

  test("WHY1 CAN4 a paused run names the operator and the reason, and what still executes", () => {
    const bench = new Bench();
    bench.trigger();
    bench.host.handle({ type: "pause", by: "ann", reason: "new prices" });
    const inProgress = [{ op: "step/0/charge", attempt: 1, startedAt: 1 }];
    const shown = why(bench.header, { header: bench.header, now: bench.now, activity: { ...LIVE, inProgress } });
    expect(shown).toMatchObject([
      { code: "PAUSED_BY_OPERATOR", text: "Paused by ann: new prices", since: bench.now },
      { code: "STEP_EXECUTING" },
    ]);
    expect(bench.host.handle({ type: "unpause" }).type).toBe("done");
    bench.host.handle({ type: "pause" });
    expect(why(bench.header)[0]?.text).toBe("Paused by an operator.");
  });
});

describe("children", () => {
  test("WHY1 CHILD4 a child whose start is not acknowledged is starting, until the start is sent again", () => {
    const bench = new Bench();
    bench.trigger();
    bench.report(child("c"));
    const { host } = bench;
    const read = (): WhyEntry[] => whyOf(factsOf(host.state, bench.now, host.activity()), OPERATOR);
    expect(read()).toContainEqual(
      expect.objectContaining({ code: "CHILD_STARTING", until: bench.header.outbox.retryAt, link: expect.any(String) }),
    );
    bench.sent[0]?.done({ type: "acknowledged" });
    expect(read()).toContainEqual(expect.objectContaining({ code: "WAITING_FOR_CHILD" }));
  });
});

test("WHY1 DUR13 a run that is deferred again waits since the first time", () => {
  const bench = new Bench();
  bench.trigger({ delayMs: 10 });
  const deferral = { delayMs: 500, code: "EXECUTIONS_MAX", message: "full" } as const;
  const defer = (now: number): RunHeader["dispatch"] => {
    const context = { now, limits: DEFAULT_LIMITS, live: false, canSend: true, deferral };
    const { batch } = transition(bench.host.state, { type: "alarm" }, context);
    bench.store.commit(batch);
    bench.host.forget();
    return bench.header.dispatch;
  };
  const first = bench.now + 10;
  expect(defer(first)).toMatchObject({ since: first, retryAt: first + 500 });
  expect(defer(first + 500)).toMatchObject({ since: first, retryAt: first + 1_000 });
});

describe("a run that waits for its limits", () => {
  const held = { limit: "a", mode: "run", onFull: "queue", settings: { rev: 1, max: 1 }, seq: 1 } as const;

  function reason(more: object): WhyEntry | undefined {
    const wanted = { ...held, limit: "b", key: "c/1", seq: 2, state: "wanted", position: 3, ...more } as const;
    const holds = [{ ...held, state: "held" } as const, wanted];
    return why({ status: "pending", epoch: 0, holds, admission: { since: 5, timeoutAt: 90 } })[0];
  }

  test("WHY1 L1 it shows the limit, its place in the queue, and what it holds meanwhile", () => {
    expect(reason({})).toMatchObject({
      code: "WAITING_FOR_LIMIT",
      text: 'Waits for the limit "b". It holds "a" meanwhile.',
      since: 5,
      until: 90,
      limit: { name: "b", key: "c/1", position: 3 },
      link: "/api/limits/b/c%2F1",
    });
  });

  test("WHY1 GATE10 it has no link to a limit of the deployment", () => {
    expect(reason({ scope: "deployment" })?.link).toBeUndefined();
  });

  test("WHY1 FLOW5 it shows when a rate admits the run", () => {
    expect(reason({ state: "held", startAt: 70 })).toMatchObject({ code: "RATE_LIMITED", since: 5, until: 70 });
  });
});
