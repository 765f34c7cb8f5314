/** How times are shown, and the keys of the pages. */
import { expect, test } from "vitest";
import { useDashboard } from "./harness/dashboard.ts";
import { startRun } from "./harness/runs.ts";

const dashboard = useDashboard();

dashboard.before(async (server) => {
  for (const id of ["a", "b"]) await startRun(server.client(), "order", id);
});

test("T8 t shows absolute times on every page, in local time or UTC, and the choice stays", async () => {
  const page = await dashboard.open("/ui/runs", { timezoneId: "Asia/Kolkata" });
  const time = page.locator(".cell-created time").first();
  await time.getByText("ago").waitFor();
  expect(await time.getAttribute("title")).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} UTC\+05:30$/);
  await page.keyboard.press("t");
  await expect.poll(() => time.textContent()).toMatch(/:\d\d UTC\+05:30$/);
  await page.getByRole("contentinfo").getByRole("button", { name: "UTC" }).click();
  await expect.poll(() => time.textContent()).toMatch(/:\d\d UTC$/);
  await page.goto(`${dashboard.server.url}/ui/runs/a`);
  await page.getByRole("button", { name: "Clock times", pressed: true }).waitFor();
  await page.getByRole("tree").focus();
  await page.keyboard.press("t");
  await page.getByRole("button", { name: "Clock times", pressed: false }).waitFor();
});

test("x selects the row of the focus, and j and k move from it", async () => {
  const page = await dashboard.open("/ui/runs");
  await page.getByRole("link", { name: "b", exact: true }).waitFor();
  for (const key of ["j", "x"]) await page.keyboard.press(key);
  await page.getByText("1 selected").waitFor();
  await page.getByRole("checkbox", { name: "Select b" }).focus();
  for (const key of ["j", "x"]) await page.keyboard.press(key);
  await page.getByText("2 selected").waitFor();
});
