/** Approvals of a deployment without an index of runs. */
import { expect, test } from "vitest";
import { useDashboard } from "./harness/dashboard.ts";
import { startRun } from "./harness/runs.ts";

const dashboard = useDashboard({ hasIndex: false });

test("ASK6 without an index the page says so, and an ask is answered on the page of its run", async () => {
  const client = dashboard.server.client();
  await startRun(client, "asking", "run-1", {
    input: { asks: [{ title: "Go?", choices: [{ label: "Go", value: 1 }] }] },
  });
  const page = await dashboard.open("/ui/approvals");
  await page.getByText("This deployment has no index of runs").waitFor();
  await page.getByRole("link", { name: "Open a run by its id" }).click();
  await page.getByRole("searchbox").fill("run-1");
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Go", exact: true }).click();
  await page.getByText("You answered: Go.").waitFor();
  expect(await client.run("run-1").result()).toEqual([1]);
});
