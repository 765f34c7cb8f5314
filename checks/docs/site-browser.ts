/**
 * The built site in a real browser, without a server: each request is answered with a file of its folder.
 *
 * Owns: the open page, of which there is one, and the rules of axe-core: contrast, names, and the order of headings.
 * Landmarks and widgets are those of VitePress.
 */
import { readFileSync } from "node:fs";
import { extname, join } from "node:path";
import axe, { type RunOptions } from "axe-core";
import type { Browser, BrowserContext, BrowserContextOptions, Page } from "playwright-core";
import { startBrowser } from "../../apps/dashboard/test/browser/harness/find-browser.ts";
import { runAxe } from "../../apps/dashboard/test/browser/harness/problems.ts";

const ORIGIN = "http://site.test";
const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
  ".woff2": "font/woff2",
};

const CONTRAST: RunOptions = { runOnly: ["color-contrast"] };
const ALL: RunOptions = {
  runOnly: { type: "tag", values: ["cat.color", "cat.name-role-value", "cat.text-alternatives"] },
  rules: { "heading-order": { enabled: true }, "color-contrast-enhanced": { enabled: false } },
};

export class SiteBrowser {
  readonly #folder: string;
  #browser: Browser | undefined;
  #context: BrowserContext | undefined;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async start(executablePath: string): Promise<void> {
    this.#browser = await startBrowser(executablePath);
  }

  async stop(): Promise<void> {
    await this.#browser?.close();
  }

  /** Opens the page at a path without `.html`, and closes the one that was open. */
  async open(path: string, options: BrowserContextOptions = {}): Promise<Page> {
    if (this.#browser === undefined) throw new Error("The browser is not started.");
    await this.#context?.close();
    this.#context = await this.#browser.newContext({
      viewport: { width: 1280, height: 800 },
      // Colours change at once.
      reducedMotion: "reduce",
      colorScheme: "light",
      ...options,
    });
    await this.#context.route("**/*", (route) => {
      const { origin, pathname } = new URL(route.request().url());
      if (origin !== ORIGIN) return route.abort();
      const body = readFileSync(join(this.#folder, pathname));
      return route.fulfill({ body, contentType: TYPES[extname(pathname)] ?? "text/plain" });
    });
    const page = await this.#context.newPage();
    await page.goto(`${ORIGIN}/${path}.html`);
    return page;
  }
}

/** Returns what axe-core finds in both themes, a line for each element. */
export async function findFaults(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe.source);
  const light = await runAxe(page, ALL);
  await page.emulateMedia({ colorScheme: "dark" });
  await page.locator("html.dark").waitFor();
  // The themes differ in colours only.
  const dark = await runAxe(page, CONTRAST);
  return [...light.map((line) => `light: ${line}`), ...dark.map((line) => `dark: ${line}`)];
}
