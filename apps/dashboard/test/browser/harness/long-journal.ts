/**
 * Answers the requests for the journal of a run as if it had very many entries: to write them takes longer than a test may.
 *
 * Owns: the pages. Each entry is a copy of one that the server wrote. The record and everything else come from the server.
 */
import type { Page, Route } from "playwright-core";
import type { Client, JournalEntry } from "@holdfast/workflows/client";

/** The entries of one answer, unless the request wants fewer: as the server has it. */
const PAGE_MAX = 1_000;

/** Returns the last completed step of a run, for the copies. */
export async function templateOf(client: Client, runId: string): Promise<JournalEntry> {
  let template: JournalEntry | undefined;
  for await (const entry of client.run(runId).journal()) if (entry.type === "step.completed") template = entry;
  if (template === undefined) throw new Error(`The run ${runId} has no completed step.`);
  return template;
}

export async function answerLongJournal(page: Page, template: JournalEntry, count: number): Promise<void> {
  await page.route(/\/api\/runs\/[^/]+\/journal/, (route) => answer(route, template, count));
}

function answer(route: Route, template: JournalEntry, count: number): Promise<void> {
  const { searchParams } = new URL(route.request().url());
  const limit = Math.min(PAGE_MAX, Number(searchParams.get("limit") ?? PAGE_MAX));
  const isNewestFirst = searchParams.get("order") === "desc";
  const first = isNewestFirst
    ? Number(searchParams.get("before") ?? count + 1) - 1
    : Number(searchParams.get("after") ?? 0) + 1;
  const step = isNewestFirst ? -1 : 1;
  const last = isNewestFirst ? Math.max(1, first - limit + 1) : Math.min(count, first + limit - 1);
  const entries = [];
  for (let seq = first; isNewestFirst ? seq >= last : seq <= last; seq += step) entries.push(entryOf(template, seq));
  const isLast = isNewestFirst ? last <= 1 : last >= count;
  const next = isLast ? null : last;
  const pages = isNewestFirst ? { nextAfter: null, nextBefore: next } : { nextAfter: next };
  return route.fulfill({ json: { entries, ...pages } });
}

function entryOf(template: JournalEntry, seq: number): object {
  const { at, operation } = template;
  const name = `step ${seq}`;
  return {
    ...template,
    seq,
    nth: seq,
    at: at + seq * 20,
    startedAt: at + seq * 20 - 15,
    operation: { ...operation, name },
  };
}
