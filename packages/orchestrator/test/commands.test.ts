/** Each command in each state of a run: it has an effect, or it is refused and changes nothing. */
import { type ExecutionEvent, type RunActionName, errorValue } from "@holdfast/protocol";
import { describe, expect, test } from "vitest";
import { type Input, planResume, readJournal } from "../src/index.ts";
import { Bench, completed } from "./bench.ts";

const by = "ada";

const COMMANDS = {
  event: { type: "deliver", kind: "event", name: "e", payload: "[1]", by },
  signal: { type: "deliver", kind: "signal", name: "s", payload: "[1]", by },
  repeated: { type: "deliver", kind: "signal", name: "x", payload: "[1]", deliveryId: "known", by },
  token: { type: "resolveToken", tokenId: "t", payload: "[1]", by },
  "timed out token": { type: "resolveToken", tokenId: "late", payload: "[1]", by },
  cancel: { type: "cancel", by },
  terminate: { type: "terminate", reason: "stuck", by },
  pause: { type: "pause", by },
  unpause: { type: "unpause", by },
  retry: { type: "retry", by },
  delete: { type: "delete" },
} as const satisfies Readonly<Record<string, Input>>;

type Command = keyof typeof COMMANDS;

const compensable = completed("a", { compensable: true });

/** A run that waits for a signal and two tokens. The time-out of one of them is due in a second. */
function waiting(): Bench {
  const bench = new Bench();
  bench.trigger();
  bench.report(compensable, { type: "wait.opened", op: "signal/0/s", nth: 2 });
  bench.report({ type: "wait.opened", op: "token/0/token", nth: 3, tokenId: "t" });
  bench.report({ type: "wait.opened", op: "token/1/token", nth: 4, tokenId: "late", afterMs: 1_000 });
  bench.host.handle({ ...COMMANDS.repeated });
  return bench;
}

function after(bench: Bench, ...inputs: readonly Input[]): Bench {
  for (const input of inputs) bench.host.handle(input);
  bench.now += 2_000;
  return bench;
}

const diverged: ExecutionEvent = { type: "run.diverged", error: errorValue("NON_DETERMINISM", "x") };

/** Makes a run in each state. */
const STATES = {
  pending: () => {
    const bench = new Bench();
    bench.trigger({ delayMs: 60_000 });
    bench.host.handle({ ...COMMANDS.repeated });
    return bench;
  },
  running: () => after(waiting()),
  "running without an execution": () => {
    const bench = waiting();
    bench.host = bench.newHost();
    return after(bench);
  },
  waiting: () => {
    const bench = waiting();
    bench.report({ type: "parked", seq: 99, now: bench.now });
    return bench;
  },
  paused: () => after(waiting(), { type: "pause" }),
  "paused by the engine": () => {
    const bench = waiting();
    bench.report(diverged);
    return after(bench);
  },
  unwinding: () => after(waiting(), { type: "cancel" }),
  "unwinding and paused": () => after(waiting(), { type: "cancel" }, { type: "pause" }),
  "unwinding and paused by the engine": () => {
    const bench = after(waiting(), { type: "cancel" });
    bench.report(diverged);
    return bench;
  },
  ended: () => after(waiting(), { type: "terminate", reason: "stuck" }),
} as const satisfies Readonly<Record<string, () => Bench>>;

type State = keyof typeof STATES;

/** The answer to each command. The other tables change it for their states. */
const FORWARD: Readonly<Record<Command, string>> = {
  event: "buffered",
  signal: "resolved",
  repeated: "duplicate",
  token: "resolved",
  "timed out token": "already_resolved",
  cancel: "done",
  terminate: "done",
  pause: "done",
  unpause: "not_applicable",
  retry: "not_applicable",
  delete: "run_not_ended",
};

const PAUSED = { ...FORWARD, signal: "buffered", token: "buffered", pause: "not_applicable" };

const UNWINDING = { ...FORWARD, event: "run_unwinding", signal: "run_unwinding", token: "run_unwinding" };

const ENDED: Readonly<Record<Command, string>> = {
  event: "run_terminal",
  signal: "run_terminal",
  repeated: "duplicate",
  token: "run_terminal",
  "timed out token": "run_terminal",
  cancel: "run_terminal",
  terminate: "run_terminal",
  pause: "run_terminal",
  unpause: "run_terminal",
  retry: "run_terminal",
  delete: "done",
};

const ANSWERS: Readonly<Record<State, Readonly<Record<Command, string>>>> = {
  pending: { ...FORWARD, signal: "buffered", token: "token_not_found", "timed out token": "token_not_found" },
  running: FORWARD,
  "running without an execution": FORWARD,
  waiting: { ...FORWARD, "timed out token": "resolved" },
  paused: { ...PAUSED, unpause: "done" },
  "paused by the engine": { ...PAUSED, retry: "done" },
  unwinding: { ...UNWINDING, "timed out token": "run_unwinding", cancel: "nothing to do" },
  "unwinding and paused": {
    ...UNWINDING,
    "timed out token": "run_unwinding",
    cancel: "nothing to do",
    pause: "not_applicable",
    unpause: "done",
  },
  "unwinding and paused by the engine": {
    ...UNWINDING,
    "timed out token": "run_unwinding",
    pause: "not_applicable",
    retry: "done",
  },
  ended: ENDED,
};

/** Acknowledged commands that change nothing: the wanted state exists already. */
const NO_EFFECT: ReadonlySet<string> = new Set(["duplicate", "nothing to do"]);

/** The action of each route, with commands that are one. */
const ACTIONS: Readonly<Record<RunActionName, readonly Command[]>> = {
  deliverSignal: ["signal"],
  deliverEvent: ["event"],
  resolveToken: ["token", "timed out token"],
  pauseRun: ["pause"],
  unpauseRun: ["unpause"],
  retryRun: ["retry"],
  resumeRun: [],
  cancelRun: ["cancel"],
  terminateRun: ["terminate"],
  deleteRun: ["delete"],
};

/** Where no token is open, the list cannot name the refusal of each. */
const ANY_TOKEN = ["token_not_found", "already_resolved", "run_terminal"];

/** The stored rows without the audit: to record a command is no effect of it. */
function rowsOf(bench: Bench): unknown {
  const rows = Object.entries(bench.store.dump()).filter(([key]) => !key.startsWith("audit/"));
  return rows.map(([key, row]) => [key, { ...(row as object), audited: undefined, updatedAt: undefined }]);
}

describe.each(Object.keys(STATES) as State[])("a run that is %s", (state) => {
  test.each(Object.keys(COMMANDS) as Command[])("CAN4 WAIT12 %s has an effect, or is refused", (command) => {
    const bench = STATES[state]();
    // Timers that are due are settled first by every input.
    bench.host.handle({ type: "alarm" });
    const before = rowsOf(bench);
    const reply = bench.host.handle(COMMANDS[command]);
    const expected = ANSWERS[state][command];
    const given = reply.type === "refused" ? reply.code : reply.type === "delivered" ? reply.delivery : reply.type;
    expect(given).toBe(expected === "nothing to do" ? "done" : expected);
    // The host deletes the rows of a run after it has asked the machine.
    if (command === "delete") return;
    const changed = JSON.stringify(rowsOf(bench)) !== JSON.stringify(before);
    expect(changed).toBe(reply.type !== "refused" && !NO_EFFECT.has(expected));
  });
});

/** The commands that record the key of their request. */
const KEYED: ReadonlySet<string> = new Set([
  "token",
  "timed out token",
  "cancel",
  "terminate",
  "pause",
  "unpause",
  "retry",
]);

describe.each(Object.keys(STATES) as State[])("a run that was %s", (state) => {
  test.each([...KEYED] as Command[])(
    "API10 %s with the key of a request that had an effect is answered as done and changes nothing, also after a crash and in a later state",
    (command) => {
      const bench = STATES[state]();
      const input = { ...COMMANDS[command], requestKey: "k" } as Input;
      bench.host.handle(input);
      bench.host = bench.newHost();
      bench.host.handle({ type: "alarm" });
      // A request that was refused, or had no effect, may be tried again.
      if (!isRecorded(bench, input)) return;
      const done = command.endsWith("token") ? { type: "delivered", delivery: "duplicate" } : { type: "done" };
      for (const later of [{ type: "alarm" }, COMMANDS.pause, COMMANDS.unpause, COMMANDS.terminate] as const) {
        bench.host.handle(later);
        const stored = bench.store.dump();
        expect(bench.host.handle(input)).toEqual(done);
        expect(bench.store.dump()).toEqual(stored);
      }
    },
  );
});

function isRecorded({ store }: Bench, { type: action }: Input): boolean {
  return [...store.list("audit/")].some(
    ([, row]) => JSON.stringify(row).includes(`"${action}"`) && "requestKey" in Object(row),
  );
}

test("API10 the key of another caller or of another action is another request", () => {
  const bench = STATES.waiting();
  const pause = { ...COMMANDS.pause, requestKey: "k" } as const;
  expect(bench.host.handle(pause)).toEqual({ type: "done" });
  expect(bench.host.handle({ ...pause, by: "bob" })).toMatchObject({ code: "not_applicable" });
  expect(bench.host.handle({ ...pause, requestKey: "l" })).toMatchObject({ code: "not_applicable" });
  expect(bench.host.handle({ ...COMMANDS.unpause, requestKey: "k" })).toEqual({ type: "done" });
  expect(bench.header.status).toBe("waiting");
  expect(bench.host.handle(pause)).toEqual({ type: "done" });
  expect(bench.header.status).toBe("waiting");
});

describe.each(Object.keys(STATES) as State[])("the list of a run that is %s", (state) => {
  test.each(Object.keys(ACTIONS) as RunActionName[])(
    "ACT1 says of %s what the route answers, and changes nothing",
    (action) => {
      const bench = STATES[state]();
      const stored = bench.store.dump();
      const { refused } = bench.host.actions().find((one) => one.action === action) ?? {};
      expect(bench.store.dump()).toEqual(stored);
      const answers = ACTIONS[action].map((command) => {
        const copy = STATES[state]().host;
        const reply = copy.handle(COMMANDS[command]);
        return reply.type === "refused" ? reply : undefined;
      });
      if (action === "resumeRun") {
        const plan = planResume(bench.header, readJournal(bench.host.state), { seedResults: [] });
        answers.push("type" in plan ? plan : undefined);
      }
      // Of two tokens, one that can be answered suffices.
      const expected = answers.includes(undefined) ? undefined : answers[0];
      if (action === "resolveToken" && expected !== undefined)
        expect(ANY_TOKEN.concat("run_unwinding")).toContain(refused?.error);
      else if (action.startsWith("deliver")) expect(refused?.error).toBe(expected?.code);
      else expect(refused).toEqual(expected && { error: expected.code, message: expected.message });
    },
  );
});

test("ACT1 WAIT9 a delivery is refused by a full inbox, unless a wait of its kind is open", () => {
  const bench = waiting();
  bench.limits = { ...bench.limits, inboxDeliveries: 0 };
  bench.host = bench.newHost();
  const refused = (action: RunActionName): string | undefined =>
    bench.host.actions().find((one) => one.action === action)?.refused?.error;
  expect([refused("deliverSignal"), refused("deliverEvent")]).toEqual([undefined, "inbox_full"]);
  bench.host.handle(COMMANDS.pause);
  expect(refused("deliverSignal")).toBe("inbox_full");
});

test("ACT1 RES1 a completed run can be resumed if it has a step, and any other ended run", () => {
  const end = (...events: ExecutionEvent[]): string | undefined => {
    const bench = new Bench();
    bench.trigger();
    bench.report(...events);
    return bench.host.actions().find(({ action }) => action === "resumeRun")?.refused?.error;
  };
  const output = { type: "run.completed", output: "[1]" } as const;
  expect(end(output)).toBe("unknown_step");
  expect(end(completed("a"), output)).toBeUndefined();
  expect(end({ type: "run.failed", error: errorValue("LIMIT_EXCEEDED", "x") })).toBeUndefined();
});

test("ACT1 VER4 each action on a run that newer code wrote is refused", () => {
  const bench = waiting();
  bench.store.commit({ puts: new Map([["record", { ...bench.header, v: 99 }]]), deletes: new Set() });
  const codes = bench
    .newHost()
    .actions()
    .map(({ refused }) => refused?.error);
  expect(new Set(codes)).toEqual(new Set(["newer_format"]));
});
