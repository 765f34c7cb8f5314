/**
 * A dashboard in a real browser, on real workerd, for the tests of one file.
 *
 * How to write a test: a file `apps/dashboard/test/browser/<page>.test.ts` with
 *
 *     const dashboard = useDashboard();
 *     dashboard.before((server) => startRun(server.client(), "order", "order-1"));
 *     test("DASH1 the list opens a run", async () => {
 *       const page = await dashboard.open("/ui/runs");
 *       await page.getByRole("link", { name: "order-1" }).click();
 *       await page.getByRole("heading", { name: "order-1" }).waitFor();
 *     });
 *
 * `open` gives a page of a context of its own, which is signed in as `ada` unless the test says otherwise. Locators wait by
 * themselves, for at most `WAIT_MS`; `expect.poll` waits for anything else. No test sleeps. `workflows.ts` has a workflow
 * for each kind of run; add one if you need another kind. Run one file with
 * `pnpm exec vitest run --project browser apps/dashboard/test/browser/<page>.test.ts`.
 *
 * Owns: the server and the browser of the file, and the contexts of each test. After each test it closes the pages, and
 * fails the test if a page had one of the problems of `problems.ts`.
 */
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, BrowserContext, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, inject } from "vitest";
import { startBrowser } from "./find-browser.ts";
import { type Problems, accessibilityProblems, watchProblems } from "./problems.ts";
import { type Caller, Server, type ServerOptions, TOKENS } from "./server.ts";

/** How long a locator waits. */
export const WAIT_MS = 10_000;
const START_MS_MAX = 60_000;

interface OpenOptions extends BrowserContextOptions {
  /** Default: `ada`. `null`: nobody is signed in. */
  readonly as?: Caller | null;
  /** Called before the page is opened: routes, clocks. */
  readonly prepare?: (page: Page) => Promise<unknown>;
}

export interface Dashboard {
  readonly server: Server;
  /** Prepares the file: as `beforeAll`, but not where there is no browser. */
  before(prepare: (server: Server) => Promise<unknown>): void;
  /** Returns what pages of this test did that they must not do, and forgets it: for a test that expects something. */
  takeProblems(): readonly string[];
  open(path: string, options?: OpenOptions): Promise<Page>;
  /** Fails if axe-core finds anything in either theme. The page needs the option `bypassCSP`. */
  expectAccessible(page: Page): Promise<void>;
}

/** Call it at the top level of a file. */
export function useDashboard(options: ServerOptions = {}): Dashboard {
  const file = new FileDashboard(options);
  beforeAll(() => file.start(), START_MS_MAX);
  afterAll(() => file.stop());
  beforeEach((test) => {
    if (inject("browser") === "") test.skip("There is no browser.");
  });
  afterEach(async ({ task }) => {
    if (task.result?.state === "fail") await file.showPages();
    await file.endTest();
  });
  return file;
}

class FileDashboard implements Dashboard {
  readonly server: Server;
  #browser: Browser | undefined;
  #contexts: BrowserContext[] = [];
  #watched: Problems[] = [];

  constructor(options: ServerOptions) {
    this.server = new Server(options);
  }

  takeProblems(): readonly string[] {
    return this.#watched.flatMap(({ found }) => found.splice(0));
  }

  async start(): Promise<void> {
    if (inject("browser") === "") return;
    [this.#browser] = await Promise.all([startBrowser(inject("browser")), this.server.start(inject("workerFolder"))]);
  }

  before(prepare: (server: Server) => Promise<unknown>): void {
    beforeAll(async () => {
      if (inject("browser") !== "") await prepare(this.server);
    }, START_MS_MAX);
  }

  async stop(): Promise<void> {
    await this.#browser?.close();
    await this.server.dispose();
  }

  /** Prints what the pages of a failed test show. */
  async showPages(): Promise<void> {
    for (const page of this.#contexts.flatMap((context) => context.pages())) {
      const picture = join(tmpdir(), `holdfast-failure-${Date.now()}.png`);
      await page.screenshot({ path: picture }).catch(() => undefined);
      const shown = await page.locator("body").ariaSnapshot({ timeout: 1_000 }).catch(String);
      console.log(`${page.url()}, as in ${picture}:\n${shown.slice(0, 3_000)}`);
    }
  }

  async endTest(): Promise<void> {
    const found = this.takeProblems();
    for (const context of this.#contexts) await context.close();
    [this.#contexts, this.#watched] = [[], []];
    expect(found, "A page must not do this").toEqual([]);
  }

  async open(path: string, { as = "ada", prepare, ...options }: OpenOptions = {}): Promise<Page> {
    if (this.#browser === undefined) throw new Error("The browser is not started.");
    const context = await this.#browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
    context.setDefaultTimeout(WAIT_MS);
    this.#contexts.push(context);
    this.#watched.push(await watchProblems(context, () => this.server.url));
    if (as !== null) await context.addInitScript(signIn, TOKENS[as]);
    const page = await context.newPage();
    await prepare?.(page);
    await page.goto(this.server.url + path);
    return page;
  }

  async expectAccessible(page: Page): Promise<void> {
    expect((await accessibilityProblems(page)).join("\n")).toBe("");
  }
}

/** Executes in the page, once for each tab: a page that is loaded again keeps its token, or has none after a sign-out. */
function signIn(token: string): void {
  if (location.protocol !== "http:" || sessionStorage.getItem("test.signedIn") !== null) return;
  sessionStorage.setItem("test.signedIn", "");
  sessionStorage.setItem("holdfast.token", token);
}
