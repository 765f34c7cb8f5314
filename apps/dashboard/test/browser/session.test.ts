/** Who sees what, and what happens when a token ends while a page is open. */
import { expect, test } from "vitest";
import { useDashboard } from "./harness/dashboard.ts";
import { startRun } from "./harness/runs.ts";
import { TOKENS } from "./harness/server.ts";

const dashboard = useDashboard();

dashboard.before(async (server) => {
  await startRun(server.client(), "approval", "approval-1");
  await startRun(server.client("other"), "order", "theirs");
});

test("a token that ends under an open page asks for another one, and the page stays as it is", async () => {
  const page = await dashboard.open("/ui/runs/approval-1");
  const row = page.getByRole("treeitem", { name: "Signal approve: waiting" });
  await row.waitFor();
  await page.evaluate(() => document.querySelector("#app")?.setAttribute("data-same", ""));
  await page.route("**/api/**", (route) =>
    route.fulfill({ status: 401, json: { error: "unauthorized", message: "" } }),
  );
  const panel = page.getByRole("dialog", { name: "Sign in" });
  await panel.waitFor();
  expect(await page.locator("[role=treeitem]").count()).toBeGreaterThan(2);
  await page.unroute("**/api/**");
  await panel.getByLabel("Token").fill(TOKENS.ada);
  await panel.getByRole("button", { name: "Sign in" }).click();
  await panel.waitFor({ state: "detached" });
  await dashboard.server.client().run("approval-1").signal("approve");
  await page.getByRole("treeitem", { name: "Signal approve: completed" }).waitFor();
  expect(await page.locator("#app[data-same]").count()).toBe(1);
  expect(page.url()).not.toContain(TOKENS.ada);
});

test("a run of another tenant looks as a run that does not exist", async () => {
  const [theirs, none] = [await dashboard.open("/ui/runs/theirs"), await dashboard.open("/ui/runs/none")];
  const shown = async (page: typeof theirs, id: string): Promise<string> => {
    await page.getByRole("heading", { name: "There is no run with this id" }).waitFor();
    return (await page.locator("main").innerText()).replace(id, "ID");
  };
  expect(await shown(theirs, "theirs")).toBe(await shown(none, "none"));
  const list = await dashboard.open("/ui/runs");
  await list.getByRole("link", { name: "approval-1" }).waitFor();
  expect(await list.getByText("theirs").count()).toBe(0);
});

test("the other tenant sees its own run only", async () => {
  const page = await dashboard.open("/ui/runs", { as: "other" });
  await page.getByRole("link", { name: "theirs" }).waitFor();
  expect(await page.getByText("approval-1").count()).toBe(0);
});

test("a reader sees the runs, and no id of a token", async () => {
  const page = await dashboard.open("/ui/runs/approval-1?tab=raw", { as: "reader" });
  const record = page.getByLabel("The record");
  await record.waitFor();
  const text = await record.innerText();
  expect(text).toContain('"pendingWaitpoints"');
  expect(text).not.toContain('"tokenId"');
  const mine = await dashboard.open("/ui/runs/approval-1?tab=raw", { as: "deliverer" });
  await mine.getByText('"tokenId"').waitFor();
});

test("the list refuses a caller that may only start runs, and asks for no other token", async () => {
  const page = await dashboard.open("/ui/runs", { as: "starter" });
  await page.getByRole("alert").filter({ hasText: "The server refused" }).waitFor();
  expect(await page.getByRole("dialog", { name: "Sign in" }).count()).toBe(0);
});
