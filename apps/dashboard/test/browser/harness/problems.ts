/**
 * What must not happen in any page: an error, a violation of the policy, code of a payload, a request to another host.
 *
 * Owns: what counts. A test that expects one of them takes it out of the list.
 */
import axe, { type RunOptions } from "axe-core";
import type { BrowserContext, ConsoleMessage, Page } from "playwright-core";

/** Chromium reports each answer from 400 on. Tests look at what the page makes of it. */
const EXPECTED = /^Failed to load resource|ERR_CONNECTION_REFUSED|^WebSocket connection to /;

export interface Problems {
  readonly found: string[];
}

/** Watches all pages of a context, from before their code executes. */
export async function watchProblems(context: BrowserContext, origin: () => string): Promise<Problems> {
  const found: string[] = [];
  const add = (what: string): void => void found.push(what.slice(0, 1_000));
  context.on("console", (message: ConsoleMessage) => {
    if (message.type() === "error" && !EXPECTED.test(message.text())) add(`console: ${message.text()}`);
  });
  context.on("weberror", (error) => add(`error: ${error.error().stack ?? error.error().message}`));
  context.on("dialog", (dialog) => {
    add(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  context.on("request", (request) => {
    const url = new URL(request.url());
    if (url.origin !== origin() && !/^(?:data|blob):$/.test(url.protocol)) add(`request to another host: ${url.href}`);
    if (/token-\d/.test(request.url())) add(`secret in a URL: ${url.href}`);
  });
  context.on("page", (page) =>
    page.on("websocket", (socket) => {
      if (new URL(socket.url()).host !== new URL(origin()).host) add(`socket to another host: ${socket.url()}`);
    }),
  );
  await context.addInitScript(() => {
    addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI, sample }) =>
      console.error(`policy violated: ${violatedDirective} by ${blockedURI} ${sample}`),
    );
    Object.assign(globalThis, { pwned: () => console.error("A payload executed.") });
  });
  return { found };
}

/** Returns what axe-core finds in the page in both themes, a line for each element. */
export async function accessibilityProblems(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe.source);
  const found: string[] = [];
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    // The page of a public link has no script, and follows the browser at once.
    const isShown = page.locator(`:root[data-theme="${colorScheme}"], :root:not([data-theme])`);
    await isShown.waitFor({ state: "attached" });
    // The themes differ in colours only.
    const lines = await runAxe(page, colorScheme === "light" ? {} : { runOnly: ["color-contrast"] });
    found.push(...lines.map((line) => `${colorScheme}: ${line}`));
  }
  return found;
}

/** Returns what axe-core finds in a page that has its source, a line for each element. */
export function runAxe(page: Page, options: RunOptions): Promise<readonly string[]> {
  return page.evaluate(async (of) => {
    const { axe: inPage } = globalThis as unknown as { readonly axe: typeof axe };
    const { violations } = await inPage.run(document, { resultTypes: ["violations"], ...of });
    return violations.flatMap(({ id, nodes }) =>
      nodes.map(({ target, failureSummary }) => `${id}: ${target.join(" ")}: ${failureSummary}`),
    );
  }, options);
}
