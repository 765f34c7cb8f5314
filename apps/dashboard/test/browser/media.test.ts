/** What readers set in their system or browser: little motion, their own colours, large text. */
import { describe, expect, test } from "vitest";
import { useDashboard } from "./harness/dashboard.ts";
import { PAGES } from "./harness/pages.ts";
import { startKinds, startRun } from "./harness/runs.ts";

const dashboard = useDashboard();

dashboard.before((server) => startKinds(server.client()));

describe("a page of 1,280 pixels at 400 % is 320 pixels wide", () => {
  test.each(PAGES)("%s is read without scrolling sideways, within the policy", async (path, text) => {
    const page = await dashboard.open(path, { viewport: { width: 320, height: 256 } });
    await page.getByText(text).first().waitFor();
    const wide = await page.evaluate(() => {
      const { scrollWidth, clientWidth } = document.documentElement;
      const over = [...document.querySelectorAll("#app *")].filter((element) => {
        const { right, width } = element.getBoundingClientRect();
        return width > 0 && right > clientWidth + 1;
      });
      return scrollWidth <= clientWidth ? [] : over.map(({ outerHTML }) => outerHTML.slice(0, 120));
    });
    expect(wide).toEqual([]);
  });
});

test.each([721, 768, 840, 880])(
  "at %i pixels the bar is whole, and no word of the list's head is divided",
  async (width) => {
    const page = await dashboard.open("/ui/runs", { viewport: { width, height: 600 } });
    await page.getByText("Waits for a signal").first().waitFor();
    const { right, lines } = await page.evaluate(() => {
      const end = [...document.querySelectorAll(".bar-top > *")].map((part) => part.getBoundingClientRect().right);
      const heads = [...document.querySelectorAll<HTMLElement>("table.runs thead th")];
      const linesOf = (head: Element): number => {
        const range = document.createRange();
        range.selectNodeContents(head);
        return new Set([...range.getClientRects()].map(({ top }) => top)).size;
      };
      return { right: Math.max(...end), lines: heads.slice(1).map(linesOf) };
    });
    expect(right).toBeLessThanOrEqual(width);
    expect(new Set(lines)).toEqual(new Set([1]));
  },
);

test("with little motion nothing moves", async () => {
  // The process of a step that nobody looks at ends after a while.
  const until = ({ status }: { readonly status: string }): boolean => status === "running";
  await startRun(dashboard.server.client(), "report", "moves", { until });
  const page = await dashboard.open("/ui/runs/moves", { reducedMotion: "reduce" });
  await page.getByRole("treeitem", { name: "Step compute: running" }).waitFor();
  expect(await page.evaluate(() => document.getAnimations().length)).toBe(0);
  const moving = await dashboard.open("/ui/runs/moves", { reducedMotion: "no-preference" });
  await moving.getByRole("treeitem", { name: "Step compute: running" }).waitFor();
  await expect.poll(() => moving.evaluate(() => document.getAnimations().length)).toBeGreaterThan(0);
});

test("with colours of the system, states and the current tab still differ", async () => {
  const page = await dashboard.open("/ui/runs/payment", { forcedColors: "active" });
  await page.getByRole("treeitem", { name: "Step charge: failed, 3 attempts" }).waitFor();
  const fillOf = (state: string): Promise<string> =>
    page
      .locator(`.tl-track [data-state="${state}"] > .tl-attempt`)
      .first()
      .evaluate((bar) => getComputedStyle(bar).fill);
  expect(await fillOf("failed")).not.toBe(await fillOf("completed"));
  const outline = page.locator("[data-tab][aria-current=page]").evaluate((tab) => getComputedStyle(tab).outlineStyle);
  expect(await outline).toBe("solid");
});
