/** tests: the rows that runs write: the numbers of docs/how-to/costs.md (REP6) */
import { readFileSync } from "node:fs";
import { DEFAULT_LIMITS } from "@holdfast/protocol";
import { workflow } from "@holdfast/workflows";
import { expect, test } from "vitest";
import { FakeDeployment } from "./fake-platform.ts";

/** What documents say. */
const { rows: ROWS } = JSON.parse(readFileSync(new URL("costs.json", import.meta.url), "utf8")) as {
  readonly rows: Readonly<Record<"run" | "step" | "sleep" | "signal", number>>;
};

const deployment = new FakeDeployment([
  workflow({
    id: "steps",
    run: async (n: number, ctx) => {
      for (let i = 0; i < n; i++) await ctx.step("step", () => "result");
    },
  }),
  workflow({
    id: "sleeps",
    run: async (n: number, ctx) => {
      for (let i = 0; i < n; i++) await ctx.sleep(20);
    },
  }),
  workflow({
    id: "signals",
    run: async (n: number, ctx) => {
      for (let i = 0; i < n; i++) await ctx.waitForSignal("go");
    },
  }),
]);

/** Rows that a run writes from its trigger to its end. An alarm counts as one row, as on Cloudflare. */
async function rowsOf(workflowId: string, n: number): Promise<number> {
  const path = `/api/runs/${workflowId}-${n}`;
  await deployment.fetch("/api/runs", { json: { runId: `${workflowId}-${n}`, workflowId, input: n } });
  const storage = deployment.storageOf(`${workflowId}-${n}`);
  const settled = async (): Promise<string> => {
    if (storage.alarmAt !== null && storage.alarmAt <= Date.now()) await deployment.alarm(`${workflowId}-${n}`);
    const { status } = (await (await deployment.fetch(path)).json()) as { status: string };
    if (workflowId === "signals" && status === "waiting")
      await deployment.fetch(`${path}/signals`, { json: { name: "go", deliveryId: crypto.randomUUID() } });
    return status;
  };
  await expect.poll(settled, { timeout: 30_000, interval: 5 }).toBe("completed");
  return storage.writes;
}

test.each([
  { workflowId: "steps", rows: ROWS.step },
  { workflowId: "sleeps", rows: ROWS.sleep },
  { workflowId: "signals", rows: ROWS.signal },
])(
  "REP6 a run writes three rows, alarm included, and $rows for each of its $workflowId",
  async ({ workflowId, rows }) => {
    for (const n of [0, 1, 5]) expect([n, await rowsOf(workflowId, n)]).toEqual([n, ROWS.run + n * rows]);
  },
);

const child = workflow({ id: "child", run: (input: string) => input.length });

const family = workflow({
  id: "family",
  run: (n: number, ctx) =>
    ctx.parallel(
      Array.from({ length: n }, () => "x".repeat(100_000)),
      (input) => ctx.invoke(child, input),
    ),
});

test("CHILD4 REP6 one of 160 children with large inputs costs the parent as many rows and reads as one of 40", async () => {
  const costsOf = async (n: number): Promise<number[]> => {
    const api = new FakeDeployment([family, child]);
    await api.fetch("/api/runs", { json: { runId: "r", workflowId: "family", input: n } });
    const storage = api.storageOf("r");
    const status = (): unknown => (storage.rows.get("record") as { status: string }).status;
    await expect.poll(status, { timeout: 30_000, interval: 10 }).toBe("completed");
    const { gets, rowsListed } = storage.reads;
    return [storage.writes / n, rowsListed / n, gets / n];
  };
  const [[rows = 0, listed = 0, gets = 0], [rowsOfMany = 0, listedOfMany = 0, getsOfMany = 0]] = [
    await costsOf(40),
    await costsOf(160),
  ] as const;
  // The waits of the first children are in the header. Each further one has a row, which is written and deleted.
  expect(rowsOfMany).toBeLessThanOrEqual(rows + 2 * (DEFAULT_LIMITS.headerWaits / 40));
  expect(listedOfMany).toBeLessThanOrEqual(listed);
  // A row beyond those that one call sends is read again when it is sent.
  expect(getsOfMany).toBeLessThanOrEqual(gets + 3);
});
