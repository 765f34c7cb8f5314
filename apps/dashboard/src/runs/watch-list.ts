/**
 * Keeps the list of runs current.
 *
 * Owns: when it is read: every five seconds while the page is visible.
 */
import { type Signal, signal } from "@preact/signals";
import { type Failure, failureOf } from "../failure.tsx";
import { poll } from "../poll.ts";
import { api } from "../session.ts";
import { PAGE, type RunList } from "./run-list.ts";

const EVERY_MS = 5_000;

export class ListWatch {
  readonly list: RunList;
  readonly failure: Signal<Failure | undefined> = signal(undefined);
  readonly isLoading: Signal<boolean> = signal(false);

  constructor(list: RunList) {
    this.list = list;
  }

  /** Returns the function that ends it. */
  start(): () => void {
    return poll(EVERY_MS, async (ended) => {
      try {
        const { filter, limit } = this.list;
        this.list.takeNewest(await api().list({ ...filter, limit, signal: ended }));
        this.failure.value = undefined;
        return true;
      } catch (error) {
        if (ended.aborted) return false;
        const failure = failureOf(error);
        if (failure.status !== 401) this.failure.value = failure;
        if (failure.status === 401 || failure.status === 403 || failure.status === 501) return false;
        throw error;
      }
    });
  }

  async more(): Promise<void> {
    const { filter, cursor } = this.list;
    if (cursor.value === null || this.isLoading.value) return;
    this.isLoading.value = true;
    try {
      this.list.takeOlder(await api().list({ ...filter, limit: PAGE, cursor: cursor.value }));
    } catch (error) {
      this.failure.value = failureOf(error);
    }
    this.isLoading.value = false;
  }
}
