/**
 * Reads the open asks over all runs.
 */
import { api } from "../session.ts";
import type { ReadAsks } from "./approval-list.ts";
import type { OpenAsk } from "./approval.ts";

/** Asks that one request returns at most. */
const PAGE_MAX = 200;

export function asksFor(assignee: string | undefined): ReadAsks {
  return async (limit, signal) => {
    const asks: OpenAsk[] = [];
    // One more than is shown shows whether there are more.
    for await (const ask of api().approvals({ assignee, limit: Math.min(limit + 1, PAGE_MAX), signal })) {
      if (asks.length === limit) return { asks, hasMore: true };
      asks.push(ask);
    }
    return { asks, hasMore: false };
  };
}
