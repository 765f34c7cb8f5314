/**
 * Texts of authors and callers that would break a page which treats them as anything but text. After each test the harness
 * fails if any of them executed, violated the policy, or caused a request to another host.
 */
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { useDashboard } from "./harness/dashboard.ts";
import { HOSTILE_TEXTS, hostileValue } from "./harness/hostile-texts.ts";
import { startRun } from "./harness/runs.ts";

const dashboard = useDashboard();
const WORKFLOW = "hostile <img src=x onerror=pwned()>";
const RUN = "<img src=x onerror=pwned()>\u202E\"'&%2F javascript:pwned() __proto__";
const RUN_PATH = `/ui/runs/${encodeURIComponent(RUN)}`;

dashboard.before(async (server) => {
  const client = server.client();
  const tags = HOSTILE_TEXTS.slice(0, 20);
  await startRun(client, WORKFLOW, RUN, { input: { texts: HOSTILE_TEXTS, value: hostileValue() }, tags });
  await Promise.all([
    startRun(client, "huge", "huge"),
    ...["__proto__", "constructor", "javascript:pwned()", "..%2f..", "a?b#c"].map((id) =>
      startRun(client, "order", id),
    ),
  ]);
});

/** Fails unless the page answers to a key, and has no element of a payload. */
async function expectSound(page: Page): Promise<void> {
  const found = await page.evaluate(() => ({
    elements: document.querySelectorAll("#app :is(img, script, iframe, object, [onerror], [onload])").length,
    links: [...document.links].map(({ href }) => new URL(href)).filter(({ origin }) => origin !== location.origin)
      .length,
    polluted: "polluted" in {},
  }));
  expect(found).toEqual({ elements: 0, links: 0, polluted: false });
  await page.keyboard.press("?");
  await page.getByRole("dialog", { name: "Keys" }).waitFor();
  await page.keyboard.press("Escape");
}

test("hostile ids, tags and names are text in the list, and its links open the runs", async () => {
  const page = await dashboard.open("/ui/runs");
  await page.getByRole("link", { name: "<img src=x onerror=pwned()>" }).first().waitFor();
  await expectSound(page);
  for (const id of ["__proto__", "constructor", "javascript:pwned()", "..%2f..", "a?b#c"]) {
    await page.goto(`${dashboard.server.url}/ui/runs`);
    await page.locator("[data-row]").getByText(id, { exact: true }).click();
    await page.getByRole("heading", { name: id, exact: true }).waitFor();
  }
});

test("hostile steps, values, errors and metadata are text on every tab of the run", async () => {
  const page = await dashboard.open(RUN_PATH);
  await page.getByRole("treeitem", { name: "Step <img src=x onerror=pwned()>: completed" }).waitFor();
  const tabs = await page.locator("[data-tab]").allTextContents();
  expect(tabs.length).toBeGreaterThan(4);
  for (const tab of tabs) {
    await page.locator("[data-tab]").getByText(tab, { exact: true }).click();
    await page.getByRole("link", { name: tab, exact: true }).and(page.locator("[aria-current=page]")).waitFor();
    await expectSound(page);
  }
});

test("the details of each hostile step show its value as text, to any depth", async () => {
  const page = await dashboard.open(RUN_PATH);
  const tree = page.getByRole("tree", { name: "Operations of the run" });
  await tree.getByRole("treeitem").first().waitFor();
  await tree.focus();
  for (const text of HOSTILE_TEXTS.slice(0, 8)) {
    await page.getByRole("treeitem", { name: `Step ${text}: completed`, exact: true }).click();
    await page.getByRole("heading", { level: 2, name: text, exact: true }).waitFor();
  }
  await page.getByRole("treeitem", { name: `Step ${HOSTILE_TEXTS[0]}: completed`, exact: true }).click();
  const details = page.getByRole("region", { name: /^Details of/ });
  await details.getByText("wide").waitFor();
  for (let opened = 0; opened < 30; opened++) await details.locator("details:not([open]) > summary").first().click();
  await expectSound(page);
});

test("hidden characters and lone surrogates are shown by their names", async () => {
  const page = await dashboard.open(`${RUN_PATH}?tab=data`);
  await page.getByText("⟨U+202E⟩").first().waitFor();
  const text = await page.locator("#app").innerText();
  for (const hidden of ["\u202E", "\u202C", "\u2066", "\u0000", "\u0007", "\u001B"]) expect(text).not.toContain(hidden);
  expect(text).toContain("\u241B[31mred");
});

test("ten million characters are shown in part, and the page answers within a second", async () => {
  const page = await dashboard.open("/ui/runs/huge?tab=data");
  const all = page.getByRole("button", { name: "Load all 10,000,000 characters" });
  await all.waitFor();
  const ms = await page.evaluate(async () => {
    const before = performance.now();
    await new Promise((resolve) => requestAnimationFrame(resolve));
    return performance.now() - before;
  });
  expect(ms).toBeLessThan(1_000);
  for (const tab of await page.locator("[data-tab]").allTextContents()) {
    await page.locator("[data-tab]").getByText(tab, { exact: true }).click();
    await expectSound(page);
  }
});

test("a hostile search is text, wherever it stands in the address", async () => {
  const page = await dashboard.open("/ui/");
  for (const query of HOSTILE_TEXTS.slice(0, 8)) {
    await page.goto(`${dashboard.server.url}/ui/runs?q=${encodeURIComponent(query)}`);
    await page.getByRole("searchbox").waitFor();
    await expectSound(page);
  }
  await page.goto(`${dashboard.server.url}/ui/runs/%E0%A4%A?tab=%3Cimg%20src=x%20onerror=pwned()%3E&op=%00`);
  await page.getByRole("heading", { level: 1 }).waitFor();
});

test("hostile names are text on the pages of workflows, of a start, of a comparison and of approvals", async () => {
  const [text = ""] = HOSTILE_TEXTS;
  const ask = { title: text, details: HOSTILE_TEXTS.join("\n\n"), assignees: HOSTILE_TEXTS.slice(0, 5) };
  const choices = HOSTILE_TEXTS.slice(0, 6).map((label) => ({ label, value: label }));
  await startRun(dashboard.server.client(), "asking", "asks", { input: { asks: [{ ...ask, choices, risk: "high" }] } });
  const page = await dashboard.open("/ui/workflows");
  const seen = async (path: string, shown: string): Promise<void> => {
    await page.goto(dashboard.server.url + path);
    await page.getByText(shown).first().waitFor();
    await expectSound(page);
  };
  await seen("/ui/workflows", "<script>pwned()</script>");
  await seen(`/ui/start?like=${encodeURIComponent(RUN)}`, "<script>pwned()</script>");
  await seen(`/ui/compare?a=${encodeURIComponent(RUN)}&b=${encodeURIComponent("__proto__")}`, text);
  await seen("/ui/approvals", text);
  await page.getByRole("button", { name: text }).first().click();
  await page.getByRole("button", { name: "javascript:pwned()" }).waitFor();
  await expectSound(page);
});
