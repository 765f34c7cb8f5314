/**
 * The numbers of the runs in the index, kept current.
 */
import { type ReadonlySignal, signal } from "@preact/signals";
import type { CountsAnswer } from "@holdfast/workflows/client";
import { failureOf, isLasting } from "../failure.tsx";
import { poll } from "../poll.ts";
import { api } from "../session.ts";

/** The index counts again after this time. */
const EVERY_MS = 15_000;

const answered = signal<CountsAnswer | undefined>(undefined);
export const counts: ReadonlySignal<CountsAnswer | undefined> = answered;

/** Keeps the numbers current. Returns the function that ends it. */
export function watchCounts(): () => void {
  return poll(EVERY_MS, async (ended) => {
    try {
      answered.value = await api().counts({ signal: ended });
      return true;
    } catch (error) {
      // The list itself reports what is wrong.
      if (ended.aborted) return false;
      if (!isLasting(failureOf(error))) throw error;
      // The chips are links without numbers.
      answered.value = undefined;
      return false;
    }
  });
}
