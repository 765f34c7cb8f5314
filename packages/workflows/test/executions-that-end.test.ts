/** tests: executions in a step handler whose orchestrator pauses them, aborts them, or is gone (CAN4, DUR6, DUR11) */
import {
  ENCODED_UNDEFINED,
  type ExecutionStart,
  type JournalEntry,
  type LiveExecution,
  type RpcNews,
  type RpcPort,
  WorkflowIndex,
} from "@holdfast/protocol";
import { Mailbox } from "@holdfast/protocol/transport";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Connections } from "../src/handler/connections.ts";
import { executeOver } from "../src/handler/execute-over.ts";
import { createStepHandler } from "../src/handler/index.ts";
import type { TurnServer } from "../src/handler/turn-server.ts";
import { workflow } from "../src/index.ts";
import { type Platform, webPlatform } from "../src/replay/platform.ts";

const START: ExecutionStart = {
  protocol: 1,
  epoch: 1,
  run: { id: "r", number: 1, tags: [], triggeredBy: "api", startedAt: 0, environment: "test" },
  workflowId: "w",
  input: ENCODED_UNDEFINED,
  seed: "0".repeat(32),
  journal: [],
  inherited: [],
  paused: false,
  now: 0,
  clockStart: 0,
};

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await turn();
}

/** Timers that a test fires. */
class Timers {
  now = 0;
  #next = 0;
  readonly #timers = new Map<number, { readonly at: number; readonly fn: () => void }>();

  readonly platform: Platform = {
    ...webPlatform,
    now: () => this.now,
    turn,
    setTimer: (ms, fn) => {
      const id = (this.#next += 1);
      this.#timers.set(id, { at: this.now + ms, fn });
      return () => void this.#timers.delete(id);
    },
  };

  pass(ms: number): void {
    this.now += ms;
    for (const [id, { at, fn }] of this.#timers) if (at <= this.now && this.#timers.delete(id)) fn();
  }

  get count(): number {
    return this.#timers.size;
  }
}

beforeEach(() => void vi.spyOn(console, "error").mockImplementation(() => {}));
afterEach(() => void vi.restoreAllMocks());

test.each([
  ["aborts the execution", { type: "abort", reason: { type: "superseded" } }],
  ["cancels the run", { type: "abort", reason: { type: "cancelled" } }],
] as const)("DUR6 DUR11 a body that is announced is not called if the orchestrator %s first", async (_title, news) => {
  const calls: string[] = [];
  const w = workflow({ id: "w", run: (_input, ctx) => ctx.step("a", () => void calls.push("a")) });
  const { promise: announced, resolve: announce } = Promise.withResolvers<void>();
  const { promise: received, resolve: receive } = Promise.withResolvers<void>();
  const box = new Mailbox<RpcNews>();
  const port: RpcPort = {
    report: async () => ({ accepted: false, reason: "superseded" }),
    next: () => box.take(),
    readPage: async () => [],
    bodies: ({ began }) => (began.length > 0 ? (announce(), received) : Promise.resolve()),
    lost: async () => {},
  };
  const over = executeOver(new WorkflowIndex([w]), { ...START, announcesBodies: true }, port);
  await announced;
  box.put(news);
  box.put({ type: "release" });
  await turns(5);
  receive();
  await over;
  await turns(5);
  expect(calls).toEqual([]);
});

test("DUR11 signs of life end with the execution, also while one of them is in flight", async () => {
  const w = workflow({ id: "w", run: (_input, ctx) => ctx.waitForSignal("go") });
  const box = new Mailbox<RpcNews>();
  const answers: (() => void)[] = [];
  const port: RpcPort = {
    report: async () => ({ accepted: true, parked: true, entries: [], now: 0 }),
    next: () => box.take(),
    readPage: async () => [],
    bodies: () => new Promise((resolve) => answers.push(resolve)),
    lost: async () => {},
  };
  const timers = new Timers();
  vi.spyOn(webPlatform, "setTimer").mockImplementation((ms, fn) => timers.platform.setTimer(ms, fn));
  const over = executeOver(new WorkflowIndex([w]), START, port);
  await turns(5);
  timers.pass(300);
  expect(answers.length).toBe(1);
  box.put({ type: "release" });
  await turns(5);
  answers[0]?.();
  await turns(5);
  // The function, which waits, gets its time.
  timers.pass(5_000);
  await over;
  expect([answers.length, timers.count]).toEqual([1, 0]);
});

test("CAN4 REP5 a replay whose function awaits something else when its run is paused does not diverge", async () => {
  const { promise: other, resolve } = Promise.withResolvers<void>();
  const w = workflow({
    id: "w",
    run: async (_input, ctx) => {
      await other;
      return ctx.step("a", () => 1);
    },
  });
  const entry: JournalEntry = {
    v: 1,
    seq: 1,
    at: 0,
    asked: 1,
    nth: 1,
    type: "step.completed",
    op: "step/0/a",
    attempt: 1,
    startedAt: 0,
    value: "[1]",
  };
  const timers = new Timers();
  const events: string[] = [];
  const live: LiveExecution = w.executeOn(
    timers.platform,
    { ...START, journal: [entry] },
    {
      report: (report) => {
        events.push(...report.events.map(({ type }) => type));
        return { accepted: true, entries: [], now: 0 };
      },
      lost: ({ message }) => void events.push(message),
    },
  );
  await turns(10);
  live.update({ entries: [], now: 0, paused: true });
  resolve();
  await turns(10);
  timers.pass(10_000);
  live.update({ entries: [], now: 0, paused: false });
  await turns(10);
  expect(events).toEqual(["run.completed"]);
});

test("PIPE3 a connection without frames ends although the clock was set back", () => {
  const timers = new Timers();
  timers.now = 86_400_000;
  const codes: number[] = [];
  const socket = { send: () => {}, close: (code: number) => void codes.push(code) };
  new Connections({} as TurnServer, timers.platform, 1).accept(socket, undefined);
  vi.spyOn(timers.platform, "now").mockReturnValue(0);
  timers.pass(20_000);
  expect([codes, timers.count]).toEqual([[1001], 0]);
});

test.each([
  ["that stays open", new ReadableStream<Uint8Array>({ start: (lines) => lines.enqueue(lineOf(START)) })],
  [
    "with an invalid line",
    new ReadableStream<Uint8Array>({
      start(lines) {
        lines.enqueue(lineOf(START));
        lines.enqueue(new TextEncoder().encode("no JSON\n"));
      },
    }),
  ],
])("DUR11 lines %s whose answer nobody reads end no process", async (_title, body) => {
  const unhandled: unknown[] = [];
  const listener = (reason: unknown): void => void unhandled.push(reason);
  process.on("unhandledRejection", listener);
  // The workflow of the start is not served, and nobody learns it.
  const handler = createStepHandler({ workflows: [], signingKeys: "unsigned" });
  const init = { method: "POST", body, duplex: "half" } as RequestInit;
  const response = await handler(new Request("https://steps.example/execute", init));
  await response.body?.cancel();
  await turns(20);
  process.off("unhandledRejection", listener);
  expect(unhandled).toEqual([]);
});

test("SEC10 an invalid line aborts the execution although the orchestrator does not read why", async () => {
  const { promise: called, resolve } = Promise.withResolvers<AbortSignal>();
  const w = workflow({
    id: "w",
    run: (_input, ctx) =>
      ctx.step("a", ({ signal }) => {
        resolve(signal);
        return new Promise(() => {});
      }),
  });
  const handler = createStepHandler({ workflows: [w], signingKeys: "unsigned" });
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const writer = writable.getWriter();
  const init = { method: "POST", body: readable, duplex: "half" } as RequestInit;
  await handler(new Request("https://steps.example/execute", init));
  await writer.write(lineOf(START));
  const signal = await called;
  await writer.write(new TextEncoder().encode("no JSON\n"));
  await expect.poll(() => signal.aborted).toBe(true);
});

function lineOf(start: ExecutionStart): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify({ type: "start", start })}\n`);
}
