/** tests: executions over RPC: what the orchestrator answers, says and releases */
import {
  type ExecutionPort,
  type ExecutionReport,
  type ExecutionStart,
  type RpcCall,
  type RpcPort,
  type StepInProgress,
  portOf,
} from "@holdfast/protocol";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createServiceBindingDispatcher } from "../src/index.ts";

const REPORT: ExecutionReport = { epoch: 1, asked: 0, events: [] };
const ACCEPTED = { accepted: true, now: 0, entries: [] } as const;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Starts an execution whose other side follows the news. `report` answers its reports. */
async function start(report: ExecutionPort["report"]) {
  const news: string[] = [];
  const { promise: ended, resolve: end, reject: breakOff } = Promise.withResolvers<void>();
  const { promise: begun, resolve: begin } = Promise.withResolvers<RpcPort>();
  const binding = {
    workflows: async () => ({ protocol: 1, workflows: [] }),
    async execute(_start: ExecutionStart, call: RpcCall) {
      const port = portOf(call);
      const follow = async (): Promise<void> => {
        for (let type = ""; type !== "release"; news.push(type)) ({ type } = await port.next());
      };
      begin(port);
      await Promise.race([follow(), ended]);
    },
  };
  const lost = vi.fn<ExecutionPort["lost"]>();
  const execution = createServiceBindingDispatcher({ binding }).start({} as ExecutionStart, { report, lost });
  return { news, execution, lost, end, breakOff, port: await begun };
}

test("DUR6 a rejected report ends the execution", async () => {
  const { news, lost, port } = await start(() => ({ accepted: false, reason: "superseded" }));
  expect(await port.report(REPORT)).toEqual({ accepted: false, reason: "superseded" });
  await vi.advanceTimersByTimeAsync(0);
  expect([news, lost.mock.calls]).toEqual([["release"], []]);
});

test("E3 the report that ends the run is answered, and releases the execution", async () => {
  const { news, lost, port } = await start(() => ACCEPTED);
  expect(await port.report({ ...REPORT, events: [{ type: "run.completed", output: "[1]" }] })).toEqual(ACCEPTED);
  await vi.advanceTimersByTimeAsync(0);
  expect([news, lost.mock.calls]).toEqual([["release"], []]);
});

test("CAN1 an abort reaches the execution, which is then released", async () => {
  const { news, execution } = await start(() => ACCEPTED);
  execution.abort({ type: "superseded" });
  await vi.advanceTimersByTimeAsync(0);
  expect(news).toEqual(["abort", "release"]);
});

test("P1 news that come before the execution asks for them are kept in their order", async () => {
  const { news, execution } = await start(() => ACCEPTED);
  execution.update({ now: 0, entries: [] });
  execution.update({ now: 1, entries: [] });
  execution.abort({ type: "superseded" });
  execution.update({ now: 2, entries: [] });
  await vi.advanceTimersByTimeAsync(0);
  expect(news).toEqual(["update", "update", "abort", "release"]);
});

test("REP6 an update keeps a parked execution, which is released after ten seconds without one", async () => {
  const { news, execution, lost, port } = await start(() => ({ ...ACCEPTED, parked: true }));
  await port.report(REPORT);
  await vi.advanceTimersByTimeAsync(9_000);
  execution.update({ now: 0, entries: [] });
  await vi.advanceTimersByTimeAsync(9_000);
  expect(news).toEqual(["update"]);
  await port.report(REPORT);
  await vi.advanceTimersByTimeAsync(10_001);
  expect(lost.mock.calls).toMatchObject([[{ code: "SESSION_LOST" }]]);
  expect(news).toEqual(["update", "release"]);
});

test("CAN4 REP6 the execution of a paused run is released ten seconds after its last body has ended", async () => {
  const { news, execution, lost, port } = await start(() => ACCEPTED);
  const body: StepInProgress = { op: "step/0/a", attempt: 1, startedAt: 0 };
  await port.bodies({ began: [body], ended: [] });
  execution.update({ now: 0, entries: [], paused: true });
  await vi.advanceTimersByTimeAsync(60_000);
  expect(news).toEqual(["update"]);
  await port.report(REPORT);
  await port.bodies({ began: [], ended: [body.op] });
  await vi.advanceTimersByTimeAsync(10_001);
  expect([news, lost.mock.calls]).toMatchObject([["update", "release"], [[{ code: "SESSION_LOST" }]]]);
});

test("CAN4 the execution of a run that continues within ten seconds of its pause is kept", async () => {
  const { news, execution, lost } = await start(() => ACCEPTED);
  execution.update({ now: 0, entries: [], paused: true });
  execution.update({ now: 1, entries: [] });
  await vi.advanceTimersByTimeAsync(9_000);
  execution.update({ now: 2, entries: [], paused: false });
  await vi.advanceTimersByTimeAsync(60_000);
  expect([news, lost.mock.calls]).toEqual([["update", "update", "update"], []]);
});

test("DUR5 the end of the call reports a lost execution", async () => {
  const { lost, end } = await start(() => ACCEPTED);
  end();
  await vi.advanceTimersByTimeAsync(0);
  expect(lost.mock.calls).toMatchObject([[{ code: "SESSION_LOST" }]]);
});

test("DUR7 a call that breaks off after the other side has begun is a crash, and one before is a failed dispatch", async () => {
  const { lost, breakOff } = await start(() => ACCEPTED);
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
  const { execution, port } = await start(() => ACCEPTED);
  await vi.advanceTimersByTimeAsync(0);
  const answered = vi.fn<() => void>();
  execution.ping?.(answered);
  expect(answered).not.toHaveBeenCalled();
  await port.bodies({ began: [], ended: [] });
  expect(answered).toHaveBeenCalledTimes(1);
});

test.each([
  [
    "bodies that are none",
    (port: RpcPort) => port.bodies({ began: [null], ended: [] } as never),
    "changes.began[0] must be an object",
  ],
  [
    "changes that are none",
    (port: RpcPort) => port.bodies({ began: [], ended: 1 } as never),
    "changes.ended must be a list",
  ],
  ["an error that is none", (port: RpcPort) => port.lost("gone" as never), "error must be an object"],
  ["a page that is none", (port: RpcPort) => port.readPage("1" as never), "after must be a whole number"],
])("SEC10 the execution is lost with the path of the field if the other side sends %s", async (_what, act, problem) => {
  const { lost, port } = await start(() => ACCEPTED);
  await act(port);
  expect(lost.mock.calls).toMatchObject([[{ code: "PROTOCOL_MISMATCH", message: expect.stringContaining(problem) }]]);
});

test("SEC10 the execution is lost if the other side calls what does not exist", async () => {
  const lost = vi.fn<ExecutionPort["lost"]>();
  const binding = {
    workflows: async () => ({ protocol: 1, workflows: [] }),
    execute: async (_start: ExecutionStart, call: RpcCall) => call("constructor" as "next"),
  };
  createServiceBindingDispatcher({ binding }).start({} as ExecutionStart, { report: () => ACCEPTED, lost });
  await vi.advanceTimersByTimeAsync(0);
  expect(lost.mock.calls).toMatchObject([[{ code: "PROTOCOL_MISMATCH" }]]);
});

test("API2 the bodies that execute follow from the changes of their list", async () => {
  const { execution, port } = await start(() => ACCEPTED);
  const body = (name: string, progress?: string): StepInProgress => ({
    op: `step/0/${name}`,
    attempt: 1,
    startedAt: 0,
    ...(progress === undefined ? {} : { progress }),
  });
  await port.bodies({ began: [body("b", "[1]"), body("c")], ended: [] });
  expect(execution.stepsInProgress?.()).toEqual([body("b", "[1]"), body("c")]);
  await port.bodies({ began: [body("d"), body("c", "[2]")], ended: ["step/0/b"] });
  expect(execution.stepsInProgress?.()).toEqual([body("c", "[2]"), body("d")]);
});
