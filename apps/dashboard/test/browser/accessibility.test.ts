/** Every page in both themes: nothing that axe-core finds. */
import { expect, test } from "vitest";
import { useDashboard } from "./harness/dashboard.ts";
import { accessibilityProblems } from "./harness/problems.ts";
import { startKinds } from "./harness/runs.ts";

const dashboard = useDashboard();

dashboard.before((server) => startKinds(server.client()));

/** The path of each page, and the text that it shows when it is complete. */
const PAGES = [
  ["/ui/runs", "Waits for a signal"],
  ["/ui/runs?q=status%3Anone", "There is no status"],
  ["/ui/runs?q=tag%3Anone", "No run matches"],
  ["/ui/runs/order", "print label"],
  ["/ui/runs/payment?op=step%2F0%2Fcharge", "The bank does not answer."],
  ["/ui/runs/family", "approval"],
  ["/ui/runs/order?tab=journal", "step.completed"],
  ["/ui/runs/order?tab=data", "Output"],
  ["/ui/runs/order?tab=audit", "trigger"],
  ["/ui/runs/order?tab=raw", "Download record and journal"],
  ["/ui/runs/none", "There is no run with this id"],
  ["/ui/none", "There is no page here"],
] as const;

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
