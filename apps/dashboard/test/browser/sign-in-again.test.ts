/** What pages do after requests that were refused or came late: the reader signs in again, and the server answers again. */
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { useDashboard } from "./harness/dashboard.ts";
import { startRun } from "./harness/runs.ts";
import { TOKENS } from "./harness/server.ts";

const dashboard = useDashboard();

dashboard.before(async (server) => {
  const client = server.client();
  await startRun(client, "order", "like", { input: { items: 3 } });
  await startRun(client, "family", "family");
  await startRun(client, "answer", "answer");
});

/** Refuses these requests until the reader has signed in again. */
function refuse(page: Page, url: string | RegExp): Promise<unknown> {
  return page.route(url, (route) =>
    route.fulfill({ status: 401, json: { error: "unauthorized", message: "The token has expired." } }),
  );
}

async function signInAgain(page: Page): Promise<void> {
  const panel = page.getByRole("dialog", { name: "Sign in" });
  await panel.waitFor();
  await page.unrouteAll();
  await panel.getByLabel("Token").fill(TOKENS.ada);
  await panel.getByRole("button", { name: "Sign in" }).click();
  await panel.waitFor({ state: "detached" });
}

test.each([
  ["audit", "/ui/runs/family?tab=audit", /\/audit/, (page: Page) => page.getByRole("cell", { name: "ada" }).first()],
  ["family", "/ui/runs/family?tab=family", /parentRunId=/, (page: Page) => page.locator(".family-tree a").first()],
  ["workflows", "/ui/workflows", /\/api\/workflows/, (page: Page) => page.getByRole("heading", { name: "order" })],
])("LIVE1 what was refused of the %s is there after the sign-in, without the refusal", async (_, path, url, shown) => {
  const page = await dashboard.open(path, { prepare: (opened) => refuse(opened, url) });
  await signInAgain(page);
  await shown(page).waitFor();
  expect(await page.getByText("The server refused").count()).toBe(0);
});

test("ACT2 a start like another run keeps what the reader typed when they sign in again", async () => {
  const page = await dashboard.open("/ui/start?like=like");
  await expect.poll(() => page.getByLabel("Input, as JSON").inputValue()).toBe('{\n  "items": 3\n}');
  await page.getByLabel("Input, as JSON").fill('{ "items": 4 }');
  await refuse(page, "**/api/runs");
  await page.getByRole("button", { name: "Start", exact: true }).click();
  await signInAgain(page);
  await page.getByRole("button", { name: "Send again" }).click();
  await page.getByText("Started: ").waitFor();
  expect(await page.getByLabel("Input, as JSON").inputValue()).toBe('{ "items": 4 }');
});

test("ACT2 the form of another run says nothing about the run before", async () => {
  const page = await dashboard.open("/ui/start?workflow=order");
  let release: () => void = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  await page.route(/\/api\/runs\/first(\?|$)/, async (route) => {
    await released;
    await route.continue();
  });
  await page.getByLabel("Input, as JSON").fill("{}");
  await page.getByLabel("Run id").fill("first");
  const looked = page.waitForResponse(/\/api\/runs\/first(\?|$)/);
  await page.getByRole("button", { name: "Start", exact: true }).click();
  await page.getByText("Started: ").waitFor();
  await page.getByRole("button", { name: "Another run" }).click();
  release();
  await (await looked).finished();
  await page.getByRole("button", { name: "Start", exact: true }).waitFor();
  expect(await page.getByText("Started").count()).toBe(0);
});

test("LIVE6 chunks without sockets are read again after the server did not answer", async () => {
  let isDown = true;
  let refused = 0;
  const page = await dashboard.open("/ui/runs/answer?tab=streams", {
    prepare: async (opened) => {
      await opened.routeWebSocket("**/stream**", (socket) => void socket.close({ code: 1008, reason: "none here" }));
      await opened.route("**/stream**", (route) => (isDown ? (refused++, route.abort()) : route.continue()));
    },
  });
  // The client itself tries twice.
  await expect.poll(() => refused, { timeout: 30_000 }).toBeGreaterThan(2);
  isDown = false;
  await page.getByText("The parcel left the warehouse.").waitFor();
});
