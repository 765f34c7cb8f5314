/**
 * The shell around the state machine, the same for every platform: decide, commit, apply, then act.
 *
 * Owns: the run in memory and its live execution.
 * Tells its neighbours: an adapter gives it a store, a dispatcher and a clock, and calls `handle`; it calls back
 * `onChange` after each commit that touched the header.
 *
 * Invariants
 * - R1 Effects are performed only after the commit; a commit that throws leaves nothing behind in memory.
 * - R2 At most one execution is live, the one of the header's epoch. What another says is refused (DUR6).
 */
import {
  type ErrorValue,
  type ExecutionReport,
  type ExecutionStart,
  type LiveExecution,
  PROTOCOL_VERSION,
  type ReportAnswer,
  type StepDispatcher,
  type StepInProgress,
} from "@holdfast/protocol";
import type { Effect, Input, Reply } from "./inputs.ts";
import { type RunHeader, isTerminal } from "./run-header.ts";
import { type RunState, applyBatch, loadRun, readInput, readJournal, readSeedResults } from "./run-state.ts";
import type { RunStore } from "./store.ts";
import { transition } from "./transition.ts";

export interface RunHostOptions {
  readonly store: RunStore;
  readonly dispatcher: StepDispatcher;
  /** The time, ms since the epoch. */
  readonly clock: () => number;
  readonly onChange?: (header: RunHeader) => void;
  /** Trouble of the store while nobody waits for an answer. */
  readonly onError?: (error: unknown) => void;
}

export class RunHost {
  readonly #options: RunHostOptions;
  #dispatcher: StepDispatcher;
  #state: RunState | undefined;
  #live: LiveExecution | undefined;

  constructor(options: RunHostOptions) {
    this.#options = options;
    this.#dispatcher = options.dispatcher;
  }

  /** New executions go through this dispatcher from now on. */
  useDispatcher(dispatcher: StepDispatcher): void {
    this.#dispatcher = dispatcher;
  }

  get state(): RunState {
    this.#state ??= loadRun(this.#options.store);
    return this.#state;
  }

  /** Step bodies that execute right now. Not durable. */
  stepsInProgress(): readonly StepInProgress[] {
    return this.#live?.stepsInProgress?.() ?? [];
  }

  /** Decides, commits and acts. What the commit throws is thrown on; nothing has happened then. */
  handle(input: Input): Reply {
    const { store, clock, onChange } = this.#options;
    const { state } = this;
    const { batch, effects, reply } = transition(state, input, { now: clock(), live: this.#live !== undefined });
    if (batch.puts.size > 0 || batch.deletes.size > 0 || batch.alarm !== undefined) {
      this.#commit(() => store.commit(batch));
      const before = state.header;
      applyBatch(state, batch);
      for (const effect of effects) this.#perform(effect);
      if (state.header !== undefined && state.header !== before) {
        if (isTerminal(state.header.status)) this.#live = undefined;
        onChange?.(state.header);
      }
    } else {
      for (const effect of effects) this.#perform(effect);
    }
    return reply;
  }

  #commit(write: () => void): void {
    try {
      write();
    } catch (error) {
      // The state in memory may be ahead of the store: drop it, and whatever was built on it (R1).
      this.forget();
      throw error;
    }
  }

  /** Drops everything that is only in memory, as an eviction does. */
  forget(): void {
    this.#live?.abort({ type: "superseded" });
    this.#live = undefined;
    this.#state = undefined;
  }

  #perform(effect: Effect): void {
    switch (effect.type) {
      case "start":
        return this.#start();
      case "update":
        this.#live?.update(effect.update);
        return;
      case "abort": {
        const live = this.#live;
        this.#live = undefined;
        live?.abort(effect.reason);
      }
    }
  }

  #start(): void {
    const { state } = this;
    const header = state.header as RunHeader;
    const { epoch } = header;
    this.#live = this.#dispatcher.start(this.#describeStart(state, header), {
      report: (report) => this.#report(epoch, report),
      lost: (error) => this.#lost(epoch, error),
    });
  }

  #describeStart(state: RunState, header: RunHeader): ExecutionStart {
    const startedAt = header.startedAt ?? header.createdAt;
    return {
      protocol: PROTOCOL_VERSION,
      epoch: header.epoch,
      run: {
        id: header.id,
        number: header.number,
        tags: header.tags,
        triggeredBy: header.triggeredBy,
        startedAt,
        environment: header.environment,
        ...(header.tenantMeta === undefined ? {} : { tenantMeta: header.tenantMeta }),
        ...(header.baseUrl === undefined ? {} : { baseUrl: header.baseUrl }),
      },
      workflowId: header.workflowId,
      ...(header.workflowVersion === undefined ? {} : { workflowVersion: header.workflowVersion }),
      input: readInput(state, header),
      seed: header.seed,
      journal: readJournal(state),
      seedResults: readSeedResults(state),
      now: this.#options.clock(),
      clockStart: header.clockStart ?? startedAt,
    };
  }

  #report(epoch: number, report: ExecutionReport): ReportAnswer {
    const current = this.#state?.header?.epoch;
    if (current !== epoch || report.epoch !== epoch) return { accepted: false, reason: "superseded" };
    try {
      const reply = this.handle({ type: "report", report });
      if (reply.type === "report") return reply.answer;
    } catch (error) {
      this.#options.onError?.(error);
    }
    return { accepted: false, reason: "superseded" };
  }

  #lost(epoch: number, error: ErrorValue): void {
    if (this.#state?.header?.epoch === epoch) this.handle({ type: "lost", epoch, error });
  }
}
