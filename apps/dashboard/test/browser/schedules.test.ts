/** tests: the pages of schedules, in a real browser on real workerd (DASH9) */
import type { Page } from "playwright-core";
import { expect, test, vi } from "vitest";
import { WAIT_MS, useDashboard } from "./harness/dashboard.ts";
import { closeDialog } from "./harness/dialog.ts";

const dashboard = useDashboard();

dashboard.before(async (server) => {
  const client = server.client();
  const common = { workflow: "order", input: { items: 1 } };
  await client.createSchedule({
    ...common,
    id: "nightly",
    description: "Ships what the night brings.",
    cron: "30 2 * * *",
    tz: "America/New_York",
    from: "2099-03-06T00:00:00Z",
    tags: ["night"],
  });
  await client.createSchedule({ ...common, id: "hourly", cron: "0 * * * *" });
  await client.createSchedule({ id: "busy", workflow: "approval", every: "1s" });
  const busy = client.schedule("busy");
  await vi.waitFor(
    async () => expect((await busy.get()).ticks.map(({ outcome }) => outcome)).toContain("skipped"),
    WAIT_MS,
  );
  await busy.pause("A migration");
});

function row(page: Page, text: string): ReturnType<Page["locator"]> {
  return page.getByRole("row").filter({ hasText: text });
}

test("DASH9 the list shows the next tick and what became of the last one, and leads to a schedule by the keyboard", async () => {
  const page = await dashboard.open("/ui/runs");
  await page.getByRole("link", { name: "Schedules" }).waitFor();
  await page.keyboard.press("g");
  await page.keyboard.press("c");
  await row(page, "nightly").getByText("30 2 * * *, America/New_York").waitFor();
  await row(page, "nightly").getByText("2099-03-06 02:30:00 -05:00").waitFor();
  await row(page, "nightly").getByText("none yet").waitFor();
  await row(page, "busy").getByText("paused", { exact: true }).waitFor();
  await row(page, "busy").getByText("The run of an earlier tick had not ended.").waitFor();
  await page.keyboard.press("j");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "busy" }).waitFor();
  expect(new URL(page.url()).pathname).toBe("/ui/schedules/busy");
});

test("DASH9 SCH10 the next times are in the zone of the schedule, and say what the clock does", async () => {
  const page = await dashboard.open("/ui/schedules/nightly");
  await page.getByText("Ships what the night brings.").waitFor();
  await page.getByRole("columnheader", { name: "Time in America/New_York" }).waitFor();
  const gap = row(page, "2099-03-08 03:00:00 -04:00");
  await gap.getByText("The clock goes forward at this time").waitFor();
  await row(page, "2099-03-07 02:30:00 -05:00").waitFor();
});

test("DASH9 SCH5 each tick says what became of it and why, with the run because of which it is so", async () => {
  const page = await dashboard.open("/ui/schedules/busy");
  const ticks = page.getByRole("region", { name: "Ticks", exact: true });
  await ticks.getByText("skipped").first().waitFor();
  const skipped = ticks.getByRole("row").filter({ hasText: "The run of an earlier tick had not ended." }).first();
  await skipped.getByRole("link", { name: /^sch_busy_/ }).click();
  await page.getByRole("heading", { name: /^sch_busy_/ }).waitFor();
});

test("DASH9 a schedule is paused with a reason, and resumed", async () => {
  const page = await dashboard.open("/ui/schedules/hourly");
  await page.getByRole("button", { name: "Pause…" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Reason (optional)").fill("Stocktaking");
  await dialog.getByText('"reason": "Stocktaking"').waitFor();
  await page.keyboard.press("Enter");
  await dialog.getByText("Paused: its ticks are skipped.").waitFor();
  await closeDialog(page);
  await page.getByText("Paused by ada").waitFor();
  await page.getByText("Stocktaking").waitFor();
  await page.getByRole("button", { name: "Resume…" }).click();
  await dialog.getByLabel("Treat the ticks of the pause as missed").check();
  await dialog.getByText('"catchUp": true').waitFor();
  await dialog.getByRole("button", { name: "Resume" }).click();
  await dialog.getByText("Resumed: it fires at its next tick.").waitFor();
});

test("DASH9 SCH4 a start by hand that is sent again starts one run", async () => {
  const page = await dashboard.open("/ui/schedules/nightly");
  await page.getByRole("button", { name: "Start now…" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: "Start now" }).click();
  const started = dialog.getByText("Started:").getByRole("link");
  const first = await started.textContent();
  await dialog.getByRole("button", { name: "Send again" }).click();
  await expect.poll(() => started.textContent()).toBe(first);
  await closeDialog(page);
  const ticks = page.getByRole("region", { name: "Ticks", exact: true });
  await ticks.getByText("by hand").waitFor();
  expect(await ticks.getByRole("link", { name: first ?? "" }).count()).toBe(1);
});

test("DASH9 SCH10 a backfill says what it would start before it starts it", async () => {
  const page = await dashboard.open("/ui/schedules/hourly");
  await page.getByRole("button", { name: "Backfill…" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("From").fill("yesterday");
  await dialog.getByText("A time with its offset").waitFor();
  expect(await dialog.getByRole("button", { name: "Say what it would start" }).isDisabled()).toBe(true);
  await dialog.getByLabel("From").fill("2026-03-01T00:00:00Z");
  await dialog.getByLabel("Until, exclusive").fill("2026-03-01T03:00:00Z");
  await dialog.getByRole("button", { name: "Say what it would start" }).click();
  await dialog.getByText("It would start 3 runs.").waitFor();
  await dialog.getByText("2026-03-01 02:00:00").waitFor();
  await dialog.getByRole("button", { name: "Backfill", exact: true }).click();
  await dialog.getByText("The backfill of 3 ticks is in progress.").waitFor();
  await closeDialog(page);
  await page.getByRole("link", { name: "sch_hourly_20260301T" }).first().waitFor();
});

test("DASH9 a schedule that does not exist, and a tenant without one, say so", async () => {
  const page = await dashboard.open("/ui/schedules/none");
  await page.getByRole("heading", { name: "There is no schedule with this id" }).waitFor();
  const other = await dashboard.open("/ui/schedules", { as: "other" });
  await other.getByRole("heading", { name: "There is no schedule" }).waitFor();
});

test("DASH9 axe-core finds nothing in the list, in a schedule, or in the form of a backfill, in either theme", async () => {
  const page = await dashboard.open("/ui/schedules", { bypassCSP: true });
  await row(page, "nightly").waitFor();
  await dashboard.expectAccessible(page);
  await page.getByRole("link", { name: "busy", exact: true }).click();
  await page.getByRole("region", { name: "Ticks", exact: true }).waitFor();
  await dashboard.expectAccessible(page);
  await page.getByRole("button", { name: "Backfill…" }).click();
  await page.getByRole("dialog").waitFor();
  await dashboard.expectAccessible(page);
});
