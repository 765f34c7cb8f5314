/** A journal with the most entries that it may have: the page holds a bounded part of it in its document (T5). */
import type { Locator, Page } from "playwright-core";
import type { JournalEntry } from "@holdfast/workflows/client";
import { expect, test } from "vitest";
import { useDashboard } from "./harness/dashboard.ts";
import { answerLongJournal, templateOf } from "./harness/long-journal.ts";
import { startRun } from "./harness/runs.ts";

const dashboard = useDashboard();
const ENTRIES = 100_000;
const ELEMENTS_MAX = 1_500;
/** A hundred pages pass through the process of the test, one after the other. */
const LOAD_MS_MAX = 40_000;
let template: JournalEntry;

dashboard.before(async (server) => {
  await startRun(server.client(), "many", "many", { input: { steps: 100 } });
  template = await templateOf(server.client(), "many");
});

const open = (tab: string, older: Promise<void> = Promise.resolve()): Promise<Page> =>
  dashboard.open(`/ui/runs/many?tab=${tab}`, {
    prepare: async (page) => {
      await answerLongJournal(page, template, ENTRIES);
      await page.route("**/journal?*before=*", async (route) => {
        await older;
        await route.fallback();
      });
    },
  });

const elements = (page: Page): Promise<number> => page.locator("#app *").count();

/** Scrolls to parts of a list, waits each time until it shows other rows, and counts the elements. */
async function expectBounded(page: Page, scroll: Locator, row: Locator, parts: readonly number[]): Promise<void> {
  for (const part of parts) {
    const before = await row.allTextContents();
    await scroll.evaluate((element, of) => (element.scrollTop = element.scrollHeight * of), part);
    await expect.poll(() => row.allTextContents()).not.toEqual(before);
    expect(await row.count()).toBeGreaterThan(10);
    expect(await elements(page)).toBeLessThan(ELEMENTS_MAX);
  }
}

test("T5 a timeline of 100,000 entries has a bounded number of elements, and a count of what is not loaded", async () => {
  const held = Promise.withResolvers<void>();
  const page = await open("timeline", held.promise);
  await page.getByText("99,000 earlier entries are not loaded").waitFor();
  await page.getByRole("treeitem").first().waitFor();
  expect(await elements(page)).toBeLessThan(ELEMENTS_MAX);
  held.resolve();
  await page.getByText("100,000 operations").waitFor({ timeout: LOAD_MS_MAX });
  await expectBounded(page, page.locator(".tl-scroll"), page.getByRole("treeitem"), [0.3, 0.7, 1, 0]);
}, 180_000);

test("T5 a journal of 100,000 entries has a bounded number of elements", async () => {
  const page = await open("journal");
  await page.getByRole("button", { name: "step.completed" }).first().waitFor();
  const rows = page.getByRole("button", { name: "step.completed" });
  await expectBounded(page, page.getByRole("region", { name: "Entries" }), rows, [0, 0.5, 1]);
});
