/**
 * The in-memory host as the contract suite drives it: virtual time, exact crashes.
 */
import { describeRun, readInput } from "@holdfast/orchestrator";
import type { Workflow } from "@holdfast/workflows";
import { MemoryHost, SimulatedCrash, type VirtualClock } from "@holdfast/workflows/testing";
import type { Crash, OpenedHost, RunRecord } from "./play.ts";

export interface MemoryContractOptions {
  readonly workflows: readonly Workflow[];
  readonly clock: VirtualClock;
  /** Executions are at the other end of a pipe. */
  readonly remote?: boolean;
  readonly crash: Crash | undefined;
}

export function openMemoryHost({ workflows, clock, remote = false, crash }: MemoryContractOptions): OpenedHost {
  let host: MemoryHost | undefined;
  const theHost = (): MemoryHost => {
    if (host === undefined) throw new Error("assertion: the run was not triggered");
    return host;
  };
  const crashing = new CrashAt(crash);
  return {
    crashed: () => crashing.happened,
    async trigger(runId, workflowId, input, timeoutMs) {
      const faults = { remote: () => remote };
      host = new MemoryHost({ workflows, clock, runId, faults, onCreate: (one) => crashing.watch(one) });
      host.trigger(workflowId, input, timeoutMs === undefined ? {} : { timeoutMs });
      await host.settle();
    },
    read: async () => recordOf(theHost()),
    journal: async () => theHost().journal.map(({ type, op }) => `${type} ${op}`),
    async deliver(_runId, kind, name, payload, deliveryId) {
      theHost().deliver(kind, name, payload, deliveryId);
      await theHost().settle();
    },
    async resolveToken(_runId, tokenId, payload) {
      theHost().resolveToken(tokenId, payload);
      await theHost().settle();
    },
    async cancel(_runId, reason) {
      theHost().cancel(reason);
      await theHost().settle();
    },
    async operate(_runId, operation) {
      theHost().operate(operation);
      await theHost().settle();
    },
    tick: () =>
      theHost()
        .next()
        .then(() => {}),
    wait: (ms) => theHost().advance(ms),
    close: () => Promise.resolve(),
  };
}

/** Drops everything but the store, once, at a certain write to a journal. */
class CrashAt {
  readonly #crash: Crash | undefined;
  #writes = 0;
  happened = false;

  constructor(crash: Crash | undefined) {
    this.#crash = crash;
  }

  watch(host: MemoryHost): void {
    const { beforeCommit, afterCommit } = host.store;
    let strikes = false;
    const strike = (): void => {
      this.happened = true;
      host.crash();
      throw new SimulatedCrash();
    };
    host.store.beforeCommit = (batch) => {
      beforeCommit(batch);
      if ([...batch.puts.keys()].some((key) => key.startsWith("journal/"))) this.#writes += 1;
      strikes = !this.happened && this.#writes === this.#crash?.atWrite;
      if (strikes && this.#crash?.side === "before") strike();
    };
    host.store.afterCommit = (batch) => {
      afterCommit(batch);
      if (strikes) strike();
    };
  }
}

function recordOf(memory: MemoryHost): RunRecord {
  const { header, journal, host } = memory;
  const record = describeRun(header, readInput(host.state, header), journal, host.stepsInProgress(), () => 0);
  return JSON.parse(JSON.stringify(record)) as RunRecord;
}
