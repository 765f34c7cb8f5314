/**
 * How many asks are open, beside the link to their page: those of the reader's assignee, if there is one, else all.
 *
 * Owns: when they are counted. The page of approvals reports what it reads anyway; the list of runs reads once a minute
 * while it is visible; other pages read nothing.
 */
import { type Signal, signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { JSX } from "preact";
import { failureOf, isLasting } from "../failure.tsx";
import { poll } from "../poll.ts";
import { route } from "../router.ts";
import { session } from "../session.ts";
import { mine } from "./mine.ts";
import { asksFor } from "./read-asks.ts";

const EVERY_MS = 60_000;
const COUNT_MAX = 99;

const count: Signal<number | undefined> = signal(undefined);

/** Takes the count of a list that was read for this assignee. */
export function reportCount(assignee: string | undefined, open: number): void {
  if (assignee === mine.value) count.value = open;
}

export function NavCount(): JSX.Element | null {
  const reads = route.value.page === "runs";
  useEffect(() => (reads ? watch() : undefined), [reads, session.value, mine.value]);
  if (count.value === undefined || count.value === 0) return null;
  const text = count.value > COUNT_MAX ? `${COUNT_MAX}+` : count.value;
  return (
    <span class="nav-count">
      <span aria-hidden="true">{text}</span>
      <span class="hidden-text">, {text} open</span>
    </span>
  );
}

function watch(): () => void {
  return poll(EVERY_MS, async (ended) => {
    try {
      const { asks } = await asksFor(mine.value)(COUNT_MAX + 1, ended);
      count.value = asks.length;
      return true;
    } catch (error) {
      // There is no index, or the reader may not read: the page of approvals says so.
      if (ended.aborted || isLasting(failureOf(error))) return false;
      throw error;
    }
  });
}
