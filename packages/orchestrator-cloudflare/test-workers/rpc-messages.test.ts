/** tests: messages over RPC that are larger than the platform takes in one */
import { expect, test } from "vitest";
import { call, signal, trigger } from "./api-client.ts";
import { abortAll, resetAfterEach } from "./declared-output.ts";
import { RPC_BYTES_MAX } from "./large.ts";

resetAfterEach();

test("STEP5 DUR5 the messages of an execution over RPC may have more than 32 MiB", { timeout: 120_000 }, async () => {
  const [steps, chars] = [3, 9_000_000];
  // Two bytes each in memory. The first report has one result, and the second one the others.
  expect(2 * chars * (steps - 1)).toBeGreaterThan(RPC_BYTES_MAX);
  expect(await trigger("gathers", "rpc-large", { steps, chars, of: "あ" }, 60)).toMatchObject({ status: "waiting" });
  await abortAll();
  await signal("rpc-large", "more", "");
  const end = await call("/api/runs/rpc-large?view=result", undefined, { Prefer: "wait=60" });
  expect(await end.json()).toMatchObject({ status: "completed", output: [chars, chars, chars, 0] });
});
