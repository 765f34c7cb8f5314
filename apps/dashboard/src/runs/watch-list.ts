/**
 * Keeps the list of runs current.
 *
 * Owns: when it is read: every five seconds while the page is visible.
 */
import { type Signal, signal } from "@preact/signals";
import { type Failure, failureOf } from "../failure.tsx";
import { keepCurrent } from "../keep-current.ts";
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
    return keepCurrent(EVERY_MS, this.failure, async (ended) => {
      const { filter, limit } = this.list;
      this.list.takeNewest(await api().list({ ...filter, limit, signal: ended }));
      this.failure.value = undefined;
    });
  }

  async more(): Promise<void> {
    const { filter, cursor } = this.list;
    if (cursor.value === null || this.isLoading.value) return;
    this.isLoading.value = true;
    try {
      const after = cursor.value;
      this.list.takeOlder(await api().list({ ...filter, limit: PAGE, cursor: after }), after);
    } catch (error) {
      this.failure.value = failureOf(error);
    }
    this.isLoading.value = false;
  }
}
