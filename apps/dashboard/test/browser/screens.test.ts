/**
 * Pictures of each page in both themes, as a telephone, a laptop and a large screen show them: docs/images/dashboard.
 *
 * Data, clock and time zone are fixed, and so is the font where the browser is that of the lockfile. After a change of a
 * page, write them with `UPDATE_SCREENSHOTS=1` and look at them. A failed comparison writes the picture to the temporary
 * folder.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { useDashboard } from "./harness/dashboard.ts";
import { fixAnswers } from "./screens/answers.ts";
import { type FixedRuns, fixedRuns } from "./screens/fixed-runs.ts";
import { PICTURE, differenceOf, takePicture } from "./screens/pictures.ts";

const dashboard = useDashboard();
const FOLDER = join(import.meta.dirname, "../../../../docs/images/dashboard");
const BYTES_MAX = 40_000;
/** The part of a picture that may differ: other fonts make other line ends. */
const DIFFERENCE_MAX = 0.06;
const SIZES = { 390: 844, 1280: 800, 1920: 1080 };

let runs: FixedRuns;
dashboard.before(async () => {
  runs = await fixedRuns();
});

interface Screen {
  readonly name: string;
  readonly path: string;
  /** A text that is there when the page is complete. */
  readonly text: string;
}

const SCREENS: readonly Screen[] = [
  { name: "runs", path: "/ui/runs", text: "payout-5521" },
  { name: "run", path: "/ui/runs/journey-7?op=step%2F0%2Fcharge+card", text: "The bank does not answer." },
  { name: "run-waiting", path: "/ui/runs/journey-8", text: "Note for the traveller" },
  { name: "workflows", path: "/ui/workflows", text: "Asks an office for a visa." },
  { name: "start", path: "/ui/start?like=journey-8", text: "Books a journey" },
  { name: "compare", path: "/ui/compare?a=journey-7&b=journey-8", text: "charge card" },
  { name: "limit", path: "/ui/limits/customer/c-42", text: "order-8814" },
  { name: "schedule", path: "/ui/schedules/nightly", text: "sch_nightly_m_01KB" },
  { name: "event", path: "/ui/events/hook_stripe_evt_1Q", text: "data.cents gte 100000" },
  { name: "approvals", path: "/ui/approvals", text: "Publish release 4.2?" },
];

test("a page without its styles, or of another theme, is noticed", async () => {
  const canvas = await dashboard.open("/ui/none", { bypassCSP: true });
  const page = await dashboard.open("/ui/runs", { prepare: (one) => fixAnswers(one, runs) });
  await page.getByText("payout-5521").waitFor();
  await settle(page);
  const before = await page.screenshot(PICTURE);
  expect(await differenceOf(canvas, before, await page.screenshot(PICTURE))).toBeLessThan(DIFFERENCE_MAX / 10);
  await page.emulateMedia({ colorScheme: "dark" });
  expect(await differenceOf(canvas, before, await page.screenshot(PICTURE))).toBeGreaterThan(0.5);
  await page.emulateMedia({ colorScheme: "light" });
  await page.locator("link[rel=stylesheet]").evaluate((link) => link.remove());
  expect(await differenceOf(canvas, before, await page.screenshot(PICTURE))).toBeGreaterThan(2 * DIFFERENCE_MAX);
});

test.each(SCREENS)("the pictures of the page $name are as in the documents", async ({ name, path, text }) => {
  const canvas = await dashboard.open("/ui/none", { bypassCSP: true });
  let unknown: readonly string[] = [];
  const page = await dashboard.open(path, {
    colorScheme: "light",
    timezoneId: "UTC",
    locale: "en",
    prepare: async (one) => (unknown = await fixAnswers(one, runs)),
  });
  for (const colorScheme of ["light", "dark"] as const) {
    if (colorScheme === "dark") {
      await page.emulateMedia({ colorScheme });
      await page.reload();
    }
    await page.getByText(text).first().waitFor();
    for (const [width, height] of Object.entries(SIZES)) {
      await page.setViewportSize({ width: Number(width), height });
      await settle(page);
      await expectPicture(page, canvas, `${name}-${width}-${colorScheme}.png`);
    }
  }
  expect(unknown).toEqual([]);
});

/** Waits until the page has drawn itself for its size. */
async function settle(page: Page): Promise<void> {
  await page.evaluate(
    () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => resolve(undefined)))),
  );
}

async function expectPicture(page: Page, canvas: Page, file: string): Promise<void> {
  const path = join(FOLDER, file);
  if (process.env["UPDATE_SCREENSHOTS"] === "1") {
    mkdirSync(FOLDER, { recursive: true });
    writeFileSync(path, await takePicture(page, canvas, BYTES_MAX));
    return;
  }
  const picture = await page.screenshot(PICTURE);
  const difference = existsSync(path) ? await differenceOf(canvas, picture, readFileSync(path)) : 1;
  const seen = join(tmpdir(), file);
  if (difference > DIFFERENCE_MAX) writeFileSync(seen, picture);
  expect(difference, `The page differs from docs/images/dashboard/${file}: see ${seen}`).toBeLessThan(DIFFERENCE_MAX);
}
