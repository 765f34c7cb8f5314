/**
 * The acts of the demo: an order, a kill while it waits, and a kill while a step executes.
 *
 * Owns: the acts, and the conditions that must hold after each. Every wait is for a condition and has a bound.
 */
import { Api, type RunRecord } from "@holdfast/proof/crash";
import type { CounterServer, Hit } from "@holdfast/proof/crash";
import type { LocalRuntime } from "@holdfast/local-runtime";
import type { Timeline } from "@holdfast/local-runtime/terminal";
import { ensure, until } from "@holdfast/local-runtime/until";

const RUN_ID = "order-1001";
const ORDER = { orderId: "1001", cents: 4_200, shippingMs: 1_500 };
const SOON_MS_MAX = 10_000;
/** The alarm of a running run fires at most 5 s after the execution started. */
const RECOVERY_MS_MAX = 20_000;

export interface Stage {
  readonly runtime: LocalRuntime;
  readonly counter: CounterServer;
  readonly timeline: Timeline;
}

/** Runs all acts and returns the completed run. */
export async function playStory(stage: Stage): Promise<RunRecord> {
  stage.counter.onHit = (hit) => printHit(stage.timeline, hit);
  const api = new Api(stage.runtime.url);
  await placeOrder(stage, api);
  await killWhileWaiting(stage, api);
  await approve(stage, api);
  await killWhileShipping(stage);
  return finish(stage, api);
}

async function placeOrder({ counter, timeline }: Stage, api: Api): Promise<void> {
  timeline.chapter("1  An order arrives");
  timeline.event("→", "trigger", `POST /api/runs  workflow "order", ${ORDER.cents / 100} EUR`, "cyan");
  const { status, body } = await api.trigger({
    runId: RUN_ID,
    workflowId: "order",
    input: { ...ORDER, counterUrl: counter.url },
  });
  ensure(status === 201, `the answer to the trigger is ${status}, not 201: ${JSON.stringify(body)}`);
  timeline.event("←", "accepted", `201, run ${RUN_ID}. It is stored on disk, and will be executed.`, "cyan");
  await untilStatus(api, "waiting");
  timeline.event("‖", "waiting", "for a person: the signal `approval`, for up to 24 hours", "yellow");
}

async function killWhileWaiting(stage: Stage, api: Api): Promise<void> {
  const { counter, timeline } = stage;
  timeline.chapter("2  The power fails while it waits");
  await pullThePlug(stage, "A waiting run needs no process: it consists of a few rows on disk.");
  const { status, steps } = await api.run(RUN_ID);
  const done = steps.filter((step) => step.status === "completed").map((step) => step.name);
  ensure(status === "waiting", `after the kill the run is ${status}, not waiting`);
  ensure(done.join() === "reserve,charge", `after the kill the completed steps are ${done.join()}`);
  ensure(counter.count("charge", "start") === 1, "the customer was charged again");
  timeline.event("‖", "waiting", `still, read from disk. Completed: ${done.join(", ")}.`, "yellow");
}

async function approve({ counter, timeline }: Stage, api: Api): Promise<void> {
  timeline.chapter("3  The approval arrives, the order ships");
  timeline.event("→", "signal", `POST /api/runs/${RUN_ID}/signals  approval {"ok":true,"by":"you"}`, "cyan");
  const { status } = await api.signal(RUN_ID, {
    name: "approval",
    payload: { ok: true, by: "you" },
    deliveryId: "approval-1",
  });
  ensure(status === 202, `the answer to the signal is ${status}, not 202`);
  timeline.event(
    "←",
    "accepted",
    "202. The function is replayed up to here; completed steps return their stored results.",
    "cyan",
  );
  await counter.untilStarted("ship", 1, SOON_MS_MAX);
}

async function killWhileShipping(stage: Stage): Promise<void> {
  const { counter, timeline } = stage;
  timeline.chapter("4  The power fails in the middle of a step");
  await pullThePlug(stage, "`ship` started and did not end. Its progress is unknown, so it must run again.");
  ensure(counter.count("ship", "end") === 0, "`ship` had already ended before the kill");
  timeline.event("…", "no request", "is sent to the run now: it must recover without one", "yellow");
  timeline.explain("Its alarm was stored before the execution started, and survived the kill. It fires within 5 s.");
  await counter.untilStarted("ship", 2, RECOVERY_MS_MAX);
  timeline.explain("The idempotency key is the same as before: a carrier that checks it sends one parcel, not two.");
  const keys = counter.hits("ship", "start").map((hit) => hit.key);
  ensure(keys[0] !== "" && keys[0] === keys[1], `the two executions of ship had the keys ${keys.join(" and ")}`);
  await counter.untilEnded("ship", 1, SOON_MS_MAX);
}

async function finish({ timeline }: Stage, api: Api): Promise<RunRecord> {
  await untilStatus(api, "completed");
  timeline.event("✔", "completed", `run ${RUN_ID}`, ["green", "bold"]);
  return api.run(RUN_ID);
}

async function pullThePlug({ runtime, timeline }: Stage, meaning: string): Promise<void> {
  const pid = runtime.pid();
  timeline.event("✖", "kill -9", `workerd, pid ${pid}: memory, timers and connections are gone`, ["red", "bold"]);
  timeline.explain(meaning);
  const killedAt = performance.now();
  await runtime.kill();
  const downMs = Math.round(performance.now() - killedAt);
  timeline.event("↻", "restarted", `workerd, pid ${runtime.pid()}, after ${downMs} ms, with the same disk`, "magenta");
}

async function untilStatus(api: Api, wanted: string): Promise<void> {
  await until(`run ${RUN_ID} is ${wanted}`, SOON_MS_MAX, async () => (await api.run(RUN_ID)).status === wanted);
}

function printHit(timeline: Timeline, { step, edge, count }: Hit): void {
  if (edge === "end") timeline.event("✔", step, "body completed", "green");
  else if (count === 1) timeline.event("▶", step, "body starts");
  else timeline.event("▶", step, `body starts again, for the ${count === 2 ? "2nd" : `${count}th`} time`, "yellow");
}
