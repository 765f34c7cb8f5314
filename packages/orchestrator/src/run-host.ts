/**
 * The shell around the state machine, the same for every platform: decide, commit, apply, then act.
 *
 * Owns: the run in memory and its live execution.
 * Tells its neighbours: an adapter gives it a store, a dispatcher and a clock, and calls `handle`; it calls back
 * `onCommit` after each commit.
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
  errorValue,
  isTerminal,
} from "@holdfast/protocol";
import { type IndexRow, indexRow } from "./index-mark.ts";
import type { Circumstances, Effect, Input, Reply, SendResult } from "./inputs.ts";
import { type RunMessage, toTriggerInput } from "./messages.ts";
import type { RunHeader } from "./run-header.ts";
import {
  type OutboxRow,
  type RunState,
  applyBatch,
  loadRun,
  readInherited,
  readInput,
  readJournal,
} from "./run-state.ts";
import { OUTBOX_PREFIX, type RunStore, type WriteBatch } from "./store.ts";
import { transition } from "./transition.ts";

export interface RunHostOptions {
  readonly store: RunStore;
  readonly dispatcher: StepDispatcher;
  /** The time, ms since the epoch. */
  readonly clock: () => number;
  /**
   * Hands a message to another run. `done` is called once, with what became of it. Without it there are no children.
   */
  readonly send?: ((to: string, message: RunMessage, done: (result: SendResult) => void) => void) | undefined;
  /** Tells the index of runs. `done` is called once: whether the row is stored there. Without it there is no index. */
  readonly tellIndex?: ((row: IndexRow, done: (stored: boolean) => void) => void) | undefined;
  /** How long a run is kept after its end, ms; `undefined` is for ever. */
  readonly retentionMs?: ((header: RunHeader) => number | undefined) | undefined;
  /** This was committed and applied. */
  readonly onCommit?: (batch: WriteBatch, before: RunHeader | undefined) => void;
  /** Trouble of the store while nobody waits for an answer. */
  readonly onError?: (error: unknown) => void;
}

/** Messages that are looked at in one go. */
const OUTBOX_BATCH = 64;

export class RunHost {
  readonly #options: RunHostOptions;
  #dispatcher: StepDispatcher;
  #state: RunState | undefined;
  #live: LiveExecution | undefined;
  /** The run was loaded with messages that it owes. */
  #owes = false;
  /** Messages of the outbox that are being sent. */
  readonly #underWay = new Set<string>();

  constructor(options: RunHostOptions) {
    this.#options = options;
    this.#dispatcher = options.dispatcher;
  }

  /** New executions go through this dispatcher from now on. */
  useDispatcher(dispatcher: StepDispatcher): void {
    this.#dispatcher = dispatcher;
  }

  get state(): RunState {
    if (this.#state === undefined) {
      this.#state = loadRun(this.#options.store);
      this.#owes = (this.#state.header?.outbox.count ?? 0) > 0;
    }
    return this.#state;
  }

  /** Step bodies that execute right now. Not durable. */
  stepsInProgress(): readonly StepInProgress[] {
    return this.#live?.stepsInProgress?.() ?? [];
  }

  /** Decides, commits and acts. What the commit throws is thrown on; nothing has happened then. */
  handle(input: Input): Reply {
    const { store, onCommit } = this.#options;
    const { state } = this;
    const circumstances = this.#circumstances(state);
    const { batch, effects, reply } = transition(state, input, circumstances);
    if (batch.puts.size > 0 || batch.deletes.size > 0 || batch.alarm !== undefined) {
      this.#commit(() => store.commit(batch));
      const before = state.header;
      applyBatch(state, batch);
      for (const effect of effects) this.#perform(effect);
      if (state.header !== undefined && state.header !== before) {
        if (isTerminal(state.header.status)) this.#live = undefined;
      }
      onCommit?.(batch, before);
    } else {
      for (const effect of effects) this.#perform(effect);
    }
    // What was owed when the run was loaded is under way nowhere: it need not wait for its time (CHILD4).
    if (this.#owes) {
      this.#owes = false;
      this.#sendOutbox();
    }
    return reply;
  }

  #circumstances({ header }: RunState): Circumstances {
    const { clock, send, tellIndex, retentionMs } = this.#options;
    return {
      now: clock(),
      live: this.#live !== undefined,
      canSend: send !== undefined,
      indexes: tellIndex !== undefined,
      retentionMs: header && retentionMs?.(header),
    };
  }

  /** A message of another run. `seed`: 128 random bits, for a run that it creates. */
  receive(message: RunMessage, seed: string): SendResult {
    if (message.type === "cancel") this.handle({ type: "cancel", reason: message.reason });
    else if (message.type === "childEnded" || message.type === "noteResumed") this.handle(message);
    else {
      const reply = this.handle(toTriggerInput(message.trigger, seed));
      if (reply.type === "refused")
        return { type: "refused", error: errorValue("IDEMPOTENCY_CONFLICT", reply.message) };
    }
    return { type: "acknowledged" };
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
        return;
      }
      case "send":
        return this.#sendOutbox();
      case "index":
        return this.#tellIndex();
    }
  }

  /** Sends what is owed: the oldest messages first, to each run one at a time, so that they arrive in order. */
  #sendOutbox(): void {
    const { send, store } = this.#options;
    // Only what can be sent is ever posted.
    if (send === undefined) return;
    const busy = new Set<string>();
    for (const [key, row] of store.list(OUTBOX_PREFIX, { limit: OUTBOX_BATCH })) {
      const { to, message } = row as OutboxRow;
      const waits = busy.has(to) || this.#underWay.has(key);
      busy.add(to);
      if (waits) continue;
      this.#underWay.add(key);
      send(to, message, (result) => this.#sent(key, result));
    }
  }

  #tellIndex(): void {
    const row = indexRow(this.state.header as RunHeader);
    this.#options.tellIndex?.(row, (stored) => {
      try {
        this.handle({ type: "indexed", version: row.version, stored });
      } catch (error) {
        this.#options.onError?.(error);
      }
    });
  }

  #sent(key: string, result: SendResult): void {
    this.#underWay.delete(key);
    try {
      this.handle({ type: "sent", key, result });
    } catch (error) {
      this.#options.onError?.(error);
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
    const startedAt = header.startedAt as number;
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
        ...(header.tenantId === undefined ? {} : { tenantId: header.tenantId }),
        ...(header.traceparent === undefined ? {} : { traceparent: header.traceparent }),
      },
      workflowId: header.workflowId,
      ...(header.workflowVersion === undefined ? {} : { workflowVersion: header.workflowVersion }),
      input: readInput(state, header),
      seed: header.seed,
      journal: readJournal(state),
      inherited: readInherited(state).map((body) => body.op),
      paused: header.status === "paused",
      now: Math.max(this.#options.clock(), state.lastAt),
      clockStart: header.clockStart ?? startedAt,
    };
  }

  #report(epoch: number, report: ExecutionReport): ReportAnswer {
    const current = this.#state?.header?.epoch;
    if (current !== epoch) return { accepted: false, reason: "superseded" };
    try {
      return (this.handle({ type: "report", report }) as Reply & { type: "report" }).answer;
    } catch (error) {
      this.#options.onError?.(error);
      return { accepted: false, reason: "superseded" };
    }
  }

  #lost(epoch: number, error: ErrorValue): void {
    if (this.#state?.header?.epoch !== epoch) return;
    try {
      this.handle({ type: "lost", epoch, error });
    } catch (trouble) {
      // The commit failed: the alarm that is set looks after the run (DUR5).
      this.#options.onError?.(trouble);
    }
  }
}
