/** Signing in and out in a real browser: where the token is, and what is shown without one. */
import type { Page } from "playwright-core";
import { describe, expect, inject, test } from "vitest";
import { useDashboard } from "./harness/dashboard.ts";
import { mustHaveBrowser } from "./harness/find-browser.ts";
import { startRun } from "./harness/runs.ts";
import { TOKENS } from "./harness/server.ts";

const dashboard = useDashboard();

dashboard.before((server) => startRun(server.client(), "order", "order-1"));

const panel = (page: Page) => page.getByRole("dialog", { name: "Sign in" });

async function signIn(page: Page, token: string): Promise<void> {
  await panel(page).getByLabel("Token").fill(token);
  await panel(page).getByRole("button", { name: "Sign in" }).click();
}

test("a machine that must have a browser has one", () => {
  expect(inject("browser") !== "" || !mustHaveBrowser()).toBe(true);
});

describe("a deployment with tokens", () => {
  test("asks for a token, refuses a wrong one, and shows the runs with a right one", async () => {
    const page = await dashboard.open("/ui/", { as: null });
    await signIn(page, "not-a-token-0123456789");
    await panel(page).getByRole("alert").filter({ hasText: "does not accept this token" }).waitFor();
    await signIn(page, TOKENS.ada);
    await page.getByRole("link", { name: "order-1" }).waitFor();
    expect(await panel(page).count()).toBe(0);
  });

  test("a text that no header can hold is refused before it is sent", async () => {
    const page = await dashboard.open("/ui/", { as: null });
    await signIn(page, "täken \u2603");
    await panel(page).getByRole("alert").filter({ hasText: "a character that no token has" }).waitFor();
  });

  test("the token is in the session storage of the tab, and nowhere else", async () => {
    const page = await dashboard.open("/ui/runs/order-1", { as: null });
    await signIn(page, TOKENS.ada);
    await page.getByRole("heading", { name: "order-1" }).waitFor();
    const stored = await page.evaluate(() => ({
      session: Object.values(sessionStorage),
      local: JSON.stringify(localStorage),
      cookies: document.cookie,
      address: location.href,
      text: document.documentElement.outerHTML,
    }));
    const { session, ...others } = stored;
    expect(session).toEqual([TOKENS.ada]);
    expect(JSON.stringify(others)).not.toContain(TOKENS.ada);
    const tab = await page.context().newPage();
    await tab.goto(`${dashboard.server.url}/ui/`);
    await panel(tab).waitFor();
  });

  test("signing out forgets the token, and a load of the page asks for one", async () => {
    const page = await dashboard.open("/ui/");
    await page.getByRole("link", { name: "order-1" }).waitFor();
    await page.getByRole("button", { name: "Sign out" }).click();
    await panel(page).waitFor();
    expect(await page.evaluate(() => sessionStorage.getItem("holdfast.token"))).toBeNull();
    await page.reload();
    await panel(page).waitFor();
    expect(await page.getByRole("link", { name: "order-1" }).count()).toBe(0);
  });
});
