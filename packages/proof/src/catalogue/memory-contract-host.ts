/**
 * The in-memory host as the contract suite drives it: virtual time, exact crashes.
 */
import { describeRun, readInput } from "@holdfast/orchestrator";
import type { Workflow } from "@holdfast/workflows";
import { type Crash, CrashAt, MemoryHost, type VirtualClock } from "@holdfast/workflows/testing";
import type { OpenedHost, RunRecord } from "./play.ts";

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

function recordOf(memory: MemoryHost): RunRecord {
  const { header, journal, host } = memory;
  const record = describeRun(header, readInput(host.state, header), journal, host.stepsInProgress(), () => 0);
  return JSON.parse(JSON.stringify(record)) as RunRecord;
}
