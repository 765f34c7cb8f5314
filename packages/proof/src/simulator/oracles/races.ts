/**
 * Oracle on races: after the first outcome of a member no other member takes a delivery or times out (WAIT11).
 *
 * Owns: the members of the races that the programs requested, and which member was first.
 */
import { isOutcome } from "@holdfast/protocol";
import type { Commit, Requested, Watcher } from "./watcher.ts";

interface Race {
  readonly ops: readonly string[];
  winner: string | undefined;
}

export class Races implements Watcher {
  readonly findings: string[] = [];
  /** The races of each run, by their members. */
  readonly #races = new Map<string, Map<string, Race>>();

  requested(runId: string, _op: string, what: Requested): void {
    if (what.kind !== "race") return;
    const races = this.#races.get(runId) ?? new Map<string, Race>();
    this.#races.set(runId, races);
    const key = what.ops.join();
    if (!races.has(key)) races.set(key, { ops: what.ops, winner: undefined });
  }

  committed(runId: string, { entries }: Commit): void {
    for (const entry of entries) {
      if (!isOutcome(entry)) continue;
      for (const race of this.#races.get(runId)?.values() ?? []) {
        if (!race.ops.includes(entry.op)) continue;
        race.winner ??= entry.op;
        const lost = race.winner !== entry.op && (entry.type === "wait.resolved" || entry.type === "wait.timed_out");
        if (lost) this.findings.push(`${runId}: ${entry.op} ended after it had lost a race to ${race.winner}`);
      }
    }
  }
}
