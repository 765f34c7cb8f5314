/** The pipes under fire: the process at the other end is killed, again and again, while runs of all kinds are under way. */
import { env, reset } from "cloudflare:test";
import { differences, playEntry, slugOf } from "@holdfast/testing/catalogue";
import { afterEach, expect, test } from "vitest";
import { fireAlarm } from "./api-client.ts";
import { openWorkerdHost } from "./contract-host.ts";
import { catalogue } from "./workflows.ts";

afterEach(reset);

const KILLS = 8;

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
          const result = await playEntry(
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
