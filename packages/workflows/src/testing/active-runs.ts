/**
 * The runs of a world with many runs.
 *
 * Owns: which runs a step of virtual time looks at: those that can still do something by themselves. A run that a message
 * reaches is looked at again.
 */
import type { MemoryHost } from "./memory-host/memory-host.ts";

export class ActiveRuns extends Map<string, MemoryHost> {
  readonly #active = new Map<MemoryHost, MemoryHost>();

  override set(id: string, host: MemoryHost): this {
    for (const one of this.#active.keys()) if (isOver(one)) this.#active.delete(one);
    this.#active.set(host, host);
    return super.set(id, host);
  }

  override get(id: string): MemoryHost | undefined {
    const host = super.get(id);
    if (host !== undefined) this.#active.set(host, host);
    return host;
  }

  override values(): MapIterator<MemoryHost> {
    return this.#active.values();
  }

  /** All runs, in the order of their creation. */
  all(): MapIterator<MemoryHost> {
    return super.values();
  }
}

/** Whether the run has ended, and has nothing to send, store or delete. */
function isOver(run: MemoryHost): boolean {
  return run.triggered && run.ended && run.store.alarm === null && run.store.losable === 0;
}
