/** tests: the pages of events and topics, in a real browser on real workerd (DASH10) */
import type { Page } from "playwright-core";
import { expect, test, vi } from "vitest";
import { WAIT_MS, useDashboard } from "./harness/dashboard.ts";
import { closeDialog } from "./harness/dialog.ts";
import { HOSTILE_TEXTS, hostileValue } from "./harness/hostile-texts.ts";
import { startRun } from "./harness/runs.ts";

const dashboard = useDashboard();

dashboard.before(async (server) => {
  const client = server.client();
  await client.sendEvent("order.paid", { orderId: "o-1", cents: 500 }, { id: "large-1", source: "shop" });
  await client.sendEvent("order.paid", { orderId: "o-1", cents: 5 }, { id: "small-1" });
  await client.sendEvent("nobody.cares", {}, { id: "none-1" });
  await startRun(client, "payer", "waits", { input: { orderId: "o-2" } });
  await vi.waitFor(async () => expect((await client.topic("order.paid", "o-2")).subscribers).toBe(1), WAIT_MS);
});

function row(page: Page, text: string): ReturnType<Page["locator"]> {
  return page.getByRole("row").filter({ hasText: text });
}

test("DASH10 the list shows what each event does, and leads to one, to its run and to its topic by the keyboard", async () => {
  const page = await dashboard.open("/ui/runs");
  await page.getByRole("link", { name: "Events" }).waitFor();
  await page.keyboard.press("g");
  await page.keyboard.press("e");
  await row(page, "large-1").getByText("1 run, its topic").waitFor();
  await row(page, "large-1").getByText("done").waitFor();
  await row(page, "none-1").getByText("nothing", { exact: true }).waitFor();
  await page.getByRole("link", { name: "large-1" }).focus();
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "large-1" }).waitFor();
  const targets = page.getByRole("region", { name: "What it did" });
  await targets.getByText("started").waitFor();
  await targets.getByText("stored for waits").waitFor();
  await page.getByText("500").waitFor();
  await targets.getByRole("link", { name: /^evt_/ }).click();
  await page.getByText("The run ended: completed.").waitFor();
});

test("DASH10 EVT2 a trigger that did not match says why", async () => {
  const page = await dashboard.open("/ui/events/small-1");
  const unmatched = page.getByRole("region", { name: "Triggers that did not match" });
  await unmatched.getByText("data.cents").waitFor();
  await unmatched.getByText("fulfil").waitFor();
});

test("DASH10 the search filters by a name, and opens a topic, which shows the runs that wait", async () => {
  const page = await dashboard.open("/ui/events");
  await row(page, "none-1").waitFor();
  await page.keyboard.press("/");
  await page.keyboard.type("order.paid");
  await page.keyboard.press("Enter");
  await row(page, "none-1").waitFor({ state: "detached" });
  expect(new URL(page.url()).search).toBe("?name=order.paid");
  await page.getByRole("searchbox").fill("order.paid o-2");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "order.paid o-2" }).waitFor();
  await row(page, "waits").getByText("waits for the next event").waitFor();
  await page.getByText("No event is stored.").waitFor();
  await page.getByRole("link", { name: "waits" }).click();
  await page.getByRole("heading", { name: "waits" }).waitFor();
});

test("DASH10 EVT11 a form says what an event would do, and sends it once", async () => {
  const page = await dashboard.open("/ui/events?name=order.paid");
  await row(page, "large-1").waitFor();
  await page.getByRole("button", { name: "Send an event…" }).click();
  const dialog = page.getByRole("dialog");
  expect(await dialog.getByLabel("Name", { exact: true }).inputValue()).toBe("order.paid");
  const data = dialog.getByLabel("Data, as JSON");
  await data.fill('{ "orderId": ');
  expect(await dialog.getByRole("button", { name: "Say what it would do" }).isDisabled()).toBe(true);
  await data.fill('{ "orderId": "o-9", "cents": 5 }');
  await dialog.getByRole("button", { name: "Say what it would do" }).click();
  await dialog.getByText("It starts no run.").waitFor();
  await dialog.getByText("Not fulfil by large").waitFor();
  await data.fill('{ "orderId": "o-9", "cents": 900 }');
  await dialog.getByRole("button", { name: "Say what it would do" }).click();
  await dialog.getByText("It starts a run of fulfil by large.").waitFor();
  await dialog.getByText("It reaches the runs that wait for the key o-9.").waitFor();
  await dialog.getByLabel("Id", { exact: true }).fill("by-hand");
  await dialog.getByRole("button", { name: "Send", exact: true }).click();
  await dialog.getByText("Accepted:").waitFor();
  await dialog.getByRole("button", { name: "Send again" }).click();
  await dialog.getByText("It was accepted before, and nothing happened twice:").waitFor();
  await closeDialog(page);
  await row(page, "by-hand").getByText("1 run, its topic").waitFor();
});

test("DASH10 EVT11 a replay by force starts the runs again, and is listed", async () => {
  const page = await dashboard.open("/ui/events/large-1");
  await page.getByRole("button", { name: "Replay…" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("It starts").selectOption({ label: "all runs again, under new ids" });
  await dialog.getByRole("button", { name: "large", exact: true }).click();
  await dialog.getByText('"mode": "force"').waitFor();
  await dialog.getByRole("button", { name: "Replay" }).click();
  await dialog.getByText("Replayed:").waitFor();
  await closeDialog(page);
  await page.getByRole("region", { name: "Replays" }).getByText("all again").waitFor();
  await page.getByRole("link", { name: /_r1$/ }).waitFor();
});

test("DASH10 what is not there says so: an event, a topic, a name, a tenant without events, and a scope", async () => {
  const page = await dashboard.open("/ui/events/none");
  await page.getByRole("heading", { name: "There is no event with this id" }).waitFor();
  const topic = await dashboard.open("/ui/topics/order.paid/none");
  await topic.getByRole("heading", { name: "Nobody uses this key" }).waitFor();
  const named = await dashboard.open("/ui/events?name=none");
  await named.getByRole("heading", { name: "No event of this name is listed" }).waitFor();
  const other = await dashboard.open("/ui/events", { as: "other" });
  await other.getByRole("heading", { name: "No event was accepted" }).waitFor();
  const reader = await dashboard.open("/ui/events/large-1", { as: "reader" });
  await reader.getByRole("button", { name: "Replay…" }).click();
  await reader.getByRole("dialog").getByRole("button", { name: "Replay" }).click();
  await reader.getByRole("dialog").getByText("The server refused.").waitFor();
});

test("DASH10 hostile names, keys and data are text", async () => {
  const client = dashboard.server.client();
  for (const [n, name] of HOSTILE_TEXTS.slice(0, 5).entries())
    await client.sendEvent(
      name,
      { [name]: name, deep: hostileValue() },
      { id: `hostile-${n}`, key: name, source: name },
    );
  const page = await dashboard.open("/ui/events");
  await row(page, "hostile-4").getByText("javascript:pwned()").first().waitFor();
  expect(await page.locator("table img, table script").count()).toBe(0);
  await page.getByRole("link", { name: "hostile-0" }).click();
  await page.getByRole("heading", { name: "hostile-0" }).waitFor();
  await page.getByText("<img src=x onerror=pwned()>").first().waitFor();
  await page.getByRole("link", { name: "<img src=x onerror=pwned()>" }).last().click();
  await page.getByRole("heading", { name: "onerror=pwned()" }).waitFor();
  expect(new URL(page.url()).pathname).toContain("/ui/topics/%3Cimg");
});

test("DASH10 axe-core finds nothing in the list, in an event, in a topic, or in a form, in either theme", async () => {
  const page = await dashboard.open("/ui/events", { bypassCSP: true });
  await row(page, "large-1").waitFor();
  await dashboard.expectAccessible(page);
  await page.getByRole("button", { name: "Send an event…" }).click();
  await page.getByRole("dialog").waitFor();
  await dashboard.expectAccessible(page);
  await closeDialog(page);
  await page.getByRole("link", { name: "small-1" }).click();
  await page.getByRole("region", { name: "Triggers that did not match" }).waitFor();
  await dashboard.expectAccessible(page);
  await page.getByRole("link", { name: "o-1" }).first().click();
  await page.getByRole("heading", { name: "order.paid o-1" }).waitFor();
  await dashboard.expectAccessible(page);
});
