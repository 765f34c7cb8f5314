/**
 * A host in this process with the real clock and any dispatcher. The conformance suite uses it to run the catalogue
 * against a step handler in another process.
 *
 * Owns: one in-memory store per run, and a timer for the alarm of each run.
 */
import {
  RunHost,
  type RunMessage,
  type SendResult,
  describeRun,
  isToRun,
  readInput,
  readJournal,
} from "@holdfast/orchestrator";
import { type StepDispatcher, encodeValue } from "@holdfast/protocol";
import { MemoryStore } from "@holdfast/workflows/testing";
import type { OpenedHost, RunRecord } from "./run-entry.ts";

const SEED = "0123456789abcdeffedcba9876543210";

export function openClockHost(dispatcher: StepDispatcher): OpenedHost {
  const runs = new Map<string, ClockRun>();
  const runOf = (runId: string): ClockRun => {
    const known = runs.get(runId) ?? new ClockRun(dispatcher, (to, message) => runOf(to).host.receive(message, SEED));
    runs.set(runId, known);
    return known;
  };
  const handle = async (runId: string, input: Parameters<RunHost["handle"]>[0]): Promise<void> => {
    const reply = runOf(runId).host.handle(input);
    if (reply.type === "refused") throw new Error(`${runId} rejected ${input.type}: ${reply.message}`);
  };
  return {
    crashed: () => false,
    trigger: (runId, workflowId, input, timeoutMs) =>
      handle(runId, {
        type: "trigger",
        identity: { id: runId, workflowId, tags: [], environment: "conformance", triggeredBy: "api", timeoutMs },
        input: encodeValue(input, "input"),
        seed: SEED,
      }),
    read: async (runId) => runOf(runId).record,
    journal: async (runId) => readJournal(runOf(runId).host.state).map(({ type, op }) => `${type} ${op}`),
    deliver: (runId, kind, name, payload, deliveryId) =>
      handle(runId, { type: "deliver", kind, name, payload: encodeValue(payload, "payload"), deliveryId }),
    resolveToken: (runId, tokenId, payload) =>
      handle(runId, { type: "resolveToken", tokenId, payload: encodeValue(payload, "payload") }),
    cancel: (runId, reason) => handle(runId, { type: "cancel", reason }),
    operate: (runId, type) => handle(runId, { type }),
    tick: () => wait(5),
    wait,
    close: async () => {
      for (const run of runs.values()) run.close();
    },
  };
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

class ClockRun {
  readonly host: RunHost;
  readonly #store = new MemoryStore();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(dispatcher: StepDispatcher, send: (to: string, message: RunMessage) => SendResult) {
    this.host = new RunHost({
      store: this.#store,
      dispatcher,
      clock: () => Date.now(),
      send: (to, message, done) =>
        queueMicrotask(() => done(isToRun(message) ? send(to.name, message) : { type: "unreachable" })),
    });
    this.#store.afterCommit = () => this.#setAlarm();
  }

  get record(): RunRecord {
    const { state } = this.host;
    if (state.header === undefined) throw new Error("assertion: the run was not triggered");
    const steps = this.host.stepsInProgress();
    const record = describeRun(state.header, readInput(state, state.header), readJournal(state), steps, () => 0);
    return JSON.parse(JSON.stringify(record)) as RunRecord;
  }

  #setAlarm(): void {
    clearTimeout(this.#timer);
    const { alarm } = this.#store;
    if (alarm === null) return;
    this.#timer = setTimeout(
      () => {
        this.#store.takeAlarm();
        this.host.handle({ type: "alarm" });
      },
      Math.min(Math.max(alarm - Date.now(), 0), 2 ** 31 - 1),
    );
  }

  close(): void {
    clearTimeout(this.#timer);
    this.host.forget();
  }
}
