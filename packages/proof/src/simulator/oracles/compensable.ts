/**
 * Oracle on completed steps: the journal knows whether a step declares a compensation (COMP1).
 *
 * Owns: the declarations of the program. The compensations themselves are checked against the journal.
 */
import type { Commit, Requested, Watcher } from "./watcher.ts";

export class Compensable implements Watcher {
  readonly findings: string[] = [];
  readonly #declared = new Map<string, boolean>();

  requested(runId: string, op: string, what: Requested): void {
    if (what.kind === "step") this.#declared.set(`${runId} ${op}`, what.compensable);
  }

  committed(runId: string, { entries }: Commit): void {
    for (const entry of entries) {
      const declared = this.#declared.get(`${runId} ${entry.op}`);
      if (entry.type !== "step.completed" || declared === undefined) continue;
      if ((entry.compensable ?? false) !== declared)
        this.findings.push(`${runId}: the journal has ${entry.op} as ${declared ? "not " : ""}compensable`);
    }
  }
}
