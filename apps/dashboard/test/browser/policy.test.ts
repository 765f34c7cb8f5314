/** The policy of the pages: each page works within it, and the harness notices what it refuses. */
import { describe, expect, test } from "vitest";
import { useDashboard } from "./harness/dashboard.ts";
import { startKinds } from "./harness/runs.ts";

const dashboard = useDashboard();

dashboard.before((server) => startKinds(server.client()));

test("code, styles and requests that the policy refuses are noticed", async () => {
  const page = await dashboard.open("/ui/runs/order");
  await page.getByRole("treeitem").first().waitFor();
  await page.evaluate(() => {
    document.body.insertAdjacentHTML("beforeend", "<img src=https://example.com/a.png><p style='color:red'></p>");
    const script = document.createElement("script");
    script.textContent = "pwned()";
    document.body.append(script);
    void fetch("https://example.com/").catch(() => undefined);
  });
  const seen: string[] = [];
  await expect
    .poll(() => {
      seen.push(...dashboard.takeProblems());
      return ["img-src", "script-src-elem", "style-src-attr", "connect-src"].filter(
        (directive) => !seen.some((line) => line.includes(`policy violated: ${directive}`)),
      );
    })
    .toEqual([]);
  expect(seen.join("\n")).not.toContain("A payload executed");
});

describe("the policy is on every answer", () => {
  test.each(["/ui/", "/ui/runs", "/ui/runs/order", "/ui/none"])("%s", async (path) => {
    const { headers } = await fetch(dashboard.server.url + path);
    expect(headers.get("Content-Security-Policy")).toMatch(/^default-src 'none'; script-src 'self'; style-src 'self'/);
    expect(headers.get("Referrer-Policy")).toBe("no-referrer");
  });
});

test("a page that the reader uses from end to end violates nothing, in either theme", async () => {
  const page = await dashboard.open("/ui/");
  await page.getByRole("button", { name: "Use the dark theme" }).click();
  await page.locator("[data-row]").getByText("family", { exact: true }).click();
  await page.getByRole("treeitem", { name: "Child run order: completed" }).click();
  await page.locator(".tl-fold").first().click();
  await page.getByRole("treeitem", { name: "Step ship: completed" }).click();
  for (const name of ["Clock times", "UTC", "Collapse idle time", "Zoom in", "Zoom out", "Fit the whole run", "Table"])
    await page.getByRole("toolbar", { name: "Timeline" }).getByRole("button", { name, exact: true }).click();
  for (const tab of await page.locator("[data-tab]").allTextContents()) {
    await page.locator("[data-tab]").getByText(tab, { exact: true }).click();
    await page.locator("[aria-current=page]").getByText(tab, { exact: true }).waitFor();
  }
  await page.getByRole("button", { name: "Use the light theme" }).click();
  // The harness reports each violation after the test.
  expect(await page.evaluate(() => document.styleSheets.length)).toBe(1);
});
