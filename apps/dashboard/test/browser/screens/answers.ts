/**
 * The API of the pictures: it answers each request of a page with fixed data.
 *
 * Owns: the routes that pages use. A request that none of them answers fails the test.
 */
import type { Page, Route } from "playwright-core";
import { FIXED_ASKS } from "./fixed-asks.ts";
import { FIXED_EVENT, FIXED_LIMIT, FIXED_SCHEDULE } from "./fixed-flow.ts";
import { NOW } from "./fixed-clock.ts";
import type { FixedRuns } from "./fixed-runs.ts";

type Answer = object | undefined;

/** Fixes the answers and the clock of a page. */
export async function fixAnswers(page: Page, runs: FixedRuns): Promise<readonly string[]> {
  const unknown: string[] = [];
  await page.clock.setFixedTime(NOW);
  // The first message follows a connection at once, and is the last one.
  await page.routeWebSocket("**/api/**", (socket) => socket.send(JSON.stringify({ events: [] })));
  await page.route("**/api/**", (route) => answerTo(route, runs, unknown));
  return unknown;
}

function answerTo(route: Route, runs: FixedRuns, unknown: string[]): Promise<void> {
  const request = route.request();
  const { pathname, searchParams } = new URL(request.url());
  const answer = ROUTES.flatMap(([pattern, make]) => {
    const match = pattern.exec(`${request.method()} ${pathname}`);
    return match === null ? [] : [make(runs, decodeURIComponent(match[1] ?? ""), searchParams)];
  })[0];
  if (answer !== undefined) return route.fulfill({ json: answer });
  unknown.push(`${request.method()} ${pathname}`);
  return route.fulfill({ status: 404, json: { error: "not_found", message: "There is no fixed answer." } });
}

const WORKFLOWS = {
  workflows: [
    { id: "import", version: "1", description: "Reads the files of a customer into the catalogue." },
    {
      id: "invoice",
      version: "3",
      description: "Makes an invoice, sends it, and waits for the payment.",
      tags: ["billing"],
    },
    { id: "journey", description: "Books a journey, waits for people, and undoes the bookings if the payment fails." },
    {
      id: "order",
      version: "12",
      description: "Takes an order, charges the card, and ships it.",
      timeoutMs: 604_800_000,
    },
    { id: "order", version: "11", description: "Takes an order, charges the card, and ships it." },
    { id: "visa", description: "Asks an office for a visa." },
  ],
};

const COUNTS = {
  workflows: [
    {
      workflowId: "order",
      runs: { completed: 118_204, waiting: 37, running: 12, compensated: 96, cancelled: 41, failed: 8 },
    },
    { workflowId: "journey", runs: { waiting: 6, completed: 311, compensated: 9 } },
    { workflowId: "import", runs: { paused: 1, completed: 88, pending: 2 } },
  ],
  unread: 0,
};

const ROUTES: readonly (readonly [RegExp, (runs: FixedRuns, id: string, query: URLSearchParams) => Answer])[] = [
  [/^GET \/api\/runs$/, listOf],
  [/^GET \/api\/runs\/([^/]+)$/, ({ byId }, id) => byId.get(id)?.run],
  [/^GET \/api\/runs\/([^/]+)\/journal$/, journalOf],
  [/^GET \/api\/runs\/([^/]+)\/audit$/, ({ audit }) => ({ entries: audit })],
  [/^GET \/api\/counts$/, () => COUNTS],
  [/^GET \/api\/workflows$/, () => WORKFLOWS],
  [/^GET \/api\/approvals$/, () => ({ approvals: FIXED_ASKS, nextCursor: null })],
  [/^GET \/api\/limits\/customer\/c-42$/, () => FIXED_LIMIT],
  [/^GET \/api\/schedules\/nightly$/, () => FIXED_SCHEDULE],
  [/^GET \/api\/events\/hook_stripe_evt_1Q$/, () => FIXED_EVENT],
  [/^POST \/api\/tickets$/, () => ({ ticket: "ticket", expiresAt: NOW + 60_000, url: "" })],
];

function listOf({ list }: FixedRuns, _id: string, query: URLSearchParams): Answer {
  const parent = query.get("parentRunId");
  if (parent === null) return { runs: list, nextCursor: "more" };
  return { runs: list.filter((run) => run.parent?.runId === parent), nextCursor: null };
}

function journalOf({ byId }: FixedRuns, id: string, query: URLSearchParams): Answer {
  const { entries = [] } = byId.get(id) ?? {};
  if (query.get("order") === "desc") return { entries: entries.toReversed(), nextAfter: null, nextBefore: null };
  return { entries: entries.filter(({ seq }) => seq > Number(query.get("after") ?? 0)), nextAfter: null };
}
