/** tests: limits of workerd that a run may reach: the size of a message over RPC, and the number of timers */
import { expect, test } from "vitest";
import { call, signal, trigger, untilStatus } from "./api-client.ts";
import { abortAll, resetAfterEach } from "./declared-output.ts";
import { RPC_BYTES_MAX, TIMERS_MAX } from "./large.ts";

resetAfterEach();

test("STEP5 DUR5 the messages of an execution over RPC may have more than 32 MiB", { timeout: 120_000 }, async () => {
  const [steps, chars] = [3, 9_000_000];
  // Two bytes each in memory. The first report has one result, and the second one the others.
  expect(2 * chars * (steps - 1)).toBeGreaterThan(RPC_BYTES_MAX);
  await trigger("gathers", "rpc-large", { steps, chars, of: "あ" }, 60);
  await untilStatus("rpc-large", "waiting");
  await abortAll();
  await signal("rpc-large", "more", "");
  const end = await call("/api/runs/rpc-large?view=result", undefined, { Prefer: "wait=60" });
  expect(await end.json()).toMatchObject({ status: "completed", output: [chars, chars, chars, 0] });
});

test.each(["", "rpc-"])(
  "STEP4 more parallel steps with a time-out than a Worker has timers end: %s",
  { timeout: 120_000 },
  async (pipe) => {
    const steps = TIMERS_MAX;
    expect(await trigger("timed", `${pipe}timed`, steps, 60)).toMatchObject({ output: steps, invocationCount: 1 });
  },
);
