/** Who sees what: tenants and scopes. `live.test.ts` has the token that ends while a page is open. */
import { expect, test } from "vitest";
import { useDashboard } from "./harness/dashboard.ts";
import { startRun } from "./harness/runs.ts";

const dashboard = useDashboard();

dashboard.before(async (server) => {
  await startRun(server.client(), "approval", "approval-1");
  await startRun(server.client("other"), "order", "theirs");
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
