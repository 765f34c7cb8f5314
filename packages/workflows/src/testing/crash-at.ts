/**
 * A crash at one write to the journal, counted over all runs of a world.
 *
 * Owns: the count of writes. A crash before a write loses it. A crash after a write leaves it durable, but its caller
 * gets no answer.
 */
import { JOURNAL_PREFIX } from "@holdfast/orchestrator";
import type { JournalEntry } from "@holdfast/protocol";
import { SimulatedCrash } from "./memory-host/faults.ts";
import type { MemoryHost } from "./memory-host/memory-host.ts";

export interface Crash {
  /** 1 for the first write. */
  readonly atWrite: number;
  readonly side: "before" | "after";
}

export class CrashAt {
  readonly #crash: Crash | undefined;
  /** The first entry of each write so far. */
  readonly writes: JournalEntry[] = [];
  happened = false;

  constructor(crash: Crash | undefined) {
    this.#crash = crash;
  }

  /** Adds a host whose writes are counted. */
  watch(host: MemoryHost): void {
    const { beforeCommit, afterCommit } = host.store;
    let strikes = false;
    const strike = (): never => {
      this.happened = true;
      host.crash();
      throw new SimulatedCrash();
    };
    host.store.beforeCommit = (batch) => {
      beforeCommit(batch);
      const entry = [...batch.puts].find(([key]) => key.startsWith(JOURNAL_PREFIX))?.[1];
      if (entry !== undefined) this.writes.push(entry as JournalEntry);
      strikes = entry !== undefined && !this.happened && this.writes.length === this.#crash?.atWrite;
      if (strikes && this.#crash?.side === "before") strike();
    };
    host.store.afterCommit = (batch) => {
      afterCommit(batch);
      if (strikes) strike();
    };
  }
}
