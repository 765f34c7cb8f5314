/** Whether a reader sees an element without scrolling: `isVisible` of playwright counts what is below the fold, too. */
import type { Locator } from "playwright-core";

export function isInView(locator: Locator): Promise<boolean> {
  return locator.evaluate((element) => {
    const { left, top, width, height } = element.getBoundingClientRect();
    const seen = document.elementFromPoint(left + width / 2, top + height / 2);
    return seen !== null && (element.contains(seen) || seen.contains(element));
  });
}
