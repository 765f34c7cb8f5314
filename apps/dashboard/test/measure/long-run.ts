/**
 * `pnpm --filter @holdfast/dashboard measure`: how fast the page of a run with 100,000 journal entries is.
 *
 * Owns: the measurement, on real workerd and in a real browser. It prints the time from the first answer with entries to the
 * first frame that shows rows, the same for all entries, and the frames a second while it scrolls. The numbers depend on the
 * machine, so no test compares them: they count on a machine that does nothing else.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Page } from "playwright-core";
import { findBrowser, startBrowser } from "../browser/harness/find-browser.ts";
import { Server } from "../browser/harness/server.ts";
import { writeWorker } from "../browser/harness/write-worker.ts";

const STEPS = Number(process.argv[2] ?? 99_900);
const LOAD_MS_MAX = 180_000;

const folder = mkdtempSync(join(tmpdir(), "holdfast-measure-"));
const server = new Server({ access: "open" });
const browserPath = await findBrowser();
if (browserPath === undefined) throw new Error("There is no browser.");
const browser = await startBrowser(browserPath);
try {
  await writeWorker(folder);
  await server.start(folder);
  await writeRun();
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  await page.addInitScript(noteFirstRow);
  await page.goto(`${server.url}/ui/runs/many`);
  await page.getByRole("treeitem").first().waitFor();
  print("first frame with rows, after the first entries arrived", await firstFrameMs(page), "ms");
  print("elements of the page", await page.locator("#app *").count());
  print("all entries loaded after", await loadAll(page), "ms");
  print("elements of the page", await page.locator("#app *").count());
  const { frames, longestMs } = await scroll(page);
  print("frames a second while it scrolls", frames);
  print("longest frame", longestMs, "ms");
} finally {
  await browser.close();
  await server.dispose();
  rmSync(folder, { recursive: true, force: true });
}

function print(what: string, amount: number, unit = ""): void {
  console.log(`${what.padEnd(60)} ${Math.round(amount).toLocaleString("en").padStart(9)} ${unit}`);
}

async function writeRun(): Promise<void> {
  const client = server.client();
  await client.trigger("many", { steps: STEPS }, { runId: "many" });
  for (const end = Date.now() + LOAD_MS_MAX; Date.now() < end; await delay(200))
    if ((await client.run("many").get()).status === "waiting") return;
  throw new Error("The run did not write its steps in time.");
}

/** Executes in the page before its code. */
function noteFirstRow(): void {
  const observer = new MutationObserver(() => {
    if (document.querySelector("[role=treeitem]") === null) return;
    observer.disconnect();
    // The second callback is after the paint of the frame.
    requestAnimationFrame(() => requestAnimationFrame(() => performance.mark("first row")));
  });
  observer.observe(document, { childList: true, subtree: true });
}

async function firstFrameMs(page: Page): Promise<number> {
  await page.waitForFunction(() => performance.getEntriesByName("first row").length > 0);
  return page.evaluate(() => {
    const journal = performance
      .getEntriesByType("resource")
      .find(({ name }) => /\/journal/.test(name)) as PerformanceResourceTiming;
    return (performance.getEntriesByName("first row")[0]?.startTime ?? 0) - journal.responseEnd;
  });
}

/** Asks for earlier entries until there are none. Returns the time since the page was opened. */
async function loadAll(page: Page): Promise<number> {
  const more = page.getByRole("button", { name: /^Load (?:more|all)/ });
  const summary = page.locator(".tl-summary");
  for (const end = Date.now() + LOAD_MS_MAX; Date.now() < end; await delay(20)) {
    if ((await more.count()) > 0)
      await more
        .first()
        .click({ timeout: 1_000 })
        .catch(() => undefined);
    else if ((await summary.innerText()).includes((STEPS + 1).toLocaleString("en"))) break;
  }
  return page.evaluate(() => performance.now());
}

/** Scrolls 40 pixels a frame for three seconds. */
function scroll(page: Page): Promise<{ readonly frames: number; readonly longestMs: number }> {
  return page.locator(".tl-scroll").evaluate(async (element) => {
    const frame = (): Promise<number> => new Promise((resolve) => requestAnimationFrame(resolve));
    element.scrollTop = 0;
    const start = await frame();
    let [frames, last, longestMs] = [0, start, 0];
    while (last - start < 3_000) {
      element.scrollTop += 40;
      const now = await frame();
      longestMs = Math.max(longestMs, now - last);
      last = now;
      frames++;
    }
    return { frames: (frames * 1_000) / (last - start), longestMs };
  });
}
