/** A child with a long journal, opened in the timeline of its parent. */
import type { JournalEntry } from "@holdfast/workflows/client";
import { expect, test } from "vitest";
import { useDashboard } from "./harness/dashboard.ts";
import { answerLongJournal, templateOf } from "./harness/long-journal.ts";
import { startRun } from "./harness/runs.ts";

const dashboard = useDashboard();
const ENTRIES = 30_000;
let template: JournalEntry;

dashboard.before(async (server) => {
  await startRun(server.client(), "order", "order", { until: ({ status }) => status === "completed" });
  await startRun(server.client(), "family", "family");
  template = await templateOf(server.client(), "order");
});

test("LIVE3 a child that is opened shows its newest entries, and says how many are not shown", async () => {
  const page = await dashboard.open("/ui/runs/family", {
    prepare: async (one) => {
      await answerLongJournal(one, template, ENTRIES);
      await one.route("**/api/runs/family/journal*", (route) => route.continue());
    },
  });
  await page.getByRole("treeitem", { name: "Child run order: completed" }).click();
  await page.getByRole("tree").focus();
  await page.keyboard.press("ArrowRight");
  await page.getByText(`${(ENTRIES - 10_000).toLocaleString("en")} earlier entries of family.order`).waitFor();
  expect(await page.getByRole("treeitem").count()).toBeLessThan(100);
});
