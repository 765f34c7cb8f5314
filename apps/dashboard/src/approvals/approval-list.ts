/**
 * The open asks that the page shows, kept current.
 *
 * Owns: the rows. While an ask is open on the page, no row is added or removed, so that nothing moves under the reader: new
 * asks are counted, and those that are closed say why in their place. Otherwise new asks appear where their deadline puts
 * them, and closed ones leave after a while.
 *
 * Invariants
 * - LIST1 An ask that this page saw closed does not come back: the index may still list it for a moment.
 * - LIST2 A row that is missing in what was read leaves only if what was read reaches beyond it, and its run says why.
 */
import { type ReadonlySignal, type Signal, computed, signal } from "@preact/signals";
import { serverNow } from "../clock.ts";
import { type Failure, failureOf } from "../failure.tsx";
import { keepCurrent } from "../keep-current.ts";
import { type OpenAsk, compareAsks, keyOf } from "./approval.ts";
import type { AskState } from "./ask-state.ts";
import { askStateOf } from "./ask-states.ts";
import { EXPIRED, whyGone } from "./why-closed.ts";

const EVERY_MS = 5_000;
const PAGE = 50;
/** How long a closed ask says why. */
const SHOWN_MS = 10_000;
/** Reasons that are looked up after one reading. */
const LOOKUPS = 5;

/** Reads up to so many asks, and whether there are more. */
export type ReadAsks = (
  limit: number,
  ended: AbortSignal,
) => Promise<{ readonly asks: readonly OpenAsk[]; readonly hasMore: boolean }>;

export class ApprovalList {
  readonly rows: Signal<readonly AskState[] | undefined> = signal(undefined);
  /** New asks, which wait until the reader closes the one that is open. */
  readonly fresh: Signal<readonly OpenAsk[]> = signal([]);
  readonly hasMore: Signal<boolean> = signal(false);
  readonly failure: Signal<Failure | undefined> = signal(undefined);
  readonly count: ReadonlySignal<number> = computed(
    () => (this.rows.value ?? []).filter(({ isOpen }) => isOpen).length + this.fresh.value.length,
  );
  /** The key of the row that has the focus: it does not leave. */
  focused: string | undefined;
  /** The key of the ask that is open on the page. */
  #held: string | undefined;
  #limit = PAGE;
  readonly #read: ReadAsks;
  readonly #closed = new Set<string>();

  constructor(read: ReadAsks) {
    this.#read = read;
  }

  /** Returns the function that ends it. */
  watch(): () => void {
    return keepCurrent(EVERY_MS, this.failure, (ended) => this.refresh(ended));
  }

  async refresh(ended: AbortSignal): Promise<void> {
    const { asks, hasMore } = await this.#read(this.#limit, ended);
    this.failure.value = undefined;
    const gone = this.take(asks, hasMore);
    // The others are looked up after the next reading.
    for (const state of gone.slice(0, LOOKUPS)) {
      const why = await whyGone(state.ask.value, ended);
      if (why !== undefined) state.close(why);
    }
  }

  /** Loads asks with later deadlines. */
  async more(): Promise<void> {
    this.#limit += PAGE;
    try {
      await this.refresh(AbortSignal.timeout(20_000));
    } catch (error) {
      this.failure.value = failureOf(error);
    }
  }

  /** Says which ask is open on the page. */
  hold(key: string | undefined): void {
    if (this.#held === key) return;
    this.#held = key;
    if (key === undefined) this.showFresh();
  }

  showFresh(): void {
    this.#show(this.fresh.value);
    this.fresh.value = [];
  }

  find(isThis: (ask: OpenAsk) => boolean): AskState | undefined {
    return this.rows.value?.find(({ ask }) => isThis(ask.value));
  }

  /** Takes what was read, and returns the asks that are open on the page and not in the list. */
  take(asks: readonly OpenAsk[], hasMore: boolean): readonly AskState[] {
    this.hasMore.value = hasMore;
    this.expire();
    const listed = asks.filter((ask) => !this.#closed.has(keyOf(ask)));
    const last = hasMore ? asks.at(-1) : undefined;
    const present = new Set(asks.map(keyOf));
    const isGone = ({ ask, isOpen }: AskState): boolean =>
      isOpen && !present.has(keyOf(ask.value)) && (last === undefined || compareAsks(ask.value, last) <= 0);
    const rows = this.rows.value;
    const gone = (rows ?? []).filter(isGone);
    const known = new Set(rows?.map(({ ask }) => keyOf(ask.value)));
    const fresh = listed.filter((ask) => !known.has(keyOf(ask)));
    if (rows === undefined || this.#held === undefined) this.#show(fresh);
    else this.fresh.value = fresh;
    return gone;
  }

  /** The deadline is the server's; its object refuses every later answer. */
  expire(): void {
    for (const state of this.rows.value ?? []) {
      const { until } = state.ask.value;
      if (until !== undefined && until <= serverNow()) state.close(EXPIRED);
    }
  }

  /** Adds asks, and lets those go that were closed a while ago. */
  #show(fresh: readonly OpenAsk[]): void {
    const rows = this.rows.value ?? [];
    for (const { ask, isOpen } of rows) if (!isOpen) this.#closed.add(keyOf(ask.value));
    const before = Date.now() - SHOWN_MS;
    const stays = ({ ask, isOpen, closedAt }: AskState): boolean =>
      this.#held !== undefined || isOpen || closedAt > before || keyOf(ask.value) === this.focused;
    const stay = rows.filter(stays);
    if (this.rows.value !== undefined && stay.length === rows.length && fresh.length === 0) return;
    this.rows.value = [...stay, ...fresh.map(askStateOf)].toSorted((a, b) => compareAsks(a.ask.value, b.ask.value));
  }
}
