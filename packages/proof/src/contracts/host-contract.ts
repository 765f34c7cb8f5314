/**
 * The host suite: runs every catalogue entry on one kind of host, without faults and with a crash at each write.
 *
 * Owns: the tests. Register it from a test file: `hostContract("in memory", openHost)`.
 */
import { expect, test } from "vitest";
import {
  type CatalogueEntry,
  type Crash,
  type OpenedHost,
  differences,
  journalDifferences,
  runEntry,
  slugOf,
} from "../catalogue/index.ts";

export interface HostContractOptions {
  readonly entries: readonly CatalogueEntry[];
  readonly open: (crash: Crash | undefined) => Promise<OpenedHost>;
  /** Distinguishes the run ids of this suite. */
  readonly prefix: string;
  /** The entries that also run with crashes. Default: all. */
  readonly crashing?: readonly CatalogueEntry[];
  /** The sides of a write on which the host crashes. Default: both. */
  readonly sides?: readonly Crash["side"][];
}

/** The bound on crashes per entry. Every catalogue entry needs fewer writes. */
const WRITES_MAX = 60;

export function hostContract(name: string, options: HostContractOptions): void {
  const { entries, open, prefix, crashing = entries, sides = ["before", "after"] } = options;
  test.each(entries)(`$title (${name})`, async (entry) => {
    const host = await open(undefined);
    try {
      const result = await runEntry(host, entry, `${prefix}-${slugOf(entry)}`);
      expect(differences([entry.outcome], result)).toEqual([]);
      expect(journalDifferences(entry, result)).toEqual([]);
    } finally {
      await host.close();
    }
  });

  test.each(crashing)(`DUR4 with a crash at every write to the journal: $title (${name})`, async (entry) => {
    const allowed = [entry.outcome, ...(entry.orAfterCrash ?? [])];
    for (const side of sides) {
      for (let atWrite = 1; atWrite <= WRITES_MAX; atWrite++) {
        const host = await open({ atWrite, side });
        try {
          const result = await runEntry(host, entry, `${prefix}-${side}-${atWrite}-${slugOf(entry)}`);
          expect([side, atWrite, differences(allowed, result), result.journal]).toEqual([
            side,
            atWrite,
            [],
            result.journal,
          ]);
          if (!host.crashed()) break;
        } finally {
          await host.close();
        }
      }
    }
  });
}
