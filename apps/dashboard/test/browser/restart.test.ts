/** workerd is killed under an open page and starts again: the page says so, and shows everything afterwards. */
import { test } from "vitest";
import { useDashboard } from "./harness/dashboard.ts";
import { look } from "./harness/reader.ts";
import { startRun } from "./harness/runs.ts";

const dashboard = useDashboard();

dashboard.before((server) => startRun(server.client(), "approval", "approval-1"));

test("a page whose workerd is killed says that it connects again, and its timeline is complete afterwards", async () => {
  const { server } = dashboard;
  const page = await dashboard.open("/ui/runs/approval-1");
  await page.getByRole("treeitem", { name: "Signal approve: waiting" }).waitFor();
  await page.getByRole("status").getByText("Live").waitFor();
  await server.kill();
  await page.getByText("Reconnecting").first().waitFor();
  await server.start();
  const run = server.client().run("approval-1");
  await run.signal("approve");
  await run.event("document.signed");
  const { pendingWaitpoints } = await run.get();
  const token = pendingWaitpoints.map(({ meta }) => meta["tokenId"]).find((id) => typeof id === "string") ?? "";
  await run.resolveToken(token);
  await page.getByRole("treeitem", { name: "Step archive: completed" }).waitFor();
  for (const name of ["Signal approve", "Event document.signed", "Token"])
    await page.getByRole("treeitem", { name: `${name}: completed` }).waitFor();
});

test("a list whose workerd is killed keeps its rows, and takes new runs afterwards", async () => {
  const { server } = dashboard;
  const page = await dashboard.open("/ui/runs");
  await page.getByRole("link", { name: "approval-1" }).waitFor();
  await server.kill();
  await page.getByText("The page tries again").waitFor();
  await page.getByRole("link", { name: "approval-1" }).waitFor();
  await server.start();
  await startRun(server.client(), "order", "order-1");
  await look(page);
  await page.getByRole("button", { name: "1 new run" }).click();
  await page.getByRole("link", { name: "order-1" }).waitFor();
});
