/** The page of a public link with an ask: accessible, and complete without a script. */
import { expect, test } from "vitest";
import { useDashboard } from "./harness/dashboard.ts";
import { startRun } from "./harness/runs.ts";

const dashboard = useDashboard();

let runs = 0;

/** Starts a run that asks the holder of a link. Returns its id and the path of the link. */
async function issue(): Promise<readonly [id: string, path: string]> {
  const id = `link-${++runs}`;
  const { metadata } = await startRun(dashboard.server.client(), "link", id);
  const { pathname } = new URL(String(metadata["url"]), "http://localhost");
  return [id, pathname];
}

test("ASK7 the page of a public link has no fault that axe-core finds, before and after a refused answer", async () => {
  const [, path] = await issue();
  const page = await dashboard.open(path, { as: null, bypassCSP: true });
  await page.getByRole("heading", { name: "Refund order o-1?" }).waitFor();
  await dashboard.expectAccessible(page);
  await page.getByRole("radio", { name: "Yes" }).check();
  await page.getByRole("textbox", { name: "Code" }).fill("X-1");
  await page.getByRole("button", { name: "Send the answer" }).click();
  await page.getByRole("alert").waitFor();
  await dashboard.expectAccessible(page);
});

test("ASK7 a person answers with the keyboard alone, and without a script", async () => {
  const [id, path] = await issue();
  const page = await dashboard.open(path, { as: null, javaScriptEnabled: false });
  await page.keyboard.press("Tab");
  await page.keyboard.press("Space");
  await page.keyboard.press("Tab");
  await page.keyboard.type("X-1");
  await page.keyboard.press("Enter");
  await page.getByRole("alert").waitFor();
  const code = page.getByRole("textbox", { name: "Code" });
  expect(await code.inputValue()).toBe("X-1");
  expect(await code.getAttribute("aria-invalid")).toBe("true");
  expect(await page.getByRole("radio", { name: "Yes" }).isChecked()).toBe(true);
  await code.fill("R-1");
  await code.press("Enter");
  await page.getByRole("heading", { name: "Thank you" }).waitFor();
  expect(await dashboard.server.client().run(id).result()).toEqual({ ok: true, code: "R-1" });
});
