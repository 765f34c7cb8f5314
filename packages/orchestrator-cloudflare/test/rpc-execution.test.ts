/** tests: executions over RPC: the orchestrator holds stubs of the execution, and disposes of each exactly once */
import type { ExecutionPort, ExecutionReport, ExecutionStart, RpcPort, StepInProgress } from "@holdfast/protocol";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createServiceBindingDispatcher } from "../src/index.ts";

const REPORT: ExecutionReport = { epoch: 1, asked: 0, events: [] };

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A function as it arrives over RPC: with `dup` and a disposer, which this counts. */
class Stubs {
  held = 0;
  disposed = 0;

  make(act: () => Promise<unknown> = async () => {}): () => Promise<unknown> {
    const dispose = { [Symbol.dispose]: () => void (this.disposed += 1) };
    const dup = (): unknown => {
      this.held += 1;
      return Object.assign(async () => act(), dispose);
    };
    return Object.assign(async () => act(), { dup });
  }
}

/** Starts an execution and connects it. `report` answers its reports. */
async function start(report: ExecutionPort["report"]) {
  const stubs = new Stubs();
  const { promise: released, resolve: release, reject: breakOff } = Promise.withResolvers<void>();
  const { promise: connected, resolve: connect } = Promise.withResolvers<RpcPort>();
  const binding = {
    workflows: async () => ({ protocol: 1, workflows: [] }),
    async execute(_start: ExecutionStart, port: RpcPort) {
      await port.connect({ update: stubs.make(), abort: stubs.make(), release: stubs.make(async () => release()) });
      connect(port);
      await released;
    },
  };
  const lost = vi.fn<ExecutionPort["lost"]>();
  const execution = createServiceBindingDispatcher({ binding }).start({} as ExecutionStart, { report, lost });
  return { stubs, execution, lost, release, breakOff, port: await connected };
}

test("DUR6 a rejected report ends the execution and disposes of its stubs", async () => {
  const { stubs, port } = await start(() => ({ accepted: false, reason: "superseded" }));
  await port.report(REPORT);
  await vi.advanceTimersByTimeAsync(0);
  expect([stubs.held, stubs.disposed]).toEqual([3, 3]);
});

test("CAN1 an abort disposes of the stubs", async () => {
  const { stubs, execution } = await start(() => ({ accepted: true, now: 0, entries: [] }));
  execution.abort({ type: "superseded" });
  await vi.advanceTimersByTimeAsync(0);
  expect([stubs.held, stubs.disposed]).toEqual([3, 3]);
});

test("REP6 an update keeps a parked execution, which is released after ten seconds without one", async () => {
  const { stubs, execution, lost, port } = await start(() => ({ accepted: true, now: 0, entries: [], parked: true }));
  await port.report(REPORT);
  await vi.advanceTimersByTimeAsync(9_000);
  execution.update({ now: 0, entries: [] });
  await vi.advanceTimersByTimeAsync(9_000);
  expect(stubs.disposed).toBe(0);
  await port.report(REPORT);
  await vi.advanceTimersByTimeAsync(10_001);
  expect(lost.mock.calls).toMatchObject([[{ code: "SESSION_LOST" }]]);
  expect([stubs.held, stubs.disposed]).toEqual([3, 3]);
});

test("DUR5 the end of the call disposes of the stubs and reports a lost execution", async () => {
  const { stubs, lost, release } = await start(() => ({ accepted: true, now: 0, entries: [] }));
  release();
  await vi.advanceTimersByTimeAsync(0);
  expect(lost.mock.calls).toMatchObject([[{ code: "SESSION_LOST" }]]);
  expect([stubs.held, stubs.disposed]).toEqual([3, 3]);
});

test("DUR7 a call that breaks off after the other side has connected is a crash, and one before is a failed dispatch", async () => {
  const { lost, breakOff } = await start(() => ({ accepted: true, now: 0, entries: [] }));
  breakOff(new Error("Network connection lost."));
  await vi.advanceTimersByTimeAsync(0);
  expect(lost.mock.calls).toMatchObject([[{ code: "EXECUTOR_CRASHED" }]]);
  const unreachable = vi.fn<ExecutionPort["lost"]>();
  createServiceBindingDispatcher({
    binding: {
      workflows: async () => ({ protocol: 1, workflows: [] }),
      execute: () => Promise.reject(new Error("no such service")),
    },
  }).start({} as ExecutionStart, { report: () => ({ accepted: false, reason: "ended" }), lost: unreachable });
  await vi.advanceTimersByTimeAsync(0);
  expect(unreachable.mock.calls).toMatchObject([[{ code: "DISPATCH_FAILED" }]]);
});

test("DUR11 the next message of the other side answers a ping", async () => {
  const { execution, port } = await start(() => ({ accepted: true, now: 0, entries: [] }));
  const answered = vi.fn<() => void>();
  execution.ping?.(answered);
  expect(answered).not.toHaveBeenCalled();
  await port.progress([]);
  expect(answered).toHaveBeenCalledTimes(1);
});

test.each([
  ["steps that are none", (port: RpcPort) => port.progress([null] as never), "steps[0] must be an object"],
  [
    "changes that are none",
    (port: RpcPort) => port.bodiesChanged?.({ began: [], ended: 1 } as never),
    "changes.ended must be a list",
  ],
  ["an error that is none", (port: RpcPort) => port.lost("gone" as never), "error must be an object"],
  ["a page that is none", (port: RpcPort) => port.readPage?.("1" as never), "after must be a whole number"],
])("SEC10 the execution is lost with the path of the field if the other side sends %s", async (_what, act, problem) => {
  const { lost, port } = await start(() => ({ accepted: true, now: 0, entries: [] }));
  await act(port);
  expect(lost.mock.calls).toMatchObject([[{ code: "PROTOCOL_MISMATCH", message: expect.stringContaining(problem) }]]);
});

test("VER2 an older sibling lists all its bodies, and a newer one the changes: readers see the same", async () => {
  const { execution, port } = await start(() => ({ accepted: true, now: 0, entries: [] }));
  const body = (name: string, progress?: string): StepInProgress => ({
    op: `step/0/${name}`,
    attempt: 1,
    startedAt: 0,
    ...(progress === undefined ? {} : { progress }),
  });
  await port.progress([body("a"), body("b")]);
  await port.progress([body("b", "[1]"), body("c")]);
  expect(execution.stepsInProgress?.()).toEqual([body("b", "[1]"), body("c")]);
  await port.bodiesChanged?.({ began: [body("d"), body("c", "[2]")], ended: ["step/0/b"] });
  expect(execution.stepsInProgress?.()).toEqual([body("c", "[2]"), body("d")]);
});
