/** tests: executions in other processes that fall silent, or that their pipe loses (DUR11) */
import { DEFAULT_LIMITS, type ErrorValue, type ExecutionPort, type OperationId, errorValue } from "@holdfast/protocol";
import { MemoryStore } from "@holdfast/workflows/testing";
import { expect, test } from "vitest";
import { type RunHeader, RunHost, checkedTransition } from "../src/index.ts";
import { Bench, completed } from "./bench.ts";

const SECOND = 1_000;

/** A store whose commits are durable when they return. */
class DurableStore extends MemoryStore {
  override sync(done: (error?: unknown) => void): void {
    done();
  }
}

/** A run whose executions are pipes that the test operates. Its clock advances from alarm to alarm. */
class Remote {
  now = 1_000_000;
  /** Whether executions answer pings. */
  answers = true;
  pings = 0;
  /** The bodies that execute, as far as the orchestrator knows. */
  bodies: OperationId[] = [];
  readonly startedAt: number[] = [];
  readonly aborted: string[] = [];
  readonly store = new DurableStore();
  port: ExecutionPort | undefined;
  readonly host: RunHost = new RunHost({
    store: this.store,
    clock: () => this.now,
    transition: checkedTransition,
    dispatcher: {
      workflows: () => [],
      start: (_start, port) => {
        this.startedAt.push(this.now);
        this.port = port;
        return {
          update: () => {},
          abort: ({ type }) => this.aborted.push(type),
          stepsInProgress: () => this.bodies.map((op) => ({ op, attempt: 1, startedAt: this.now })),
          ping: (answered) => {
            this.pings += 1;
            if (this.answers) answered();
          },
        };
      },
    },
  });

  constructor() {
    this.store.clock = () => this.now;
    this.host.handle({ ...new Bench().newTrigger() });
  }

  get header(): RunHeader {
    return this.host.state.header as RunHeader;
  }

  /** Fires each alarm that is due in this time. */
  advance(ms: number): void {
    const until = this.now + ms;
    for (let { alarm } = this.store; alarm !== null && alarm <= until; alarm = this.store.alarm) {
      this.now = Math.max(this.now, alarm);
      this.store.takeAlarm();
      this.host.handle({ type: "alarm" });
    }
    this.now = until;
  }

  /** Advances until so many further executions have started. Throws if this takes more than ten minutes. */
  advanceUntilStarted(count: number): void {
    const starts = this.startedAt.length;
    for (let seconds = 0; seconds < 600 && this.startedAt.length < starts + count; seconds++) this.advance(SECOND);
    if (this.startedAt.length < starts + count) throw new Error("no further execution starts");
  }

  lose(code: Parameters<typeof errorValue>[0]): void {
    this.port?.lost(errorValue(code, "gone"));
  }

  /** Loses executions until the run is paused. Returns the delays between the starts, in whole seconds. */
  loseUntilPaused(code: Parameters<typeof errorValue>[0]): { delays: number[]; error: ErrorValue | undefined } {
    for (let losses = 0; losses < 100 && this.header.status === "running"; losses++) {
      const starts = this.startedAt.length;
      this.lose(code);
      for (let steps = 0; this.startedAt.length === starts && steps < 1_000; steps++) this.advance(100);
    }
    const delays = this.startedAt.slice(1).map((at, place) => at - (this.startedAt[place] ?? 0));
    return { delays: delays.map((ms) => Math.floor(ms / SECOND)), error: this.header.error };
  }
}

test("DUR11 an execution that falls silent is replaced 40 s after its last sign of life, and no crash is counted", () => {
  const remote = new Remote();
  remote.advance(60 * SECOND);
  expect(remote.startedAt).toHaveLength(1);
  const { now } = remote;
  remote.answers = false;
  remote.advance(24 * SECOND);
  expect(remote.startedAt).toHaveLength(1);
  remote.advance(20 * SECOND);
  const [, replacedAt = 0] = remote.startedAt;
  expect(replacedAt - now).toBeGreaterThan(25 * SECOND);
  expect(replacedAt - now).toBeLessThanOrEqual(40 * SECOND);
  expect(remote.aborted).toEqual(["superseded"]);
  expect(remote.header).toMatchObject({ epoch: 2, losses: { count: 1, code: "SESSION_LOST" } });
  expect(remote.header.crashes).toBeUndefined();
});

test("DUR11 an execution is pinged more often than every 20 s, and stays as long as it answers", () => {
  const remote = new Remote();
  remote.advance(3_600 * SECOND);
  expect(remote.pings).toBeGreaterThan(3_600 / 20);
  expect(remote.startedAt).toHaveLength(1);
});

test("DUR11 a sign of life 39 s after the last one keeps the execution", () => {
  const remote = new Remote();
  remote.answers = false;
  remote.advance(39 * SECOND);
  remote.port?.report({ epoch: 1, asked: 0, events: [{ type: "unparked" }] });
  remote.advance(39 * SECOND);
  expect(remote.startedAt).toHaveLength(1);
});

test("DUR11 a clock that jumps forward by an hour loses no execution that answers", () => {
  const remote = new Remote();
  remote.now += 3_600 * SECOND;
  remote.advance(60 * SECOND);
  expect(remote.startedAt).toHaveLength(1);
});

test("DUR11 a run that was parked for an hour gives its execution 40 s to answer", () => {
  const remote = new Remote();
  const opened = { type: "wait.opened", op: "signal/0/go", nth: 1 } as const;
  remote.port?.report({ epoch: 1, asked: 1, events: [opened, { type: "parked", seq: 1, now: remote.now }] });
  expect(remote.header.status).toBe("waiting");
  remote.now += 3_600 * SECOND;
  remote.answers = false;
  remote.host.handle({ type: "deliver", kind: "signal", name: "go", payload: "-1" });
  remote.advance(39 * SECOND);
  expect(remote.startedAt).toHaveLength(1);
  remote.advance(6 * SECOND);
  expect(remote.startedAt).toHaveLength(2);
});

test("DUR11 the first lost execution is replaced at once, later ones with growing delays, and none counts as a crash", () => {
  const remote = new Remote();
  const { delays, error } = remote.loseUntilPaused("SESSION_LOST");
  expect(delays.slice(0, 4)).toEqual([0, 1, 2, 4]);
  expect(Math.max(...delays)).toBeLessThanOrEqual(60);
  expect(delays.length).toBeGreaterThan(90);
  expect(error).toBeUndefined();
});

test("DUR7 a process that dies at one place is replaced at once, then with delays, and after ten deaths the run is paused", () => {
  const { delays, error } = new Remote().loseUntilPaused("EXECUTOR_CRASHED");
  expect(delays.slice(0, 4)).toEqual([0, 1, 2, 4]);
  expect(delays).toHaveLength(9);
  expect(error?.code).toBe("EXECUTOR_CRASHED");
});

test("DUR11 after three replacements because of another instance the run is paused, and a retry starts the count again", () => {
  const remote = new Remote();
  expect(remote.loseUntilPaused("STICKY_ROUTING_REQUIRED")).toMatchObject({
    delays: [0, 0, 0],
    error: { code: "STICKY_ROUTING_REQUIRED", message: "gone" },
  });
  remote.host.handle({ type: "retry" });
  remote.lose("STICKY_ROUTING_REQUIRED");
  expect(remote.header.status).toBe("running");
});

test("DUR11 a step that ends starts the count of lost executions again", () => {
  const remote = new Remote();
  for (let nth = 1; nth < 8; nth++) {
    remote.lose("STICKY_ROUTING_REQUIRED");
    const facts = { op: `step/${nth}/s`, nth, attempt: 1, startedAt: 0 };
    const { epoch } = remote.header;
    remote.port?.report({ epoch, asked: nth, events: [{ type: "step.completed", ...facts, value: "[1]" }] });
  }
  expect(remote.header).toMatchObject({ status: "running", losses: { count: 1 } });
});

test("DUR11 a run is paused when four executions in a row fall silent during one body without progress", () => {
  const remote = new Remote();
  remote.answers = false;
  remote.bodies = ["step/0/compute", "step/0/other"];
  remote.advance(600 * SECOND);
  expect(remote.startedAt).toHaveLength(DEFAULT_LIMITS.silentExecutions);
  expect(remote.header).toMatchObject({
    status: "paused",
    paused: { by: "engine" },
    error: { code: "EXECUTION_SILENT", category: "RUNTIME_ERROR", step: "step/0/compute" },
  });
  expect(remote.header.error?.message).toMatch(/the body of step "compute" executed, 4 times in a row/);
  expect(remote.aborted).toHaveLength(DEFAULT_LIMITS.silentExecutions);
  remote.host.handle({ type: "retry" });
  expect(remote.header).toMatchObject({ status: "running", silent: undefined });
});

test("DUR11 progress, and another body, begin a new count of silent executions", () => {
  const remote = new Remote();
  remote.answers = false;
  for (const name of ["a", "b", "c", "d", "e"]) {
    remote.bodies = [`step/0/${name}`];
    remote.advanceUntilStarted(3);
  }
  expect(remote.header.status).toBe("running");
  remote.bodies = ["step/0/f"];
  for (let n = 0; n < 5; n++) {
    remote.advanceUntilStarted(2);
    remote.port?.report({ epoch: remote.header.epoch, asked: n + 1, events: [completed(`done-${n}`)] });
  }
  expect(remote.header.status).toBe("running");
});

test("DUR8 DUR11 executions without a known body, and failures of dispatch, count as no silence of a body", () => {
  const remote = new Remote();
  remote.answers = false;
  remote.advance(1_800 * SECOND);
  expect(remote.header.status).toBe("running");
  expect(remote.header.silent).toBeUndefined();
  remote.bodies = ["step/0/compute"];
  for (let n = 0; n < 30; n++) {
    remote.lose("DISPATCH_FAILED");
    remote.advanceUntilStarted(1);
  }
  expect(remote.header.status).toBe("running");
  expect(remote.header.silent).toBeUndefined();
});
