/**
 * The contexts of a browser, which tests use one after the other: a context with a process of its own for each page costs
 * more than most tests do with it.
 *
 * Owns: which contexts are free, and that nothing of a test is left in them. A page that executes nothing stays in each,
 * so that its process stays; with `--renderer-process-limit=1` the pages of the context share it.
 */
import type { Browser, BrowserContext, BrowserContextOptions, Page } from "playwright-core";
import { type Problems, watchProblems } from "./problems.ts";

interface Opened {
  readonly context: BrowserContext;
  readonly problems: Problems;
  /** Contexts with the same text are alike. */
  readonly kind: string;
  /** Nothing if only one test uses the context. */
  readonly keeper: Page | undefined;
}

export interface ContextOptions {
  /** Whether a test changes the context itself, as its clock: no other test uses it. */
  readonly alone: boolean;
  /** For `sessionStorage`, before any code of a page. */
  readonly token: string | undefined;
  readonly options: BrowserContextOptions;
}

export class Contexts {
  readonly #browser: Browser;
  readonly #origin: () => string;
  #free: Opened[] = [];
  #used: Opened[] = [];

  constructor(browser: Browser, origin: () => string) {
    this.#browser = browser;
    this.#origin = origin;
  }

  /** The pages that the test opened. */
  get pages(): readonly Page[] {
    return this.#used.flatMap(({ context, keeper }) => context.pages().filter((page) => page !== keeper));
  }

  /** Returns a context that no other page of the test uses. */
  async take(of: ContextOptions): Promise<BrowserContext> {
    const kind = JSON.stringify([of.token, of.options]);
    const free = of.alone ? undefined : this.#free.find((one) => one.kind === kind);
    const opened = free ?? (await this.#create(of, kind));
    this.#free = this.#free.filter((one) => one !== free);
    this.#used.push(opened);
    return opened.context;
  }

  async #create({ alone, token, options }: ContextOptions, kind: string): Promise<Opened> {
    const context = await this.#browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
    const problems = await watchProblems(context, this.#origin);
    if (token !== undefined) await context.addInitScript(signIn, token);
    const keeper = alone ? undefined : await context.newPage();
    await keeper?.goto(`${this.#origin()}/ui/assets/none`);
    return { context, problems, kind, keeper };
  }

  takeProblems(): readonly string[] {
    return [...this.#used, ...this.#free].flatMap(({ problems }) => problems.found.splice(0));
  }

  /** Closes the pages of the test. `isClean`: other tests may use its contexts. */
  async endTest({ isClean }: { readonly isClean: boolean }): Promise<void> {
    for (const page of this.pages) await page.close();
    for (const opened of this.#used.splice(0)) {
      const { context, keeper } = opened;
      if (!isClean || keeper === undefined) {
        await context.close();
        continue;
      }
      await keeper.evaluate(() => localStorage.clear());
      await context.clearCookies();
      await context.clearPermissions();
      this.#free.push(opened);
    }
  }
}

/** Executes in the page, once for each tab: a page that is loaded again keeps its token, or has none after a sign-out. */
function signIn(token: string): void {
  if (location.protocol !== "http:" || sessionStorage.getItem("test.signedIn") !== null) return;
  sessionStorage.setItem("test.signedIn", "");
  sessionStorage.setItem("holdfast.token", token);
}
