/** The way from the list to every tab of a run, with the pointer, and by its address. */
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { useDashboard } from "./harness/dashboard.ts";
import { startKinds } from "./harness/runs.ts";

const dashboard = useDashboard();

dashboard.before((server) => startKinds(server.client()));

test.each([
  ["/ui/runs?q=status%3Afailed", (page: Page) => page.getByRole("link", { name: "payment", exact: true }).first()],
  [
    "/ui/runs/payment?tab=timeline&op=step%2F0%2Fcharge",
    (page: Page) => page.getByRole("region", { name: "Details of charge" }).getByText("The card has expired.").first(),
  ],
  ["/ui/runs/order?tab=data", (page: Page) => page.getByRole("heading", { name: "Output" })],
  ["/ui/runs/order?tab=raw", (page: Page) => page.getByLabel("The record")],
  ["/ui/runs/order?tab=none", (page: Page) => page.getByRole("treeitem").first()],
])("the address %s shows again what its reader saw", async (path, seen) => {
  const page = await dashboard.open(path);
  await seen(page).waitFor();
  await page.reload();
  await seen(page).waitFor();
  expect(page.url()).toBe(dashboard.server.url + path);
});

test("a click in the list opens the run, and its tabs show its timeline, journal and data", async () => {
  const page = await dashboard.open("/ui/runs");
  await page.getByRole("link", { name: "order", exact: true }).first().click();
  await page.getByRole("heading", { name: "order" }).waitFor();
  await page.getByRole("treeitem", { name: "Step charge card: completed" }).waitFor();
  await page.getByRole("link", { name: "Journal" }).click();
  await page.getByRole("button", { name: "step.completed" }).first().waitFor();
  await page.getByRole("link", { name: "Data" }).click();
  await page.getByRole("heading", { name: "Output" }).waitFor();
  expect(new URL(page.url()).search).toBe("?tab=data");
  await page.goBack();
  await page.getByRole("button", { name: "step.completed" }).first().waitFor();
});
