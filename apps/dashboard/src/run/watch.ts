/**
 * Keeps the data of a run's page current (LIVE2).
 *
 * Owns: when the record and the journal are read: at first, after events of the run's stream at a bounded rate, and now and
 * then, because the reasons of children change without an event of the run. An event says that something changed, and never
 * what: the data comes from one place, so that nothing is missing and nothing is there twice.
 */
import { type RunRecord, isTerminal } from "@holdfast/workflows/client";
import { browserHost } from "../live/browser-host.ts";
import { RunFollower } from "../live/follow.ts";
import { Refresher } from "../live/refresher.ts";
import { api } from "../session.ts";
import type { RunData } from "./run-data.ts";

/** The pause before a read without a reason, ms. It is shorter for a run that waits for a child. */
const CHECK_MS = 30_000;
const CHECK_CHILD_MS = 8_000;

/** Keeps the data current. Returns the function that ends that. */
export function watchRun(data: RunData): () => void {
  const watch = new RunWatch(data);
  return () => watch.stop();
}

const isHidden = (): boolean => document.hidden;

class RunWatch {
  readonly #data: RunData;
  readonly #ended = new AbortController();
  readonly #refresher: Refresher;
  readonly #follower: RunFollower;
  #isFollowed = false;
  #check: ReturnType<typeof setTimeout> | undefined;

  constructor(data: RunData) {
    this.#data = data;
    const changed = (): void => this.changed();
    data.changed = changed;
    this.#refresher = new Refresher({ read: () => this.#read(), isHidden, random: Math.random });
    const onState = (state: RunData["live"]["value"]): void => {
      data.live.value = state;
    };
    this.#follower = new RunFollower({ ...browserHost(data.id), onState, onEvents: changed, onCheck: changed });
    const { signal } = this.#ended;
    document.addEventListener("visibilitychange", () => this.#visibilityChanged(), { signal });
    addEventListener("online", () => this.#follower.online(), { signal });
    changed();
  }

  changed(): void {
    this.#refresher.request();
  }

  stop(): void {
    this.#ended.abort();
    this.#refresher.stop();
    this.#follower.stop();
    clearTimeout(this.#check);
  }

  #visibilityChanged(): void {
    this.#follower.visibilityChanged();
    if (!this.#isOver()) this.#refresher.visibilityChanged();
    else if (!document.hidden) void this.#readOlder();
  }

  #isOver(): boolean {
    const { value } = this.#data.record;
    return value !== undefined && isTerminal(value.status);
  }

  async #read(): Promise<"done" | "retry" | "stop"> {
    const { signal } = this.#ended;
    try {
      const { record, journal } = this.#data;
      // The reasons of children may take seconds: the page shows what it has before.
      const isFirst = record.value === undefined;
      if (isFirst) await Promise.all([this.#readRecord(undefined), journal.readNewer(signal)]);
      if (!isFirst || !this.#isOver()) await this.#readRecord("deep");
      // The record is older than the journal, so an ended record has a whole journal.
      await journal.readNewer(signal);
    } catch (error) {
      if (signal.aborted) return "stop";
      return this.#data.failed(error) ? "retry" : "stop";
    }
    this.#data.failure.value = undefined;
    this.#follow(this.#data.record.value);
    void this.#readOlder();
    return "done";
  }

  async #readRecord(why: "deep" | undefined): Promise<void> {
    const { id, record } = this.#data;
    record.value = await api().run(id).get({ why, signal: this.#ended.signal });
  }

  #follow(record: RunRecord | undefined): void {
    clearTimeout(this.#check);
    if (record === undefined || isTerminal(record.status)) {
      this.#follower.stop();
      this.#data.live.value = "ended";
      return;
    }
    const hasChild = record.pendingWaitpoints.some(({ kind }) => kind === "RUN");
    this.#check = setTimeout(() => this.changed(), hasChild ? CHECK_CHILD_MS : CHECK_MS);
    this.#follower.notEnded();
    if (this.#isFollowed) return;
    this.#isFollowed = true;
    this.#follower.start();
  }

  async #readOlder(): Promise<void> {
    const { journal } = this.#data;
    try {
      await journal.readOlder(this.#ended.signal, () => journal.hasRoom() && !document.hidden);
    } catch (error) {
      // The note about the failure has the same button as the count of what is not loaded.
      if (!this.#ended.signal.aborted) this.#data.failed(error);
    }
  }
}
