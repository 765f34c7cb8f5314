/** tests: the pipes in workerd: latency of cancels and pauses, and repeated kills of the step handler's process */
import { env } from "cloudflare:test";
import { differences, runEntry, slugOf } from "@holdfast/proof/catalogue";
import { describe, expect, test } from "vitest";
import { call, fireAlarm, read, trigger, untilStatus } from "./api-client.ts";
import { openWorkerdHost } from "./contract-host.ts";
import { expectBrokenConnections, expectMovedAlarms, resetAfterEach } from "./declared-output.ts";
import { sleepFor } from "./sleep.ts";
import { catalogue } from "./workflows.ts";

resetAfterEach();
expectBrokenConnections();
expectMovedAlarms();

const KILLS = 8;

/** Returns the numbers of started and aborted bodies of a run in the step handler. */
async function seen(pipe: string, run: string): Promise<{ bodies: number; aborted: number }> {
  const path = `watched?run=${run}`;
  const answer =
    pipe === "http" || pipe === "frames"
      ? fetch(`${env.STEP_HANDLER_URL}/${path}`)
      : env.SIBLING.fetch(`https://sibling/${path}`);
  return (await answer).json();
}

describe.each(["rpc", "fetch", "http", "frames"])("over %s", (pipe) => {
  const withinASecond = { timeout: 1_000, interval: 20 };
  const bodies = async (run: string): Promise<number> => (await seen(pipe, run)).bodies;

  test("CAN1 a cancel aborts the body in the step handler within a second", async () => {
    const run = `${pipe}-cancelled`;
    await trigger("watched-hangs", run, null, 0);
    await expect.poll(() => bodies(run), { timeout: 10_000 }).toBe(1);
    expect((await call(`/api/runs/${run}/cancel`, {})).status).toBe(202);
    await expect.poll(async () => (await seen(pipe, run)).aborted, withinASecond).toBe(1);
  });

  test("CAN8 a terminate ends a run whose body hangs in the step handler, and aborts the body within a second", async () => {
    const run = `${pipe}-terminated`;
    await trigger("watched-hangs", run, null, 0);
    // The step handler sends the bodies in progress after a moment.
    await expect.poll(async () => (await read(run)).steps, { timeout: 10_000 }).toMatchObject([{ status: "running" }]);
    const answer = await call(`/api/runs/${run}/terminate`, { reason: "it hangs" });
    expect([answer.status, await answer.json()]).toMatchObject([
      202,
      { run: { status: "cancelled", error: { code: "TERMINATED" }, undone: [], inFlight: [{ name: "hang" }] } },
    ]);
    await expect.poll(async () => (await seen(pipe, run)).aborted, withinASecond).toBe(1);
  });

  test("RUN6 a time-out aborts the body in the step handler within a second", async () => {
    const run = `${pipe}-timed-out`;
    const body = { workflowId: "watched-hangs", runId: run, input: null, timeout: 1_500 };
    expect((await call("/api/runs", body)).status).toBe(201);
    await expect.poll(() => bodies(run), { timeout: 10_000 }).toBe(1);
    await untilStatus(run, "failed");
    await expect.poll(async () => (await seen(pipe, run)).aborted, withinASecond).toBe(1);
  });

  test("CAN4 a pause stops the start of bodies in the step handler within a second", async () => {
    const run = `${pipe}-paused`;
    await trigger("watched-ticks", run, null, 0);
    await expect.poll(() => bodies(run), { timeout: 10_000 }).toBeGreaterThan(2);
    await call(`/api/runs/${run}/pause`, {});
    // No body starts between two reads.
    await expect
      .poll(async () => [await bodies(run), await sleepFor(200).then(() => bodies(run))], withinASecond)
      .toSatisfy(([before, after]: number[]) => before === after);
    const before = await bodies(run);
    await call(`/api/runs/${run}/unpause`, {});
    await expect.poll(() => bodies(run), withinASecond).toBeGreaterThan(before);
    await call(`/api/runs/${run}/cancel`, {});
  });
});

test("DUR7 a step handler that a Worker creates outside of a request knows how long it exists", async () => {
  const ask = async (): Promise<number> => {
    const body = JSON.stringify({ protocol: 1, session: "0123456789abcdef", turn: 1, aside: true });
    const answer = await env.SIBLING.fetch("https://sibling/turn", { method: "POST", body });
    const { type, upMs } = await answer.json<{ readonly type: string; readonly upMs: number }>();
    expect(type).toBe("unknown_session");
    return upMs;
  };
  const startedAt = Date.now();
  const first = await ask();
  await sleepFor(50);
  const second = await ask();
  // The tests before may have begun it, some minutes ago.
  expect(first).toBeLessThan(3_600_000);
  expect(second - first).toBeGreaterThan(0);
  expect(second - first).toBeLessThanOrEqual(Date.now() - startedAt);
});

test("DUR8 API8 a run is paused at once if its binding leads to a Worker that only has fetch", async () => {
  await trigger("watched-hangs", "miswired-run", null, 0);
  await untilStatus("miswired-run", "paused");
  expect(await read("miswired-run")).toMatchObject({
    error: { code: "DISPATCH_REFUSED", message: expect.stringContaining('pipe: "fetch"') },
  });
});

test(
  "DUR4 DUR8 repeated kills of a Node process under a load of mixed workflows lose and repeat no step",
  { timeout: 240_000 },
  async () => {
    // Exclude entries whose outcome depends on time: a kill may delay them by a second.
    const entries = catalogue.filter(
      ({ title, timeoutMs }) => timeoutMs === undefined && !/race|WAIT3|WAIT5/.test(title),
    );
    let kills = 0;
    const kill = async (): Promise<void> => {
      while (kills < KILLS) {
        await new Promise((resolve) => setTimeout(resolve, 300));
        await fetch(new URL("/kill", env.STEP_HANDLER_URL), { method: "POST" }).then(
          () => {},
          () => {},
        );
        kills += 1;
      }
    };
    const killing = kill();
    const host = await openWorkerdHost(undefined);
    const played = await Promise.all(
      [1, 2].flatMap((round) =>
        entries.map(async (entry) => {
          const runId = `${round === 1 ? "http" : "frames"}-killed-${slugOf(entry)}`;
          const result = await runEntry(
            // Fire no alarm: the platform fires the alarms of the dispatch backoff.
            { ...host, tick: () => host.wait(20) },
            entry,
            runId,
          );
          return differences([entry.outcome, ...(entry.orAfterCrash ?? [])], result).map((one) => `${runId}: ${one}`);
        }),
      ),
    );
    await killing;
    expect(kills).toBeGreaterThan(3);
    expect(played.flat()).toEqual([]);
    expect(await fireAlarm("http-killed-never")).toBe(false);
  },
);
