/** Dialogs of the dashboard in tests. */
import type { Page } from "playwright-core";

/** Closes the dialog, and waits until it is gone: what it shows, such as a request, may also stand on the page. */
export async function closeDialog(page: Page): Promise<void> {
  await page.keyboard.press("Escape");
  await page.locator("dialog.act").waitFor({ state: "detached" });
}
