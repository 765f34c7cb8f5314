/** tests: starting runs, the page of the workflows, and actions on many runs, in a real browser on real workerd (ACT2, ACT5, ACT6) */
import { isInView } from "./harness/in-view.ts";
import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { useDashboard } from "./harness/dashboard.ts";
import { startRun } from "./harness/runs.ts";

const dashboard = useDashboard();

dashboard.before(async (server) => {
  const client = server.client();
  await startRun(client, "order", "like", { input: { items: 3 }, tags: ["vip"] });
  await Promise.all(Array.from({ length: 5 }, (_, n) => startRun(client, "approval", `many-${n}`, { tags: ["many"] })));
  await startRun(client, "order", "many-ended", { tags: ["many"] });
});

describe("a start", () => {
  test("ACT2 ACT3 sends the request that it shows, links to the run, and starts it once", async () => {
    const page = await dashboard.open("/ui/start?workflow=order");
    await page.getByText("Takes an order and ships it.").waitFor();
    await page.getByLabel("Input, as JSON").fill('{ "items": 1 }');
    await page.getByLabel("Tags").fill("a\nb");
    const shown = (await page.getByLabel("The request as HTTP").textContent()) ?? "";
    const sent = page.waitForRequest((request) => request.method() === "POST");
    await page.getByRole("button", { name: "Start", exact: true }).click();
    const body: unknown = JSON.parse((await sent).postData() ?? "");
    expect(`POST /api/runs\n\n${JSON.stringify(body, null, 2)}`).toBe(shown.trim());
    await expect.poll(() => isInView(page.getByText("Started: "))).toBe(true);
    await page.getByRole("button", { name: "Send again" }).click();
    await page.getByText("Started: ").getByRole("link").click();
    await page.getByText("The run ended: completed.").waitFor();
  });

  test("ACT2 one like another run has its values, and what is wrong is shown at its field", async () => {
    const page = await dashboard.open("/ui/runs/like");
    await page.getByRole("button", { name: "Actions" }).click();
    await page.getByRole("link", { name: "Start like this one" }).click();
    await expect.poll(() => page.getByLabel("Input, as JSON").inputValue()).toBe('{\n  "items": 3\n}');
    expect(await page.getByLabel("Tags").inputValue()).toBe("vip");
    expect(new URL(page.url()).search).toBe("?like=like");
    await page.getByLabel("Delay").fill("soon");
    await page.getByLabel("Run id").fill("like");
    await page.getByRole("button", { name: "Start", exact: true }).click();
    await expect.poll(() => page.getByLabel("Delay").getAttribute("aria-invalid")).toBe("true");
    await page.getByLabel("Delay").fill("");
    await page.getByLabel("Input, as JSON").fill("{}");
    await page.getByRole("button", { name: "Send again" }).click();
    await page.getByText('Run "like" already exists, with another input.').first().waitFor();
    expect(await page.getByLabel("Run id").getAttribute("aria-invalid")).toBe("true");
  });

  test("ACT2 RUN5 an input that does not fit the schema of the workflow is shown at the input", async () => {
    const page = await dashboard.open("/ui/start?workflow=checked");
    await page.getByLabel("Input, as JSON").fill('{ "cents": "5" }');
    await page.getByRole("button", { name: "Start", exact: true }).click();
    await page.getByText("Started, and failed: ").waitFor();
    await expect.poll(() => page.getByLabel("Input, as JSON").getAttribute("aria-invalid")).toBe("true");
    await page.getByText("cents: must be a number").first().waitFor();
    await page.getByRole("button", { name: "Another run" }).click();
    await page.getByLabel("Input, as JSON").fill('{ "cents": 5 }');
    await page.getByRole("button", { name: "Start", exact: true }).click();
    await page.getByText("Started: ").waitFor();
  });

  test("ACT2 ACT6 both pages are free of faults that axe-core finds", async () => {
    const page = await dashboard.open("/ui/start", { bypassCSP: true });
    await page.getByRole("group", { name: "Suggestions" }).first().waitFor();
    await dashboard.expectAccessible(page);
    await page.getByRole("link", { name: "Workflows" }).click();
    await page.getByRole("heading", { name: "order" }).waitFor();
    await dashboard.expectAccessible(page);
  });
});

test("ACT6 the workflows are listed with their numbers, and lead to their runs and to a start", async () => {
  const page = await dashboard.open("/ui/workflows");
  const row = page.getByRole("listitem").filter({ has: page.getByRole("heading", { name: "approval" }) });
  await row.getByRole("link", { name: "waiting 5" }).click();
  await page.getByRole("link", { name: "many-0" }).waitFor();
  expect(new URL(page.url()).searchParams.get("q")).toBe('status:waiting workflow:"approval"');
  await page.goBack();
  await page.getByRole("link", { name: "Start approval" }).click();
  await expect.poll(() => page.getByLabel("Workflow").inputValue()).toBe("approval");
});

describe("many runs", () => {
  async function select(page: Page): Promise<void> {
    await page.getByRole("link", { name: "many-0" }).focus();
    await page.keyboard.press("x");
    await page.getByText("1 selected").waitFor();
    await page.getByRole("button", { name: "Select all that match" }).click();
    await page.getByText("6 selected").waitFor();
  }

  test("ACT5 all that match are paused, then cancelled in one request, and the refusals are listed", async () => {
    const page = await dashboard.open("/ui/runs?q=tag:many");
    await page.getByRole("link", { name: "many-0" }).waitFor();
    await select(page);
    await page.getByRole("button", { name: "Pause", exact: true }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("button", { name: "Pause 6 runs" }).click();
    await dialog.getByText("Over: 5 of 6 done, 1 refused").waitFor();
    await dialog.getByText('Run "many-ended" has ended').waitFor();
    await dialog.getByRole("button", { name: "Close" }).click();
    await page.getByText("1 selected").waitFor();
    await page.getByRole("button", { name: "Select all that match" }).click();
    await page.getByText("6 selected").waitFor();
    await page.getByRole("button", { name: "Cancel", exact: true }).click();
    await dialog.getByLabel("Reason").fill("enough");
    const sent = page.waitForRequest("**/api/runs/bulk");
    await dialog.getByRole("button", { name: "Cancel 6 runs" }).click();
    expect(JSON.parse((await sent).postData() ?? "")).toMatchObject({ action: "cancel", reason: "enough" });
    await dialog.getByText("Over: 5 of 6 done, 1 refused").waitFor();
  });

  test("ACT5 to end more than a hundred runs their number is typed", async () => {
    const page = await dashboard.open("/ui/runs?q=tag:many", {
      prepare: (opened) =>
        opened.route("**/api/runs?*limit=200*", async (route) => {
          const answer = await route.fetch();
          const { runs } = (await answer.json()) as { readonly runs: readonly object[] };
          const many = Array.from({ length: 101 }, (_, n) => ({ ...runs[0], id: `no-run-${n}` }));
          await route.fulfill({ json: { runs: many, nextCursor: null } });
        }),
    });
    await page.getByRole("checkbox").first().check();
    await page.getByRole("button", { name: "Select all that match" }).click();
    await page.getByText("101 selected").waitFor();
    await page.getByRole("button", { name: "Delete", exact: true }).click();
    const dialog = page.getByRole("dialog");
    const begin = dialog.getByRole("button", { name: "Delete 101 runs" });
    expect(await begin.isDisabled()).toBe(true);
    await dialog.getByLabel("Type 101 to confirm").fill("101");
    await begin.click();
    // The client counts a run that is gone as deleted only if it asked before.
    await dialog.getByText("Over: 0 of 101 done, 101 refused").waitFor();
  });
});
