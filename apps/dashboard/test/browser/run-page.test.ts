/** The way from the list to every tab of a run, with the pointer. */
import { expect, test } from "vitest";
import { useDashboard } from "./harness/dashboard.ts";
import { startKinds } from "./harness/runs.ts";

const dashboard = useDashboard();

dashboard.before((server) => startKinds(server.client()));

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
