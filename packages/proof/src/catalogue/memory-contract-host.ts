/**
 * Adapts the in-memory host to the contract suite: virtual time, and a crash at an exact write.
 */
import { describeRun, readInput } from "@holdfast/orchestrator";
import type { Workflow } from "@holdfast/workflows";
import { type Crash, CrashAt, MemoryHost, type VirtualClock } from "@holdfast/workflows/testing";
import type { ContractHost, OpenedHost, RunRecord } from "./run-entry.ts";

export interface MemoryContractOptions {
  readonly workflows: readonly Workflow[];
  readonly clock: VirtualClock;
  /** Executions run at the other end of a pipe. */
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
    ...contractHostOf(theHost),
    crashed: () => crashing.happened,
    async trigger(runId, workflowId, input, timeoutMs) {
      const faults = { remote: () => remote };
      host = new MemoryHost({ workflows, clock, runId, faults, onCreate: (one) => crashing.watch(one) });
      host.trigger(workflowId, input, timeoutMs === undefined ? {} : { timeoutMs });
      await host.settle();
    },
    close: () => Promise.resolve(),
  };
}

/** Returns the port through which `runEntry` drives an existing run. */
export function contractHostOf(theHost: () => MemoryHost): ContractHost {
  const after = async (act: (host: MemoryHost) => unknown): Promise<void> => {
    act(theHost());
    await theHost().settle();
  };
  return {
    trigger: () => theHost().settle(),
    read: async () => recordOf(theHost()),
    journal: async () => theHost().journal.map(({ type, op }) => `${type} ${op}`),
    deliver: (_runId, kind, name, payload, deliveryId) =>
      after((host) => host.deliver(kind, name, payload, deliveryId)),
    resolveToken: (_runId, tokenId, payload) => after((host) => host.resolveToken(tokenId, payload)),
    cancel: (_runId, reason) => after((host) => host.cancel(reason)),
    operate: (_runId, operation) => after((host) => host.operate(operation)),
    tick: () =>
      theHost()
        .next()
        .then(() => {}),
    wait: (ms) => theHost().advance(ms),
  };
}

function recordOf(memory: MemoryHost): RunRecord {
  const { header, journal, host } = memory;
  const record = describeRun(header, readInput(host.state, header), journal, host.stepsInProgress(), () => 0);
  return JSON.parse(JSON.stringify(record)) as RunRecord;
}
