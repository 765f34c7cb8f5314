/** The list of runs while runs start and end, its columns, its files, and what it says when it is empty. */
import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { useDashboard } from "./harness/dashboard.ts";
import { startRun } from "./harness/runs.ts";

describe("a list", () => {
  const dashboard = useDashboard();
  dashboard.before(async (server) => {
    for (const id of ["=1+1", "b", "c"]) await startRun(server.client(), "answer", id, { tags: ["old"] });
  });
  const rows = "[data-row]";

  test("LIVE4 new runs appear as a pill, and no row moves until it is pressed", async () => {
    const page = await dashboard.open("/ui/runs");
    await page.getByRole("link", { name: "c", exact: true }).waitFor();
    const before = await page.getByRole("link", { name: "c", exact: true }).boundingBox();
    await startRun(dashboard.server.client(), "order", "new-1");
    await startRun(dashboard.server.client(), "order", "new-2");
    const pill = page.getByRole("button", { name: "2 new runs" });
    await pill.waitFor({ timeout: 15_000 });
    expect(await page.getByRole("link", { name: "c", exact: true }).boundingBox()).toEqual(before);
    await pill.click();
    await expect.poll(() => page.locator(rows).first().textContent()).toBe("new-2");
  });

  test("LIVE4 chosen columns are in the URL and in this browser", async () => {
    const page = await dashboard.open("/ui/runs");
    await page.getByText("Columns", { exact: true }).click();
    await page.getByRole("checkbox", { name: "Triggered by" }).check();
    await page.getByRole("checkbox", { name: "Why" }).uncheck();
    await page.getByRole("columnheader", { name: "Triggered by" }).waitFor();
    expect(await page.getByRole("columnheader", { name: "Why" }).count()).toBe(0);
    expect(new URL(page.url()).searchParams.get("columns")).toContain("trigger");
    await page.goto(`${dashboard.server.url}/ui/runs?q=tag:old`);
    await page.getByRole("columnheader", { name: "Triggered by" }).waitFor();
  });

  test("LIVE4 the list is where the reader left it, after the browser's back from a run", async () => {
    const page = await dashboard.open("/ui/runs", { viewport: { width: 700, height: 300 } });
    const link = page.getByRole("link", { name: "=1+1", exact: true });
    await link.waitFor();
    await link.scrollIntoViewIfNeeded();
    const left = await page.evaluate(() => scrollY);
    expect(left).toBeGreaterThan(100);
    await link.click();
    await page.getByRole("heading", { name: "=1+1" }).waitFor();
    expect(await page.evaluate(() => scrollY)).toBe(0);
    // A list that takes its time.
    await page.route("**/api/runs?*", async (route) => {
      await page.waitForTimeout(200);
      await route.continue();
    });
    await page.goBack();
    await link.waitFor();
    await expect.poll(() => page.evaluate(() => scrollY)).toBe(left);
    await page.unrouteAll();
  });

  test("LIVE5 the runs of the filter are saved as CSV without formulas, and as NDJSON", async () => {
    const page = await dashboard.open("/ui/runs?q=tag%3Aold");
    await page.getByRole("link", { name: "c", exact: true }).waitFor();
    for (const [name, check] of [
      ["Export CSV", (text: string) => expect(text.split("\r\n")[3]).toMatch(/^"'=1\+1","answer"/)],
      ["Export NDJSON", (text: string) => expect(text.trim().split("\n").length).toBe(3)],
    ] as const) {
      const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name }).click()]);
      check(await readFile(await download.path(), "utf8"));
    }
  });

  test("LIVE4 the chips have the numbers of the index, and a filter without a run says how many there are", async () => {
    const page = await dashboard.open("/ui/runs?q=tag%3Anone");
    await page.getByText("No run matches").waitFor();
    await page.getByText(/Without it there are \d+ runs/).waitFor();
    await page.getByRole("link", { name: "Clear the filter" }).click();
    await page.getByRole("link", { name: /^waiting \d+$/ }).waitFor();
  });
});

describe("an empty deployment", () => {
  const dashboard = useDashboard();

  test("LIVE4 shows the lines that start a run on this host", async () => {
    const page = await dashboard.open("/ui/");
    await page.getByText("No runs yet").waitFor();
    expect(await page.locator("pre").textContent()).toContain(`curl -X POST ${dashboard.server.url}/api/runs`);
  });
});

describe("a deployment without an index", () => {
  const dashboard = useDashboard({ hasIndex: false });
  dashboard.before((server) => startRun(server.client(), "answer", "known"));

  test("LIVE4 says so, and a run still opens by its id and is followed", async () => {
    const page = await dashboard.open("/ui/");
    await page.getByText("This deployment has no index of runs").waitFor();
    await page.getByRole("searchbox").fill("known");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "known" }).waitFor();
    await page.locator(".live").waitFor();
  });
});
