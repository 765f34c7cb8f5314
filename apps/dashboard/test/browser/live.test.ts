/** A run's page that is open while the run, the server and the credentials change. */
import type { Page, Request } from "playwright-core";
import { expect, test } from "vitest";
import { useDashboard } from "./harness/dashboard.ts";
import { startRun } from "./harness/runs.ts";
import { TOKENS } from "./harness/server.ts";

const dashboard = useDashboard();

dashboard.before(async (server) => {
  const client = server.client();
  for (const id of ["signalled", "killed", "expired", "polled"]) await startRun(client, "answer", id);
});

const indicator = (page: Page, name: string) =>
  page.locator(`.live[data-live="${name.toLowerCase()}"]`).getByText(name).first();

test("LIVE1 an outcome appears over the socket, which then ends: the page sends nothing more", async () => {
  const page = await dashboard.open("/ui/runs/signalled");
  await indicator(page, "Live").waitFor();
  const requests: Request[] = [];
  page.on("request", (request) => requests.push(request));
  await dashboard.server.client().run("signalled").signal("done", "thanks");
  await indicator(page, "Ended").waitFor();
  await page.locator(".run-header").getByText("completed", { exact: true }).waitFor();
  await page.getByRole("treeitem", { name: "Signal done: completed" }).waitFor();
  expect(requests.length).toBeLessThan(8);
});

test("LIVE1 a page whose workerd is killed connects again, and its timeline is complete", async () => {
  const page = await dashboard.open("/ui/runs/killed");
  await indicator(page, "Live").waitFor();
  await dashboard.server.kill();
  await indicator(page, "Reconnecting").waitFor();
  await page.getByRole("treeitem", { name: "Stream reply: completed" }).waitFor();
  await dashboard.server.start();
  await dashboard.server.client().run("killed").signal("done");
  await indicator(page, "Ended").waitFor({ timeout: 20_000 });
  await page.getByRole("treeitem", { name: "Signal done: completed" }).waitFor();
  expect(await page.getByRole("treeitem").count()).toBe(2);
});

test("LIVE1 a session that expires shows the panel over the page, which continues after the sign-in", async () => {
  const page = await dashboard.open("/ui/runs/expired?tab=journal");
  await indicator(page, "Live").waitFor();
  await page.getByRole("button", { name: "wait.opened" }).click();
  await page.route("**/api/**", (route) =>
    route.fulfill({ status: 401, json: { error: "unauthorized", message: "The token has expired." } }),
  );
  await dashboard.server.client().run("expired").signal("done");
  const panel = page.getByRole("dialog", { name: "Sign in" });
  await panel.waitFor();
  expect(await page.getByRole("button", { name: "wait.opened" }).getAttribute("aria-pressed")).toBe("true");
  await page.unroute("**/api/**");
  await panel.getByLabel("Token").fill(TOKENS.ada);
  await panel.getByRole("button", { name: "Sign in" }).click();
  await indicator(page, "Ended").waitFor();
  await page.getByRole("button", { name: "wait.resolved" }).waitFor();
  expect(await page.getByRole("button", { name: "wait.opened" }).getAttribute("aria-pressed")).toBe("true");
});

test("LIVE1 a page without sockets polls, and shows the same", async () => {
  const prepare = (page: Page): Promise<unknown> =>
    page.routeWebSocket("**/stream**", (socket) => void socket.close({ code: 1008, reason: "no sockets here" }));
  const page = await dashboard.open("/ui/runs/polled", { prepare });
  await indicator(page, "Polling").waitFor();
  await dashboard.server.client().run("polled").signal("done");
  await indicator(page, "Ended").waitFor();
  await page.getByRole("treeitem", { name: "Signal done: completed" }).waitFor();
});
