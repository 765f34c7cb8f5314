/** The pipes under fire: the process at the other end is killed, again and again, while runs of all kinds are under way. */
import { env } from "cloudflare:test";
import { differences, runEntry, slugOf } from "@holdfast/proof/catalogue";
import { describe, expect, test } from "vitest";
import { call, fireAlarm, trigger, untilStatus } from "./api-client.ts";
import { openWorkerdHost } from "./contract-host.ts";
import { expectBrokenConnections, expectLostStubs, resetAfterEach } from "./declared-output.ts";
import { sleepFor } from "./sleep.ts";
import { catalogue } from "./workflows.ts";

resetAfterEach();
expectBrokenConnections();
expectLostStubs();

const KILLS = 8;

/** What the bodies of a run did at the other end. */
async function seen(pipe: string, run: string): Promise<{ bodies: number; aborted: number }> {
  const path = `watched?run=${run}`;
  const answer =
    pipe === "http" ? fetch(`${env.STEP_HANDLER_URL}/${path}`) : env.SIBLING.fetch(`https://sibling/${path}`);
  return (await answer).json();
}

describe.each(["rpc", "fetch", "http"])("over %s", (pipe) => {
  const withinASecond = { timeout: 1_000, interval: 20 };
  const bodies = async (run: string): Promise<number> => (await seen(pipe, run)).bodies;

  test("CAN1 a cancel aborts the body at the other end within a second", async () => {
    const run = `${pipe}-cancelled`;
    await trigger("watched-hangs", run, null, 0);
    await expect.poll(() => bodies(run), { timeout: 10_000 }).toBe(1);
    expect((await call(`/api/runs/${run}/cancel`, {})).status).toBe(202);
    await expect.poll(async () => (await seen(pipe, run)).aborted, withinASecond).toBe(1);
  });

  test("RUN6 a time-out aborts the body at the other end within a second", async () => {
    const run = `${pipe}-timed-out`;
    const body = { workflowId: "watched-hangs", runId: run, input: null, timeout: 1_500 };
    expect((await call("/api/runs", body)).status).toBe(201);
    await expect.poll(() => bodies(run), { timeout: 10_000 }).toBe(1);
    await untilStatus(run, "failed");
    await expect.poll(async () => (await seen(pipe, run)).aborted, withinASecond).toBe(1);
  });

  test("CAN4 a pause keeps bodies at the other end from starting within a second", async () => {
    const run = `${pipe}-paused`;
    await trigger("watched-ticks", run, null, 0);
    await expect.poll(() => bodies(run), { timeout: 10_000 }).toBeGreaterThan(2);
    await call(`/api/runs/${run}/pause`, {});
    // Still: two looks, a good while apart, see the same.
    await expect
      .poll(async () => [await bodies(run), await sleepFor(200).then(() => bodies(run))], withinASecond)
      .toSatisfy(([before, after]: number[]) => before === after);
    const before = await bodies(run);
    await call(`/api/runs/${run}/unpause`, {});
    await expect.poll(() => bodies(run), withinASecond).toBeGreaterThan(before);
    await call(`/api/runs/${run}/cancel`, {});
  });
});

test(
  "DUR4 DUR8 a Node process that is killed again and again under a load of mixed workflows loses and repeats nothing",
  { timeout: 120_000 },
  async () => {
    // What ends by the clock may end otherwise when a second is lost in between.
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
    const host = openWorkerdHost(undefined);
    const played = await Promise.all(
      [1, 2].flatMap((round) =>
        entries.map(async (entry) => {
          const runId = `http-killed-${round}-${slugOf(entry)}`;
          const result = await runEntry(
            // Nobody waits for the backoff of a dispatch: an alarm that is due is fired by the platform itself.
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
