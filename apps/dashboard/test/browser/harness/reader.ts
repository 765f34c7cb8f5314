/**
 * What a reader does with a page beside clicks and keys, and what the page reads to them.
 */
import type { Page } from "playwright-core";

/** The reader returns to the tab, and the page asks at once. */
export function look(page: Page): Promise<boolean> {
  return page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
}

/** The name of the element that has the focus: its label, or its text. */
export function focused(page: Page): Promise<string | null> {
  return page.evaluate(
    () => document.activeElement?.getAttribute("aria-label") ?? document.activeElement?.textContent ?? null,
  );
}
