/** tests: the pages of limits, in a real browser on real workerd (DASH8) */
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { useDashboard } from "./harness/dashboard.ts";
import { closeDialog } from "./harness/dialog.ts";
import { startRun } from "./harness/runs.ts";
import type { Server } from "./harness/server.ts";

const dashboard = useDashboard();

/** A limit of one place, with a run that holds and two that wait. */
async function fill(server: Server, customerId: string): Promise<void> {
  const client = server.client();
  await startRun(client, "limited", `${customerId}-holds`, { input: { customerId } });
  for (const name of ["waits", "later"])
    await startRun(client, "limited", `${customerId}-${name}`, { input: { customerId }, until: isPending });
}

function isPending({ status }: { readonly status: string }): boolean {
  return status === "pending";
}

dashboard.before(async (server) => {
  await Promise.all(["c-1", "c-2", "c-3", "a/b c"].map((customer) => fill(server, customer)));
});

function row(page: Page, text: string): ReturnType<Page["locator"]> {
  return page.getByRole("row").filter({ hasText: text });
}

test("DASH8 the list shows what is taken and who waits, and leads to a limit and to its runs by the keyboard", async () => {
  const page = await dashboard.open("/ui/runs");
  await page.getByRole("link", { name: "Limits" }).waitFor();
  await page.keyboard.press("g");
  await page.keyboard.press("l");
  await row(page, "c-1").getByText("1 of 1").waitFor();
  await row(page, "c-1").getByText("full").waitFor();
  await page.keyboard.press("j");
  await page.keyboard.press("j");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "customer c-1" }).waitFor();
  expect(new URL(page.url()).pathname).toBe("/ui/limits/customer/c-1");
  const waiting = page.getByRole("region", { name: "Runs that wait" });
  await row(page, "c-1-waits").getByText("The place is taken.").waitFor();
  await row(page, "c-1-later").getByText("It is number 2. The place is taken.").waitFor();
  expect(await waiting.getByRole("row").count()).toBe(3);
  await page.getByRole("link", { name: "c-1-holds" }).click();
  await page.getByRole("heading", { name: "c-1-holds" }).waitFor();
});

test("DASH8 the search opens a limit with its key, and filters by a name", async () => {
  const page = await dashboard.open("/ui/limits");
  await row(page, "c-1").waitFor();
  await page.keyboard.press("/");
  await page.keyboard.type("customer a/b c");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "customer a/b c" }).waitFor();
  await page.getByRole("link", { name: "customer", exact: true }).click();
  await row(page, "c-3").waitFor();
  expect(new URL(page.url()).search).toBe("?name=customer");
  await page.getByRole("searchbox").fill("none");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "No run waits at this limit" }).waitFor();
});

test("DASH8 a form shows its request before it sends it: max, which evicts nobody, and the max of the code again", async () => {
  const page = await dashboard.open("/ui/limits/customer/c-2");
  await page.getByRole("button", { name: "Set max…" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("How many runs may hold").fill("0");
  await dialog.getByRole("button", { name: "Set max" }).click();
  await dialog.getByText("A whole number of at least 1.").waitFor();
  await dialog.getByLabel("How many runs may hold").fill("2");
  const shown = (await dialog.getByLabel("The request as HTTP").textContent()) ?? "";
  const sent = page.waitForRequest((request) => request.method() === "PATCH");
  await page.keyboard.press("Enter");
  expect(
    `PATCH /api/limits/customer/c-2\n\n${JSON.stringify(JSON.parse((await sent).postData() ?? ""), null, 2)}`,
  ).toBe(shown.trim());
  await dialog.getByText("Set max: 2 runs may hold.").waitFor();
  await dialog.getByRole("button", { name: "Close" }).last().click();
  await page.getByText("2 of 2").waitFor();
  await page.locator("dd", { hasText: "the code says 1" }).waitFor();
  expect(await page.getByRole("button", { name: "Set max…" }).evaluate((one) => one === document.activeElement)).toBe(
    true,
  );
  await page.getByRole("button", { name: "Clear max…" }).click();
  await dialog.getByRole("button", { name: "Clear max" }).click();
  await dialog.getByText("Clear max: accepted.").waitFor();
  await closeDialog(page);
  await page.getByText("2 of 1").waitFor();
});

test("DASH8 a paused limit says so, and a run that is cancelled frees its place for the next", async () => {
  const page = await dashboard.open("/ui/limits/customer/c-3");
  await page.getByRole("button", { name: "Pause…" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: "Pause" }).click();
  await dialog.getByText("Pause: accepted.").waitFor();
  await closeDialog(page);
  await row(page, "c-3-waits").getByText("The limit is paused by ada.").waitFor();
  await page.getByRole("button", { name: "Release…" }).click();
  await dialog.getByRole("button", { name: "Release" }).click();
  await dialog.getByText("Release: accepted.").waitFor();
  await closeDialog(page);
  await page.getByRole("button", { name: "Cancel c-3-holds and free its place" }).click();
  await dialog.getByRole("button", { name: "Cancel and free the place" }).click();
  await dialog.getByText("The run is cancelled, and its place is free.").waitFor();
  await closeDialog(page);
  await page.getByRole("region", { name: "Runs that hold" }).getByRole("link", { name: "c-3-waits" }).waitFor();
});

test("DASH8 a caller without the scope sees the refusal, and a limit that nobody uses says so", async () => {
  const page = await dashboard.open("/ui/limits/customer/c-1", { as: "reader" });
  await page.getByRole("button", { name: "Pause…" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByText("It needs the scope operate").waitFor();
  await dialog.getByRole("button", { name: "Pause" }).click();
  await dialog.getByRole("alert").getByText("The server refused.").waitFor();
  await closeDialog(page);
  const unused = await dashboard.open("/ui/limits/customer/nobody");
  await unused.getByRole("heading", { name: "Nobody holds or waits here" }).waitFor();
  const other = await dashboard.open("/ui/limits", { as: "other" });
  await other.getByRole("heading", { name: "No run waits at a limit" }).waitFor();
});

test("DASH8 axe-core finds nothing in the list, in a limit, or in a form, in either theme", async () => {
  const page = await dashboard.open("/ui/limits", { bypassCSP: true });
  await row(page, "c-1").waitFor();
  await dashboard.expectAccessible(page);
  await page.getByRole("link", { name: "customer" }).first().click();
  await page.getByRole("region", { name: "Runs that hold" }).waitFor();
  await dashboard.expectAccessible(page);
  await page.getByRole("button", { name: "Set max…" }).click();
  await page.getByRole("dialog").waitFor();
  await dashboard.expectAccessible(page);
});
