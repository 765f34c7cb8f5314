/** tests: every action on a run, as a form in a real browser, on real workerd (ACT2, ACT3) */
import { isInView } from "./harness/in-view.ts";
import type { Locator, Page, Request } from "playwright-core";
import { describe, expect, test } from "vitest";
import type { Client, JournalEntry } from "@holdfast/workflows/client";
import { planOf } from "../../src/act/preview.ts";
import { useDashboard } from "./harness/dashboard.ts";
import { closeDialog } from "./harness/dialog.ts";
import { focused } from "./harness/reader.ts";
import { startRun } from "./harness/runs.ts";

const dashboard = useDashboard();

dashboard.before(async (server) => {
  const client = server.client();
  const ids = ["pause", "signal", "event", "token", "cancel", "terminate", "reasons", "lost"];
  await Promise.all([
    ...ids.map((id) => startRun(client, "approval", id)),
    startRun(client, "order", "delete"),
    startRun(client, "order", "resumed"),
    startRun(client, "payment", "resume", { input: { cents: 5 } }),
    startRun(client, "booking", "undone"),
  ]);
});

const dialog = (page: Page): Locator => page.getByRole("dialog");

/** Opens the form of an action with keys and a click. */
async function openForm(runId: string, action: string): Promise<Page> {
  const page = await dashboard.open(`/ui/runs/${runId}`);
  await page.getByRole("heading", { name: runId }).waitFor();
  await page.keyboard.press(".");
  await dialog(page).getByRole("button", { name: action, exact: true }).click();
  return page;
}

/** Sends the form, and returns the request as it was sent and as it was shown. */
async function send(page: Page, name: string): Promise<{ readonly sent: string; readonly shown: string }> {
  const shown = (await dialog(page).getByLabel("The request as HTTP").textContent()) ?? "";
  const sent = page.waitForRequest((request) => request.method() !== "GET");
  await dialog(page).getByRole("button", { name, exact: true }).click();
  return { sent: textOf(await sent), shown: shown.trim() };
}

function textOf(request: Request): string {
  const body: unknown = JSON.parse(request.postData() ?? "null");
  const { pathname } = new URL(request.url());
  return `${request.method()} ${pathname}${body === null ? "" : `\n\n${JSON.stringify(body, null, 2)}`}`;
}

async function journalOf(client: Client, runId: string): Promise<readonly JournalEntry[]> {
  const entries: JournalEntry[] = [];
  for await (const entry of client.run(runId).journal()) entries.push(entry);
  return entries;
}

describe("the forms", () => {
  test.each(["deliverSignal", "deliverEvent"] as const)(
    "ACT2 ACT3 %s suggests the name, and may be sent again",
    async (kind) => {
      const isSignal = kind === "deliverSignal";
      const [runId, action, name] = isSignal
        ? ["signal", "Deliver signal", "approve"]
        : ["event", "Deliver event", "document.signed"];
      const page = await openForm(runId, action);
      await dialog(page).getByRole("button", { name }).click();
      await dialog(page).getByLabel("Payload").fill('{ "ok": tru }');
      await dialog(page).getByText("Line 1, column 9").waitFor();
      await dialog(page).getByLabel("Payload").fill('{ "ok": true }');
      const { sent, shown } = await send(page, action);
      expect(sent).toBe(shown);
      await expect.poll(() => isInView(dialog(page).getByText("Resolved: a wait took it."))).toBe(true);
      await send(page, "Send again");
      await dialog(page).getByText("Duplicate: a request with this id was accepted before.").waitFor();
      await dialog(page).getByRole("button", { name: "New request" }).click();
      await send(page, action);
      await dialog(page).getByText("Buffered: no wait is open for it").waitFor();
    },
  );

  test("ACT2 a token is chosen, and its answer resolves it", async () => {
    const page = await openForm("token", "Answer token");
    await expect.poll(() => dialog(page).getByLabel("Token").inputValue()).not.toBe("");
    await dialog(page).getByLabel("Answer").fill("[1]");
    const { sent, shown } = await send(page, "Answer token");
    expect(sent).toBe(shown);
    await dialog(page).getByText("Resolved: a wait took it.").waitFor();
  });

  test("ACT1 ACT2 pause and unpause: the list is disabled with the reason of the server, and follows the run", async () => {
    const page = await openForm("pause", "Pause");
    await dialog(page).getByLabel("Reason").fill("lunch");
    const { sent, shown } = await send(page, "Pause");
    expect(sent).toBe(shown);
    await dialog(page).getByText("Pause: accepted.").waitFor();
    await dialog(page).getByRole("button", { name: "All actions" }).click();
    const pause = dialog(page).getByRole("button", { name: "Pause", exact: true });
    await expect.poll(() => pause.getAttribute("aria-disabled")).toBe("true");
    await dialog(page).getByText('Run "pause" is already paused.').waitFor();
    await dialog(page).getByText("was not paused by an error, so it cannot be retried").waitFor();
    await closeDialog(page);
    // The reason of the run has the action that helps.
    await page.getByText(": lunch").waitFor();
    await page.getByRole("button", { name: "Unpause" }).click();
    expect((await send(page, "Unpause")).sent).toMatch("POST /api/runs/pause/unpause");
    await dialog(page).getByText("Unpause: accepted.").waitFor();
    await closeDialog(page);
    await page.getByText('Waits for signal "approve".').waitFor();
  });

  test("ACT2 ACT4 cancel says what is undone, terminate needs a reason, and delete leaves the page", async () => {
    const page = await openForm("cancel", "Cancel");
    await dialog(page).getByText("No completed step declares a compensation").waitFor();
    expect((await send(page, "Cancel")).sent).toMatch("POST /api/runs/cancel/cancel");
    await dialog(page).getByText("Cancel: accepted.").waitFor();
    // The journal continues: what it holds now is not what the request did.
    expect(await dialog(page).getByLabel("What is undone").count()).toBe(0);

    const other = await openForm("terminate", "Terminate");
    await dialog(other).getByRole("button", { name: "Terminate", exact: true }).click();
    await dialog(other).getByText("A reason is needed").waitFor();
    await dialog(other).getByLabel("Reason").fill("stuck");
    const { sent, shown } = await send(other, "Terminate");
    expect(sent).toBe(shown);
    await dialog(other).getByText("Terminate: accepted.").waitFor();

    const gone = await openForm("delete", "Delete");
    await dialog(gone).getByText("entries of the journal").waitFor();
    expect((await send(gone, "Delete")).sent).toBe("DELETE /api/runs/delete");
    await gone.waitForURL("**/ui/runs");
  });

  test("ACT2 ACT4 resume shows what executes again, takes an input and a result, and links to the new run", async () => {
    const page = await openForm("resume", "Resume");
    const preview = dialog(page).getByLabel("What the new run does");
    await preview.getByText("Executes again: 1").waitFor();
    await preview.getByText("Is kept: 1").waitFor();
    await dialog(page).getByRole("button", { name: "Edit the input of this run" }).click();
    await dialog(page).getByLabel("Other input").fill('{ "cents": 7 }');
    await dialog(page).getByLabel("Give the result of a step").selectOption("charge");
    await dialog(page).getByLabel("Result of charge").fill('{ "id": "ch_1" }');
    await preview.getByText("Gets the result above: 1").waitFor();
    const { sent, shown } = await send(page, "Resume");
    expect(sent).toBe(shown);
    await dialog(page).getByText("Started: ").waitFor();
    await dialog(page).getByRole("link").click();
    await page.getByText("Resumed from").waitFor();
    await page.getByText("The run ended: completed.").waitFor();
  });

  test.each([
    ["resumed", "reserve stock"],
    ["resumed", "charge card"],
    ["resumed", "print label"],
    ["resumed", "ship"],
    ["undone", "charge card"],
    ["undone", "book flight"],
  ])("ACT4 the preview of a resume of %s from %s is what the new run executes", async (runId, name) => {
    const client = dashboard.server.client();
    const parent = client.run(runId);
    const plan = planOf(await journalOf(client, runId), { name, occurrence: 0 }, new Set());
    const run = await parent.resume({ resumeFromStep: name });
    const { createdAt } = await run.ended();
    const journal = await journalOf(client, run.id);
    const isExecuted = ({ kind, name: step }: { readonly kind: string; readonly name: string }): boolean =>
      journal.some(
        ({ operation, startedAt }) =>
          operation.kind === kind && operation.name === step && Number(startedAt) >= createdAt,
      );
    const steps = plan.filter(({ kind }) => kind === "step");
    expect(steps.map((step) => [step.name, step.fate])).toEqual(
      steps.map((step) => [step.name, isExecuted(step) ? "again" : "kept"]),
    );
    expect(steps.some(({ fate }) => fate === "again")).toBe(true);
  });

  test("ACT3 a request whose answer was lost may be sent again, and counts once", async () => {
    const page = await openForm("lost", "Deliver signal");
    await dialog(page).getByLabel("Name of the signal").fill("approve");
    await page.route("**/signals", async (route) => {
      await route.fetch();
      await route.abort();
    });
    await dialog(page).getByRole("button", { name: "Deliver signal", exact: true }).click();
    await dialog(page).getByText("There was no answer").waitFor();
    await page.unroute("**/signals");
    await send(page, "Send again");
    await dialog(page).getByText("Nothing happened twice.").waitFor();
    dashboard.takeProblems();
  });

  test("ACT1 ACT2 what a caller may not do is shown with the reason", async () => {
    const page = await dashboard.open("/ui/runs/reasons", { as: "reader" });
    await page.getByRole("button", { name: "Actions" }).click();
    await expect.poll(() => dialog(page).locator('[aria-disabled="true"]').count()).toBe(10);
    await dialog(page).getByText('POST /api/runs/reasons/pause needs the scope "operate"').waitFor();
  });

  test("ACT2 a page whose files are gone says so when its actions are opened", async () => {
    const page = await dashboard.open("/ui/runs/reasons");
    await page.getByRole("heading", { name: "reasons" }).waitFor();
    await page.route("**/ui/assets/*", (route) => route.abort());
    await page.getByRole("button", { name: "Actions" }).click();
    await page.getByRole("alert").filter({ hasText: "A part of this page cannot be loaded" }).waitFor();
    dashboard.takeProblems();
  });

  test("ACT2 the copied lines name the token by its variable", async () => {
    const page = await openForm("reasons", "Deliver signal");
    await dialog(page).getByLabel("Name of the signal").fill("approve");
    await page.evaluate(() => {
      const copied: string[] = [];
      Object.assign(globalThis, { copied });
      navigator.clipboard.writeText = async (text) => void copied.push(text);
    });
    await dialog(page).getByRole("button", { name: "Copy as curl" }).click();
    await dialog(page).getByText("Copied").first().waitFor();
    await dialog(page).getByRole("button", { name: "Copy as command" }).click();
    await expect.poll(() => page.evaluate(() => Reflect.get(globalThis, "copied").length)).toBe(2);
    const [curl, command] = (await page.evaluate(() => Reflect.get(globalThis, "copied"))) as string[];
    expect(curl).toMatch(/^curl -X POST http:\S+\/api\/runs\/reasons\/signals .*\n.*Bearer \$TOKEN"/);
    expect(command).toMatch(/^npx holdfast signal --delivery-id=\w+ --url=\S+ -- reasons approve$/);
  });

  test("ACT2 the dialog is free of faults that axe-core finds, keeps the focus, and gives it back", async () => {
    const page = await dashboard.open("/ui/runs/reasons", { bypassCSP: true });
    await page.getByRole("button", { name: "Actions" }).click();
    await dialog(page).getByRole("button", { name: "Pause", exact: true }).waitFor();
    await dashboard.expectAccessible(page);
    for (const action of ["Deliver signal", "Answer token", "Cancel"]) {
      await dialog(page).getByRole("button", { name: action, exact: true }).click();
      await dialog(page).getByRole("button", { name: "All actions" }).waitFor();
      await dashboard.expectAccessible(page);
      await dialog(page).getByRole("button", { name: "All actions" }).click();
    }
    await page.keyboard.press("Escape");
    expect(await focused(page)).toBe("Actions");
  });
});
