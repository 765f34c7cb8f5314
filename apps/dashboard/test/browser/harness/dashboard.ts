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
 * `open` gives a page of a context that no other page of the test uses, which is signed in as `ada` unless the test says
 * otherwise. Later tests use the context again, without what a page can store in it. Locators wait by themselves, for at most `WAIT_MS`; `expect.poll` waits for anything else. No test sleeps. `workflows.ts` has a workflow
 * for each kind of run; add one if you need another kind. Run one file with
 * `pnpm exec vitest run --project browser apps/dashboard/test/browser/<page>.test.ts`.
 *
 * Owns: the server and the browser of the file, and the contexts of each test. After each test it closes the pages, and
 * fails the test if a page had one of the problems of `problems.ts`.
 */
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, inject } from "vitest";
import { Contexts } from "./contexts.ts";
import { startBrowser } from "./find-browser.ts";
import { accessibilityProblems } from "./problems.ts";
import { type Caller, Server, type ServerOptions, TOKENS } from "./server.ts";

/** How long a locator waits. */
export const WAIT_MS = 20_000;
const START_MS_MAX = 60_000;

interface OpenOptions extends BrowserContextOptions {
  /** Whether the test changes the context itself later, as its clock. Default: whether there is `prepare`. */
  readonly alone?: boolean;
  /** Default: `ada`. `null`: nobody is signed in. */
  readonly as?: Caller | null;
  /** Called before the page is opened: routes, clocks. No other test uses the context of such a page. */
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
    await file.endTest(task.result?.state !== "fail");
  });
  return file;
}

class FileDashboard implements Dashboard {
  readonly server: Server;
  #browser: Browser | undefined;
  #contexts: Contexts | undefined;

  constructor(options: ServerOptions) {
    this.server = new Server(options);
  }

  takeProblems(): readonly string[] {
    return this.#contexts?.takeProblems() ?? [];
  }

  async start(): Promise<void> {
    if (inject("browser") === "") return;
    [this.#browser] = await Promise.all([startBrowser(inject("browser")), this.server.start(inject("workerFolder"))]);
    this.#contexts = new Contexts(this.#browser, () => this.server.url);
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
    for (const page of this.#contexts?.pages ?? []) {
      const picture = join(tmpdir(), `holdfast-failure-${Date.now()}.png`);
      await page.screenshot({ path: picture }).catch(() => undefined);
      const shown = await page.locator("body").ariaSnapshot({ timeout: 1_000 }).catch(String);
      console.log(`${page.url()}, as in ${picture}:\n${shown.slice(0, 3_000)}`);
    }
  }

  async endTest(hasPassed: boolean): Promise<void> {
    const found = this.takeProblems();
    await this.#contexts?.endTest({ isClean: hasPassed && found.length === 0 });
    expect(found, "A page must not do this").toEqual([]);
  }

  async open(path: string, of: OpenOptions = {}): Promise<Page> {
    const { as = "ada", prepare, alone = prepare !== undefined, ...options } = of;
    if (this.#contexts === undefined) throw new Error("The browser is not started.");
    const context = await this.#contexts.take({ alone, token: as === null ? undefined : TOKENS[as], options });
    context.setDefaultTimeout(WAIT_MS);
    const page = await context.newPage();
    await prepare?.(page);
    await page.goto(this.server.url + path);
    return page;
  }

  async expectAccessible(page: Page): Promise<void> {
    expect((await accessibilityProblems(page)).join("\n")).toBe("");
  }
}
