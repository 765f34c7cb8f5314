/** A journal with the most entries that it may have: the page holds a bounded part of it in its document (T5). */
import type { Page } from "playwright-core";
import type { JournalEntry } from "@holdfast/workflows/client";
import { expect, test } from "vitest";
import { useDashboard } from "./harness/dashboard.ts";
import { answerLongJournal } from "./harness/long-journal.ts";
import { startRun } from "./harness/runs.ts";

const dashboard = useDashboard();
const ENTRIES = 100_000;
const ELEMENTS_MAX = 1_500;
let template: JournalEntry | undefined;

dashboard.before(async (server) => {
  await startRun(server.client(), "many", "many", { input: { steps: 100 } });
  for await (const entry of server.client().run("many").journal())
    if (entry.type === "step.completed") template = entry;
});

const open = (tab: string): Promise<Page> =>
  dashboard.open(`/ui/runs/many?tab=${tab}`, {
    prepare: async (page) => template !== undefined && answerLongJournal(page, template, ENTRIES),
  });

const elements = (page: Page): Promise<number> => page.locator("#app *").count();

test("T5 a timeline of 100,000 entries has a bounded number of elements, and a count of what is not loaded", async () => {
  const page = await open("timeline");
  await page.getByRole("treeitem").first().waitFor();
  expect(await elements(page)).toBeLessThan(ELEMENTS_MAX);
  await page.getByText(/100,000 operations|entries are not loaded/).waitFor();
  const scroll = page.locator(".tl-scroll");
  for (const part of [0.3, 0.7, 1, 0]) {
    await scroll.evaluate((element, of) => (element.scrollTop = element.scrollHeight * of), part);
    await page.getByRole("treeitem").nth(10).waitFor();
    expect(await elements(page)).toBeLessThan(ELEMENTS_MAX);
  }
});

test("T5 a journal of 100,000 entries has a bounded number of elements", async () => {
  const page = await open("journal");
  await page.getByRole("button", { name: "step.completed" }).first().waitFor();
  const scroll = page.getByRole("region", { name: "Entries" });
  for (const part of [0, 0.5, 1]) {
    await scroll.evaluate((element, of) => (element.scrollTop = element.scrollHeight * of), part);
    await page.getByRole("button", { name: "step.completed" }).nth(10).waitFor();
    expect(await elements(page)).toBeLessThan(ELEMENTS_MAX);
  }
});
