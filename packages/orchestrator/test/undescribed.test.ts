/** Checks runs whose workflow was not described at the trigger: its step handler could not be asked. */
import { type FlowOptions, type WorkflowDescription, errorValue } from "@holdfast/protocol";
import { describe, expect, test } from "vitest";
import { type RunHeader, factsOf, readInput, shownHeader, whyOf } from "../src/index.ts";
import { Bench } from "./bench.ts";

const INPUT = JSON.stringify([{ customer: 1 }, "c-1"]);
const KEY = "input.customer";
const DOWN = { error: errorValue("DISPATCH_FAILED", "connect ECONNREFUSED") };

/** A bench whose step handler cannot be asked at the trigger, and is asked by its run. */
function undescribed(more: Parameters<Bench["newTrigger"]>[0] = {}, collects = true): Bench {
  const bench = new Bench();
  bench.describes = true;
  bench.host = bench.newHost();
  const input = { ...bench.newTrigger({ input: INPUT, ...more }), undescribed: collects ? { collects } : {} } as const;
  expect(bench.host.handle(input)).toEqual({ type: "created" });
  return bench;
}

const ofWorkflow = (flow: FlowOptions, more: object = {}): { readonly workflow: WorkflowDescription } => ({
  workflow: { id: "w", flow, ...more },
});

const single: FlowOptions = { limits: [{ name: "db", max: 1, key: KEY, mode: "run" }] };
const states = ({ holds = [] }: RunHeader): string[] =>
  holds.map(({ limit, key, state }) => `${limit} ${key} ${state}`);

function answer(bench: Bench, given: object): void {
  const done = bench.asked.at(-1);
  if (done === undefined) throw new Error("nothing was asked");
  done(given);
}

async function settled(bench: Bench, given: object): Promise<RunHeader> {
  answer(bench, given);
  await Promise.resolve();
  await Promise.resolve();
  return bench.header;
}

const why = (bench: Bench) =>
  whyOf(
    factsOf(bench.host.state, bench.now, bench.host.activity()),
    { tokenIds: true, failures: true, stacks: true },
    9,
  );

describe("a run whose limits are not known", () => {
  test("L9 executes nothing, and gets the limits of its trigger when its workflow is described", async () => {
    const bench = undescribed();
    expect(bench.header).toMatchObject({ status: "pending", epoch: 0, uses: ["undescribed"] });
    expect(bench.toGates).toEqual([]);
    const header = await settled(bench, ofWorkflow(single));
    expect(header).toMatchObject({ status: "pending", epoch: 0, uses: ["holds"] });
    expect(header.undescribed).toBeUndefined();
    expect(states(header)).toEqual(["db c-1 wanted"]);
    bench.toGates.at(-1)?.done({ type: "acknowledged", answer: { type: "granted" } });
    expect(bench.header).toMatchObject({ status: "running", epoch: 1 });
  });

  test("L9 a run without limits begins when its workflow is described, or its step handler describes none", async () => {
    for (const given of [ofWorkflow({}), {}])
      expect(await settled(undescribed(), given)).toMatchObject({ status: "running", epoch: 1, uses: [] });
  });

  test("L9 L4 its place in each queue is that of its trigger", async () => {
    const bench = undescribed();
    bench.now += 5_000;
    await settled(bench, ofWorkflow(single));
    expect(bench.toGates.at(-1)?.message).toMatchObject({ type: "acquire", place: { enqueuedAt: 1_000_000 } });
  });

  test("L9 DUR8 a failed question is repeated with the delays of dispatch, and after six hours the run is paused", async () => {
    const bench = undescribed();
    const delays: number[] = [];
    while (bench.header.status === "pending") {
      await settled(bench, DOWN);
      const { dispatch } = bench.header;
      if (dispatch?.retryAt === undefined) break;
      expect(dispatch).toMatchObject({ code: "DISPATCH_FAILED", message: "connect ECONNREFUSED" });
      delays.push(dispatch.retryAt - bench.now);
      bench.alarm();
    }
    expect(bench.header).toMatchObject({ status: "paused", epoch: 0, error: { code: "DISPATCH_FAILED" } });
    expect(delays.slice(0, 3).every((delay) => delay > 0 && delay < 10_000)).toBe(true);
    expect(Math.max(...delays)).toBeLessThanOrEqual(90_000);
    expect(bench.now).toBeGreaterThan(1_000_000 + 21_600_000);
    expect(bench.host.handle({ type: "retry" })).toEqual({ type: "done" });
    expect(states(await settled(bench, ofWorkflow(single)))).toEqual(["db c-1 wanted"]);
  });

  test("L9 DUR5 a question that is not answered is repeated, and the first answer counts once", async () => {
    const bench = undescribed();
    bench.alarm();
    expect(bench.asked).toHaveLength(2);
    const [first, second] = bench.asked;
    first?.(ofWorkflow(single));
    await Promise.resolve();
    await Promise.resolve();
    second?.(ofWorkflow({}));
    await Promise.resolve();
    await Promise.resolve();
    expect(states(bench.header)).toEqual(["db c-1 wanted"]);
    expect(bench.toGates).toHaveLength(1);
  });

  test("L9 DUR4 a process that dies while it asks is replaced, and the next one asks again", async () => {
    const bench = undescribed();
    bench.host = bench.newHost();
    bench.asked.length = 0;
    bench.alarm();
    expect(bench.asked).toHaveLength(1);
    expect(states(await settled(bench, ofWorkflow(single)))).toEqual(["db c-1 wanted"]);
  });

  test("L9 a workflow that is not served yet is asked for again", async () => {
    const bench = undescribed();
    expect(await settled(bench, { workflow: null })).toMatchObject({
      status: "pending",
      dispatch: { code: "WORKFLOW_NOT_FOUND", failures: 1 },
    });
    bench.alarm();
    expect(states(await settled(bench, ofWorkflow(single)))).toEqual(["db c-1 wanted"]);
  });

  test("L9 SCH12 a tick of a workflow that is not served ends, as when its start finds the list", async () => {
    const bench = undescribed({ schedule: { id: "s", kind: "tick", nominal: 0, fireAt: 0, next: [] } }, false);
    expect(await settled(bench, DOWN)).toMatchObject({ status: "pending" });
    bench.now += 60_000;
    bench.alarm();
    expect(await settled(bench, { workflow: null })).toMatchObject({
      status: "failed",
      error: { code: "WORKFLOW_NOT_FOUND", category: "USER_ERROR" },
    });
  });

  test("L9 CAN2 a run that is cancelled or terminated ends at once, and a late answer changes nothing", async () => {
    for (const input of [{ type: "cancel" }, { type: "terminate", reason: "wrong" }] as const) {
      const bench = undescribed();
      bench.host.handle(input);
      expect(bench.header).toMatchObject({ status: "cancelled", epoch: 0 });
      const { header } = bench;
      expect(await settled(bench, ofWorkflow(single))).toBe(header);
      expect(bench.host.handle({ type: "delete" })).toEqual({ type: "done" });
    }
  });

  test("L9 CAN4 a paused run ignores answers, and asks again when the pause ends", async () => {
    const bench = undescribed();
    bench.host.handle({ type: "pause" });
    expect(await settled(bench, ofWorkflow(single))).toMatchObject({ status: "paused", undescribed: {} });
    expect(bench.store.alarm).toBeNull();
    bench.host.handle({ type: "unpause" });
    expect(bench.asked).toHaveLength(2);
    expect(states(await settled(bench, ofWorkflow(single)))).toEqual(["db c-1 wanted"]);
  });

  test("L9 a delayed run asks when it is due, also after a pause", async () => {
    const bench = undescribed({ delayMs: 60_000 });
    expect(bench.asked).toEqual([]);
    bench.host.handle({ type: "pause" });
    bench.host.handle({ type: "unpause" });
    expect(bench.asked).toEqual([]);
    bench.alarm();
    expect(bench.now).toBe(1_060_000);
    await settled(bench, ofWorkflow(single));
    expect(bench.toGates.at(-1)?.message).toMatchObject({ place: { enqueuedAt: 1_060_000 } });
  });

  test("L9 WHY1 why says that the step handler was asked for the limits, and what it answered", async () => {
    const bench = undescribed();
    expect(why(bench)).toMatchObject([{ code: "DISPATCH_FAILING", text: expect.stringContaining("which limits") }]);
    await settled(bench, DOWN);
    expect(why(bench)).toMatchObject([
      { code: "DISPATCH_FAILING", text: expect.stringContaining("ECONNREFUSED"), error: { code: "DISPATCH_FAILED" } },
    ]);
    expect(why(bench)).toHaveLength(1);
    expect(shownHeader(bench.host.state)?.status).toBe("pending");
    expect(why(bench)[0]?.actions.map(({ action }) => action)).toEqual(["cancelRun", "terminateRun"]);
    bench.host.handle({ type: "cancel" });
    expect(shownHeader(bench.host.state)?.status).toBe("cancelled");
  });
});

describe("the description of a run whose limits were not known", () => {
  test("L9 L6 a limit that rejects ends the run with LIMIT_FULL, and one that skips cancels it with the run that holds", async () => {
    const rejecting = undescribed();
    await settled(rejecting, ofWorkflow({ singleton: { onConflict: "reject" } }));
    rejecting.toGates.at(-1)?.done({ type: "acknowledged", answer: { type: "full" } });
    expect(rejecting.header).toMatchObject({ status: "failed", error: { code: "LIMIT_FULL" } });
    const skipping = undescribed();
    await settled(skipping, ofWorkflow({ singleton: {} }));
    skipping.toGates.at(-1)?.done({ type: "acknowledged", answer: { type: "skip", holder: "other" } });
    expect(skipping.header).toMatchObject({ status: "cancelled", cancelReason: expect.stringContaining("run other") });
  });

  test("L9 FLOW2 an input without the key of a limit ends the run with LIMIT_KEY_INVALID", async () => {
    const bench = undescribed({ input: "[1]" });
    expect(await settled(bench, ofWorkflow(single))).toMatchObject({
      status: "failed",
      epoch: 0,
      error: { code: "LIMIT_KEY_INVALID", category: "USER_ERROR" },
    });
  });

  test("L9 FLOW1 a declaration that is refused pauses the run, which is retried after a correction", async () => {
    const bench = undescribed();
    expect(await settled(bench, ofWorkflow({ limits: [{ name: "db" }] }))).toMatchObject({
      status: "paused",
      error: { code: "LIMITS_NOT_CONFIGURED", message: expect.stringContaining("needs max") },
    });
    bench.host.handle({ type: "retry" });
    expect(states(await settled(bench, ofWorkflow(single)))).toEqual(["db c-1 wanted"]);
  });

  test("L9 RUN6 RUN3 time budget, tags, priority and queue time-out count, and a version does not", async () => {
    const bench = undescribed({ tags: ["b"] });
    const flow = { limits: [{ name: "db", max: 1, queueTimeout: "1m" }], priority: "input.customer" } as const;
    const input = JSON.stringify([{ customer: 1 }, 60]);
    const rated = undescribed({ input, tags: ["b"] });
    await settled(bench, ofWorkflow(single, { timeoutMs: 5_000, tags: ["a", "b"] }));
    expect(bench.header).toMatchObject({ timeoutMs: 5_000, tags: ["a", "b"] });
    expect(bench.header.workflowVersion).toBeUndefined();
    rated.now += 10_000;
    expect(await settled(rated, ofWorkflow(flow))).toMatchObject({
      priority: 60,
      admission: { since: 1_010_000, timeoutAt: 1_070_000 },
    });
  });

  test("L9 WIN1 a run of a workflow with debounce executes alone, and one with batch gets a list of one", async () => {
    const debounced = undescribed();
    expect(await settled(debounced, ofWorkflow({ debounce: { wait: "1m" } }))).toMatchObject({ status: "running" });
    expect(debounced.header.input).toBe(INPUT);
    const batched = undescribed();
    const { input } = await settled(batched, ofWorkflow({ batch: { max: 9, wait: "1m" } }));
    expect(JSON.parse(input ?? "")).toEqual([[1], { customer: 2 }, "c-1"]);
    // RUN2: the same trigger again is the same run.
    expect(batched.trigger({ input: INPUT })).toEqual({ type: "exists" });
    expect(batched.trigger({ input: "[7]" })).toMatchObject({ code: "idempotency_conflict" });
  });

  test("L9 WIN4 a batch without room for its only input ends the run with TOO_LARGE", async () => {
    const flow = { batch: { max: 9, wait: "1m", maxBytes: 5 } } as const;
    expect(await settled(undescribed(), ofWorkflow(flow))).toMatchObject({
      status: "failed",
      error: { code: "TOO_LARGE" },
    });
  });

  test("L9 a child, a tick and a resumed run are not collected, as without an outage", async () => {
    const bench = undescribed({}, false);
    const { input } = await settled(bench, ofWorkflow({ batch: { max: 9, wait: "1m" } }));
    expect(input).toBe(INPUT);
  });

  test("L9 a large input of a batch of one stays outside the header, and a repeated trigger finds it", async () => {
    const large = JSON.stringify(["x".repeat(5_000)]);
    const bench = undescribed({ input: large });
    const { input } = await settled(bench, ofWorkflow({ batch: { max: 9, wait: "1m" } }));
    expect(input).toBeUndefined();
    expect(bench.trigger({ input: large })).toEqual({ type: "exists" });
    bench.report({ type: "run.failed", error: { name: "E", message: "" } });
    expect(JSON.parse(readInput(bench.host.state, bench.header))).toEqual([[1], "x".repeat(5_000)]);
  });

  test("L9 L5 the index learns the limits with the description, so that a rebuild finds the run", async () => {
    const bench = new Bench();
    bench.describes = true;
    bench.indexRows = [];
    bench.host = bench.newHost();
    bench.host.handle({ ...bench.newTrigger({ input: INPUT }), undescribed: {} });
    bench.indexRows.at(-1)?.done(true);
    await settled(bench, ofWorkflow(single));
    expect(bench.indexRows.at(-1)?.row).toMatchObject({ status: "pending", limits: ["db"] });
  });

  test("L9 WAIT1 a question is repeated in time after the clock was set back", () => {
    const bench = undescribed();
    bench.now -= 500_000;
    bench.host.handle({ type: "settle" });
    expect(bench.store.alarm).toBeLessThanOrEqual(bench.now + 30_000);
  });

  test("L9 DUR13 a description begins no execution while as many runs execute as may", async () => {
    const bench = undescribed();
    bench.deferral = { delayMs: 1_000, code: "EXECUTIONS_MAX", message: "full" };
    expect(await settled(bench, ofWorkflow({}))).toMatchObject({
      status: "running",
      epoch: 0,
      dispatch: { failures: 0, code: "EXECUTIONS_MAX" },
    });
  });
});
