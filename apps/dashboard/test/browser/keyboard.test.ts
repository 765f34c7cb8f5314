/** Everything with keys alone, and the names that a screen reader reads. */
import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { useDashboard } from "./harness/dashboard.ts";
import { focused } from "./harness/reader.ts";
import { startKinds } from "./harness/runs.ts";
import { TOKENS } from "./harness/server.ts";

const dashboard = useDashboard();

dashboard.before((server) => startKinds(server.client()));

/** Presses Tab until an element with the name has the focus. */
async function tabTo(page: Page, name: RegExp): Promise<void> {
  for (let presses = 0; presses < 60; presses++) {
    if (name.test((await focused(page)) ?? "")) return;
    await page.keyboard.press("Tab");
  }
  throw new Error(`Tab does not reach ${name}.`);
}

test("keys alone sign in, find a run, open a row and read its details", async () => {
  const page = await dashboard.open("/ui/", { as: null });
  await page.getByRole("dialog", { name: "Sign in" }).waitFor();
  await page.keyboard.type(TOKENS.ada);
  await page.keyboard.press("Enter");
  await page.getByRole("link", { name: "payment", exact: true }).first().waitFor();
  await page.keyboard.press("/");
  await page.keyboard.type("status:failed");
  await page.keyboard.press("Enter");
  await expect.poll(() => page.locator("[data-row]").allTextContents()).toEqual(["payment"]);
  await page.keyboard.press("Escape");
  await page.keyboard.press("j");
  expect(await focused(page)).toBe("payment");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "payment" }).waitFor();
  await tabTo(page, /^Operations of the run$/);
  await page.keyboard.press("End");
  await page.keyboard.press("Enter");
  await page.getByRole("region", { name: "Details of charge" }).getByText("The card has expired.").first().waitFor();
});

test("keys alone open the actions of a run, deliver a signal, and return to where they were", async () => {
  const page = await dashboard.open("/ui/runs/family");
  await page.getByRole("heading", { name: "family" }).waitFor();
  await page.keyboard.press(".");
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: "Deliver signal" }).waitFor();
  await tabTo(page, /^Deliver signal$/);
  await page.keyboard.press("Enter");
  const name = dialog.getByLabel("Name of the signal");
  await name.waitFor();
  for (let presses = 0; presses < 20 && !(await name.evaluate((one) => one === document.activeElement)); presses++)
    await page.keyboard.press("Tab");
  await page.keyboard.type("approve");
  await tabTo(page, /^Deliver signal$/);
  await page.keyboard.press("Enter");
  await dialog.getByText("Buffered").waitFor();
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "hidden" });
});

test("h and l change the tab, g r shows all runs, and ? the keys", async () => {
  const page = await dashboard.open("/ui/runs/order");
  const current = page.locator("[data-tab][aria-current=page]");
  await current.waitFor();
  await page.keyboard.press("l");
  await expect.poll(() => current.textContent()).toBe("Journal");
  await page.keyboard.press("h");
  await expect.poll(() => current.textContent()).toBe("Timeline");
  await page.keyboard.press("?");
  await page.getByRole("dialog", { name: "Keys" }).waitFor();
  await page.keyboard.press("Escape");
  await page.keyboard.press("g");
  await page.keyboard.press("r");
  await page.getByRole("searchbox").waitFor();
});

test("a page takes its keys in the frame that first shows it", async () => {
  const press = (page: Page): Promise<unknown> =>
    page.addInitScript(() => {
      const shown = new MutationObserver(() => {
        if (document.querySelector("#search") === null) return;
        shown.disconnect();
        document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "?", bubbles: true, cancelable: true }));
      });
      shown.observe(document, { childList: true, subtree: true });
    });
  const page = await dashboard.open("/ui/runs", { prepare: press });
  await page.getByRole("dialog", { name: "Keys" }).waitFor();
});

test("no single key changes a run", async () => {
  const page = await dashboard.open("/ui/runs/approval");
  await page.getByRole("treeitem").first().waitFor();
  const changes: string[] = [];
  page.on("request", (request) => {
    if (request.method() !== "GET" && !request.url().endsWith("/api/tickets")) changes.push(request.url());
  });
  const keys = [
    ...Array.from("abcdefghijklmnopqrstuvwxyz0123456789.,;:-+*/?!#"),
    "Enter",
    "Delete",
    "Backspace",
    "Space",
    "F2",
  ];
  for (const key of keys) {
    await page.keyboard.press(key);
    await page.keyboard.press("Escape");
  }
  expect(changes).toEqual([]);
});

test("the focus is visible wherever Tab takes it, and does not get caught", async () => {
  const page = await dashboard.open("/ui/runs/payment");
  await page.getByRole("treeitem").first().waitFor();
  const seen = new Set<string>();
  for (let presses = 0; presses < 40; presses++) {
    await page.keyboard.press("Tab");
    const state = await page.evaluate(() => {
      const element = document.activeElement;
      if (element === null || element === document.body) return undefined;
      const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(element);
      const [{ width, height } = { width: 0, height: 0 }] = element.getClientRects();
      const isVisible = (outlineStyle !== "none" && outlineWidth !== "0px") || boxShadow !== "none";
      return { html: element.outerHTML.slice(0, 120), ok: isVisible && width > 1 && height > 1 };
    });
    if (state === undefined) break;
    expect(state).toMatchObject({ ok: true });
    seen.add(state.html);
  }
  expect(seen.size).toBeGreaterThan(15);
});

describe("rows have names that say what happened", () => {
  test.each([
    ["order", ["Step reserve stock: completed", "Step charge card: completed", "Sleep: completed"]],
    ["payment", ["Step look up customer: completed", "Step charge: failed, 3 attempts"]],
    ["retrying", ["Step call the carrier: retrying"]],
    ["approval", ["Signal approve: waiting", "Event document.signed: waiting", "Token: waiting"]],
    ["family", ["Child run order: completed", "Child run approval: waiting"]],
    ["booking", ["Step charge card: failed", "Compensation of book flight: completed"]],
    ["report", ["Step compute: running"]],
  ])("in the run %s", async (id, names) => {
    const page = await dashboard.open(`/ui/runs/${id}`);
    for (const name of names) await page.getByRole("treeitem", { name, exact: true }).waitFor();
  });
});
