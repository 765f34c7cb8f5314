/** Every page in both themes: nothing that axe-core finds. */
import { expect, test } from "vitest";
import { useDashboard } from "./harness/dashboard.ts";
import { PAGES } from "./harness/pages.ts";
import { accessibilityProblems } from "./harness/problems.ts";
import { startKinds } from "./harness/runs.ts";

const dashboard = useDashboard();

dashboard.before((server) => startKinds(server.client()));

test.each(PAGES)("axe-core finds nothing in %s in either theme", async (path, text) => {
  const page = await dashboard.open(path, { bypassCSP: true });
  await page.getByText(text).first().waitFor();
  await dashboard.expectAccessible(page);
});

test("axe-core finds nothing in the panel that asks for a token", async () => {
  const page = await dashboard.open("/ui/runs", { bypassCSP: true, as: null });
  await page.getByRole("dialog", { name: "Sign in" }).waitFor();
  await dashboard.expectAccessible(page);
});

test("axe-core finds a fault that is there", async () => {
  const page = await dashboard.open("/ui/none", { bypassCSP: true });
  await page.getByRole("heading").evaluate((heading) => {
    heading.insertAdjacentHTML("afterend", "<button></button><p class=muted>faint</p>");
    heading.parentElement?.querySelector<HTMLElement>(".muted")?.style.setProperty("color", "#777e");
  });
  const found = await accessibilityProblems(page);
  expect(found.map((line) => line.split(": ", 2).join(" "))).toEqual([
    "light button-name",
    "light color-contrast",
    "dark color-contrast",
  ]);
});
