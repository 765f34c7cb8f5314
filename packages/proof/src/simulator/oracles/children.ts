/**
 * Oracle on children: each operation that starts a child starts one run, once (CHILD1, CHILD2).
 *
 * Owns: how often each run was created.
 */
import { parseOperationId } from "@holdfast/protocol";
import type { MemoryHost } from "@holdfast/workflows/testing";
import type { Commit, Watcher } from "./watcher.ts";

export class Creations implements Watcher {
  readonly findings: string[] = [];
  readonly #created = new Map<string, number>();

  committed(runId: string, { before, after }: Commit): void {
    if (before !== undefined || after === undefined) return;
    const times = (this.#created.get(runId) ?? 0) + 1;
    this.#created.set(runId, times);
    if (times > 1) this.findings.push(`${runId}: was created ${times} times`);
  }
}

/** Checks all children of a world. */
export function checkChildren(hosts: readonly MemoryHost[]): string[] {
  const byOperation = new Map<string, string>();
  return hosts.flatMap(({ runId, header: { parent } }) => {
    if (parent === undefined) return [];
    const operation = `${parent.runId} ${parent.op}`;
    const other = byOperation.get(operation);
    byOperation.set(operation, runId);
    if (other !== undefined) return [`${operation} started ${other} and ${runId}`];
    const parentHost = hosts.find((one) => one.runId === parent.runId);
    // The parent was deleted, and its detached child continues.
    if (parentHost === undefined) return [];
    const entry = parentHost.journal.find((one) => one.type === "child.started" && one.op === parent.op);
    if (entry?.type === "child.started" && entry.runId === runId) return [];
    return [`${runId} is not the child that ${parseOperationId(parent.op).name} of ${parent.runId} started`];
  });
}
