/** A run with more entries than one page of the API. */
import { expect, test } from "vitest";
import { useDashboard } from "./harness/dashboard.ts";
import { startRun } from "./harness/runs.ts";

const dashboard = useDashboard();
const STEPS = 3_000;

dashboard.before((server) => startRun(server.client(), "many", "many", { input: { steps: STEPS } }));

test("LIVE3 the newest entries come first, a count says what is missing, and the rest follows above", async () => {
  const held = Promise.withResolvers<void>();
  const page = await dashboard.open("/ui/runs/many", {
    prepare: (one) =>
      one.route("**/journal?*before=*", async (route) => {
        await held.promise;
        await route.continue();
      }),
  });
  await page.getByRole("treeitem", { name: "Signal done: waiting" }).waitFor();
  await page.getByText(`${(STEPS + 1 - 1_000).toLocaleString("en")} earlier entries are not loaded`).waitFor();
  const row = page.getByRole("treeitem", { name: `Step step ${STEPS - 1}: completed` });
  const before = await row.boundingBox();
  held.resolve();
  await expect.poll(() => page.locator(".unloaded").count()).toBe(0);
  await page.getByText(`${(STEPS + 1).toLocaleString("en")} operations`).waitFor();
  // The count above the timeline is gone; the rows are where they were.
  expect(Math.abs(((await row.boundingBox())?.y ?? 0) - (before?.y ?? 0))).toBeLessThan(50);
  expect(await page.getByRole("treeitem").count()).toBeLessThan(100);
});
