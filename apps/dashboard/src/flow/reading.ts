/**
 * What a page of limits, schedules or events reads, kept current.
 *
 * Owns: the value that is shown. The answer of an action takes the place of the value, and a reading that began before it
 * changes nothing.
 */
import { type Signal, signal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { type Failure, failureOf } from "../failure.tsx";
import { keepCurrent } from "../keep-current.ts";
import { session } from "../session.ts";

const EVERY_MS = 5_000;

type Read<T> = (signal: AbortSignal) => Promise<T>;

export class Reading<T> {
  readonly value: Signal<T | undefined> = signal(undefined);
  readonly failure: Signal<Failure | undefined> = signal(undefined);
  readonly #read: Read<T>;
  #changes = 0;

  constructor(read: Read<T>) {
    this.#read = read;
  }

  /** Returns the function that ends it. */
  watch(): () => void {
    return keepCurrent(EVERY_MS, this.failure, (ended) => this.#refresh(ended));
  }

  /** Reads once more, now. */
  async again(): Promise<void> {
    try {
      await this.#refresh(AbortSignal.timeout(20_000));
    } catch (error) {
      this.failure.value = failureOf(error);
    }
  }

  /** Shows what an action answered. */
  take(value: T): void {
    this.#changes += 1;
    this.value.value = value;
    this.failure.value = undefined;
  }

  async #refresh(ended: AbortSignal): Promise<void> {
    const before = ++this.#changes;
    const value = await this.#read(ended);
    if (before === this.#changes) this.take(value);
  }
}

/** `of`: with another one, something else is read. */
export function useReading<T>(read: Read<T>, of: readonly unknown[]): Reading<T> {
  const reading = useMemo(() => new Reading(read), of);
  useEffect(() => reading.watch(), [reading, session.value]);
  return reading;
}

/** The first entries of a list. */
export interface Listed<T> {
  readonly entries: readonly T[];
  readonly hasMore: boolean;
}

/** Reads at most `most` entries of a list. */
export async function firstOf<T>(list: AsyncIterable<T>, most: number): Promise<Listed<T>> {
  const entries: T[] = [];
  for await (const entry of list) {
    if (entries.length === most) return { entries, hasMore: true };
    entries.push(entry);
  }
  return { entries, hasMore: false };
}
