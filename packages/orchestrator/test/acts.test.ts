/**
 * Commands whose answers are lost: the caller repeats them under the same key, and they have no effect again (API10).
 *
 * A script of commands, and of other inputs between them, is executed twice: as it is, and with attempts that are lost before
 * or after their commit. The rows and the messages are the same.
 */
import { HOST_LIMITS, encodeValue } from "@holdfast/protocol";
import { MemoryStore } from "@holdfast/workflows/testing";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type CommandReply,
  CoordinatorHost,
  type CoordinatorMachine,
  type PlannedTimes,
  type SendResult,
  eventMachine,
  gate,
  readDeclaration,
  scheduleMachine,
  windowMachine,
} from "../src/index.ts";

const START = Date.parse("2027-03-01T00:00:00Z");
const MINUTE = 60_000;

/** What exists of a kind for the tests. */
interface Kind {
  readonly machine: CoordinatorMachine;
  readonly name: string;
  /** Executed first. */
  readonly begin: (object: Tried) => void;
  /** Inputs of others. */
  readonly others: readonly ((object: Tried, nth: number) => void)[];
  /** Commands. `nth`: a number that differs from attempt to attempt. */
  readonly acts: readonly ((object: Tried, nth: number) => object)[];
}

/** A coordinator whose commits may be lost. */
class Tried {
  now = START;
  readonly store = new MemoryStore();
  /** Each message once: a sender repeats those without an answer. */
  readonly sent = new Set<string>();
  readonly #kind: Kind;
  #host: CoordinatorHost;

  constructor(kind: Kind) {
    this.#kind = kind;
    this.#host = this.#open();
    kind.begin(this);
  }

  #open(): CoordinatorHost {
    const { machine, name } = this.#kind;
    return new CoordinatorHost({
      machine,
      self: { kind: machine.kind, name },
      store: this.store,
      clock: () => this.now,
      send: (to, message, done) => {
        this.sent.add(JSON.stringify([to, message]));
        queueMicrotask(() => done({ type: "acknowledged" } satisfies SendResult));
      },
      erase: () => this.store.clear(),
    });
  }

  receive(message: object): void {
    this.#host.receive(message);
  }

  command(command: object, key?: string): CommandReply {
    return this.#host.command(command, key === undefined ? undefined : { key, by: "me" });
  }

  /** The body of the answer to `read`. */
  read(more: object = {}): Readonly<Record<string, unknown>> {
    const reply = this.command({ type: "read", ...more });
    return reply.type === "done" ? { ...reply.body } : {};
  }

  /** The process ends: what was committed is there. */
  end(): void {
    this.#host = this.#open();
  }

  async settle(): Promise<void> {
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }

  pass(ms: number): void {
    const end = this.now + ms;
    for (let fired = 0; this.store.alarm !== null && this.store.alarm <= end && fired < 100; fired++) {
      this.now = Math.max(this.now, this.store.alarm);
      this.store.takeAlarm();
      this.#host.alarm();
    }
    this.now = end;
  }

  rows(): unknown {
    return [...this.store.list("")].map(([key, row]) => [key, { ...Object(row), clockAt: undefined }]);
  }
}

const triggerOf = (runId: string): object => ({
  runId,
  workflowId: "w",
  input: encodeValue(1, ""),
  tags: [],
  environment: "e",
  triggeredBy: "api",
});

const acquireOf = (runId: string): object => ({
  type: "acquire",
  hold: { runId, incarnation: runId, seq: 1 },
  workflowId: "w",
  place: { enqueuedAt: START },
  settings: { rev: 1, max: 2 },
  limit: "l",
  mode: "run",
  onFull: "queue",
});

const debounced = (runId: string): object => ({
  type: "collect",
  trigger: triggerOf(runId),
  settings: { type: "debounce", waitMs: MINUTE, maxWaitMs: 3 * MINUTE, take: "last" },
});

const backfillOf = (object: Tried, nth: number, again: boolean): object => {
  const range = { from: START - 5 * MINUTE, until: START };
  const planned = object.command({ type: "planBackfill", ...range, known: 0 });
  const how = { overlap: "allow", rate: 600, newestFirst: false, again, by: "me" };
  const { times, of } = (planned as { readonly body: PlannedTimes }).body;
  return { type: "backfill", request: { id: `b${nth}`, ...range, ...how }, times, of };
};

const configOf = (minutes: number): object =>
  readDeclaration({ id: "s", workflow: "w", every: `${minutes}m`, overlap: "allow" }, "schedule");

const replayOf = (object: Tried, mode: "missing" | "force", brief?: "done"): object => {
  const { forced = 0 } = object.read({ whole: true });
  const runId = mode === "force" ? `again-${Number(forced) + 1}` : "first";
  const run = { trigger: "t", workflowId: "w", workflowVersion: undefined, runId, input: encodeValue(1, "") };
  const decision = { runs: [run], topic: undefined, unmatched: [] };
  return { type: "replay", mode, decision, waits: false, by: "me", ...(brief === undefined ? {} : { brief }) };
};

const KINDS: Readonly<Record<string, Kind>> = {
  "a limit": {
    machine: gate,
    name: "l",
    begin: (object) => object.receive(acquireOf("first")),
    others: [
      (object, nth) => object.receive(acquireOf(`r${nth % 4}`)),
      (object) => object.pass(MINUTE),
      (object) => object.command({ type: "pause", paused: false, by: "other" }),
    ],
    acts: [
      () => ({ type: "kick", runId: "r1", by: "me" }),
      () => ({ type: "kick", runId: "first", by: "me" }),
      () => ({ type: "pause", paused: true, by: "me" }),
      () => ({ type: "override", max: 1, by: "me" }),
      () => ({ type: "override", max: null, by: "me" }),
    ],
  },
  "a window": {
    machine: windowMachine,
    name: "w",
    begin: (object) => object.receive(debounced("first")),
    others: [(object, nth) => object.receive(debounced(`r${nth}`)), (object) => object.pass(MINUTE / 2)],
    acts: [() => ({ type: "fire" }), () => ({ type: "cancel" })],
  },
  "a schedule": {
    machine: scheduleMachine,
    name: "s",
    begin: (object) => object.command({ type: "create", config: configOf(1), by: "me", environment: "e" }),
    others: [
      (object) => object.pass(MINUTE),
      (object) => object.command({ type: "pause", by: "other" }),
      (object) => object.command({ type: "resume", by: "other", catchUp: false }),
    ],
    acts: [
      (object, nth) => backfillOf(object, nth, true),
      (object, nth) => backfillOf(object, nth, false),
      () => ({ type: "cancelBackfill" }),
      () => ({ type: "pause", by: "me" }),
      () => ({ type: "resume", by: "me", catchUp: true }),
      () => ({ type: "update", config: configOf(2), by: "me" }),
    ],
  },
  "an event": {
    machine: eventMachine,
    name: "e",
    begin: (object) => {
      const { decision } = replayOf(object, "missing") as { decision: object };
      const event = { id: "e", name: "n", data: encodeValue(1, "") };
      object.command({ type: "accept", event, decision, origin: { by: "me", environment: "e" } });
    },
    others: [(object) => object.pass(MINUTE), (object) => object.command(replayOf(object, "force"))],
    acts: [
      (object) => replayOf(object, "force"),
      (object) => replayOf(object, "force", "done"),
      (object) => replayOf(object, "missing", "done"),
    ],
  },
};

type Fate = "answered" | "lost before" | "lost after";

interface Step {
  readonly act: number;
  readonly fate: Fate;
  readonly other: number;
}

const steps = fc.array(
  fc.record({
    act: fc.nat(5),
    fate: fc.constantFrom<Fate>("answered", "lost before", "lost after"),
    other: fc.nat(2),
  }),
  { maxLength: 12 },
);

/** Executes a script. `loses`: attempts are lost, and repeated after the next input of another. */
async function execute(kind: Kind, script: readonly Step[], loses: boolean): Promise<readonly [Tried, unknown[]]> {
  const object = new Tried(kind);
  const replies: unknown[] = [];
  for (const [nth, { act, fate, other }] of script.entries()) {
    const attempt = (number: number): CommandReply =>
      object.command(kind.acts[act % kind.acts.length]?.(object, number) ?? {}, `key-${nth}`);
    const disturb = (): void => kind.others[other % kind.others.length]?.(object, nth);
    if (fate === "lost before") disturb();
    const reply = attempt(nth);
    await object.settle();
    if (fate !== "lost before") disturb();
    await object.settle();
    if (loses) object.end();
    // A refusal had no effect: a repetition of it is decided again.
    // What is due is decided by a read, as by a repetition.
    object.read();
    const repeated = loses && reply.type === "done" ? attempt(nth + 1_000) : reply;
    await object.settle();
    replies.push(repeated.type);
  }
  return [object, replies];
}

describe.each(Object.entries(KINDS))("%s", (_name, kind) => {
  test("API10 a command whose answer is lost has its effect once, and its repetition is answered", async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (script) => {
        const [once, replies] = await execute(kind, script, false);
        const [repeated, answers] = await execute(kind, script, true);
        expect(answers).toEqual(replies);
        expect(repeated.sent).toEqual(once.sent);
        expect(repeated.rows()).toEqual(once.rows());
      }),
      { numRuns: 60 },
    );
  });

  test("API10 the number of keys that are known is bounded", async () => {
    const object = new Tried(kind);
    for (let nth = 0; nth < HOST_LIMITS.actRows + 10; nth++) {
      object.command(kind.acts[0]?.(object, nth) ?? {}, `key-${nth}`);
      for (const other of kind.others) other(object, nth);
      await object.settle();
    }
    expect([...object.store.list("act/")].length).toBeLessThanOrEqual(HOST_LIMITS.actRows);
  });
});

test.each([
  ["a limit", { type: "kick", runId: "first", by: "me" }],
  ["a window", { type: "cancel" }],
])("API10 %s that nobody uses any more knows its keys for some minutes", async (name, command) => {
  const object = new Tried(KINDS[name] as Kind);
  object.command(command, "k");
  await object.settle();
  object.pass(HOST_LIMITS.actKeptMs - MINUTE);
  expect(object.command(command, "k")).toMatchObject({ type: "done" });
  object.pass(3 * MINUTE);
  await object.settle();
  object.pass(HOST_LIMITS.probeMsMin);
  expect(object.rows()).toEqual([]);
});

test("API10 the same key of another caller, or of another command, is another request", () => {
  const object = new Tried(KINDS["a limit"] as Kind);
  const pause = { type: "pause", paused: true, by: "me" };
  expect(object.command({ type: "kick", runId: "first", by: "me" }, "k")).toMatchObject({ type: "done" });
  expect(object.command(pause, "k")).toMatchObject({ body: { paused: { by: "me" } } });
  expect(object.command({ ...pause, paused: false }, "k")).toMatchObject({ body: { paused: { by: "me" } } });
});
