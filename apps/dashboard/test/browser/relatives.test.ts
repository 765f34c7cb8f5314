/** Streams, family, compare, and a run in a file. */
import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { useDashboard } from "./harness/dashboard.ts";
import { startRun } from "./harness/runs.ts";

const dashboard = useDashboard();

dashboard.before(async (server) => {
  const client = server.client();
  await startRun(client, "answer", "answer");
  await startRun(client, "family", "family");
  await startRun(client, "order", "first", { until: ({ status }) => status === "completed" });
  await client
    .run("first")
    .resume({ runId: "second", resumeFromStep: "ship", seedResults: { "reserve stock": "given" } });
  await client.run("second").ended();
});

test("LIVE6 the streams of a run are text, and chunks one by one", async () => {
  const page = await dashboard.open("/ui/runs/answer?tab=streams", { bypassCSP: true });
  await page.getByText("The parcel left the warehouse.").waitFor();
  await page.getByRole("button", { name: "Chunks", exact: true }).click();
  await page.getByRole("button", { name: "1 left" }).click();
  await page.getByRole("region", { name: "Chunk 1" }).getByText("left").waitFor();
  await dashboard.expectAccessible(page);
});

test("LIVE7 the family of a run is a tree that opens", async () => {
  const page = await dashboard.open("/ui/runs/family?tab=family", { bypassCSP: true });
  const tree = page.getByRole("list", { name: "Family of the run" });
  await expect.poll(() => tree.getByRole("link").count()).toBe(2);
  await dashboard.expectAccessible(page);
  await tree.getByRole("link").first().click();
  await expect.poll(() => page.locator("[aria-current=true] strong").textContent()).not.toBe("family");
  await tree.getByRole("link", { name: "family" }).waitFor();
});

test("LIVE8 a resumed run is compared with the one before", async () => {
  const page = await dashboard.open("/ui/runs/second", { bypassCSP: true });
  await page.getByRole("link", { name: "Compare" }).click();
  await page.getByText("first difference").waitFor();
  const row = page.getByRole("row", { name: /reserve stock/ });
  await row.getByRole("button").click();
  await page.getByRole("region", { name: "Differences: Outcome" }).getByText("given").waitFor();
  await dashboard.expectAccessible(page);
});

test("LIVE8 two selected runs of the list can be compared", async () => {
  const page = await dashboard.open("/ui/runs");
  await page.getByRole("checkbox", { name: "Select first" }).check();
  await page.getByText("Select two runs").waitFor();
  await page.getByRole("checkbox", { name: "Select second" }).check();
  await page.getByRole("link", { name: "Compare" }).click();
  await page.getByText("operations differ").waitFor();
  expect(new URL(page.url()).search).toBe("?a=first&b=second");
});

test("T7 a given result says who gave it, and what it replaces; T6 a step can be resumed from", async () => {
  const page = await dashboard.open("/ui/runs/second?op=step%2F0%2Freserve+stock");
  const given = page.getByRole("region", { name: "Given result" });
  await given.getByText("ada gave it").waitFor();
  await given.getByRole("button", { name: "Compare with the result there" }).click();
  await given.getByText("north").waitFor();
  await page.getByRole("button", { name: "Resume from here…" }).click();
  await expect.poll(() => page.getByLabel("Execute again from").inputValue()).toBe("0/reserve stock");
});

test("LIVE9 an exported run opens without a server, and a broken file names its line", async () => {
  const page = await dashboard.open("/ui/runs/second?tab=raw");
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: "Download record and journal" }).click(),
  ]);
  const text = await readFile(await download.path(), "utf8");
  expect(download.suggestedFilename()).toBe("second.json");
  const other = await dashboard.open("/ui/open", { bypassCSP: true, as: null });
  const requests: string[] = [];
  other.on("request", (request) => requests.push(request.url()));
  const picker = other.locator("input[type=file]");
  await picker.setInputFiles({ name: "second.json", mimeType: "application/json", buffer: Buffer.from(text) });
  await other.getByRole("treeitem", { name: "Step ship: completed" }).waitFor();
  await other.getByRole("button", { name: "Journal" }).click();
  await other.getByRole("button", { name: "step.completed" }).first().waitFor();
  expect(requests.filter((url) => url.includes("/api/"))).toEqual([]);
  await dashboard.expectAccessible(other);
  await picker.setInputFiles({ name: "bad.json", mimeType: "application/json", buffer: Buffer.from(`${text}{"a":`) });
  await other.getByRole("alert").getByText("Line 2: This is no JSON").waitFor();
});
