/**
 * Asks of one test: each test has an assignee of its own, by which it filters the list, so that it sees its own asks only.
 */
import type { Locator, Page } from "playwright-core";
import { beforeEach } from "vitest";
import type { Dashboard } from "./dashboard.ts";
import { startRun } from "./runs.ts";

interface Question {
  readonly title: string;
  readonly timeout?: string | number;
  readonly [field: string]: unknown;
}

export const CHOICES = [
  { label: "Approve", value: { approved: true } },
  { label: "Reject", value: { approved: false } },
];

/** Call it at the top level of a file. */
export function useAsks(dashboard: Dashboard): Asks {
  const asks = new Asks(dashboard);
  beforeEach(({ task }) => {
    asks.me = `role:${task.id}`;
  });
  return asks;
}

class Asks {
  me = "";
  readonly #dashboard: Dashboard;
  #runs = 0;

  constructor(dashboard: Dashboard) {
    this.#dashboard = dashboard;
  }

  /** Starts a run that asks everything at a time, and returns its id. */
  async ask(...questions: readonly Question[]): Promise<string> {
    const id = `run-${++this.#runs}`;
    const asks = questions.map((question) => ({ assignees: [this.me], ...question }));
    await startRun(this.#dashboard.server.client(), "asking", id, { input: { asks } });
    return id;
  }

  /** Opens the list of the asks of this test. */
  open(options: Parameters<Dashboard["open"]>[1] = {}): Promise<Page> {
    return this.#dashboard.open(`/ui/approvals?assignee=${encodeURIComponent(this.me)}`, options);
  }

  outputOf(runId: string): Promise<unknown> {
    return this.#dashboard.server.client().run(runId).result();
  }

  /** Answers the first ask of a run as another caller, whose name is dora. */
  async answerElsewhere(runId: string, value: unknown): Promise<void> {
    const run = this.#dashboard.server.client("deliverer").run(runId);
    const { pendingWaitpoints } = await run.get();
    await run.resolveToken(String(pendingWaitpoints[0]?.meta["tokenId"]), value);
  }
}

export function row(page: Page, name: string): Locator {
  return page
    .getByRole("listitem")
    .filter({ has: page.getByRole("button", { name }) })
    .first();
}
