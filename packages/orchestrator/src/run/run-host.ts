/**
 * The host of a run, the same for every platform: the machine's shell, its live execution, its outbox and its index row.
 *
 * Owns: the live execution, and performing what transitions want done.
 * Tells its neighbours: an adapter gives it a store, a dispatcher and a clock, and calls `handle`; it calls back
 * `onCommit` after each commit.
 *
 * Invariants
 * - RH1 At most one execution is live, the one of the header's epoch. Reports of others are rejected (DUR6).
 */
import {
  type Address,
  DEFAULT_LIMITS,
  type ErrorValue,
  type ExecutionReport,
  type ExecutionStart,
  type Limits,
  type LiveExecution,
  PROTOCOL_VERSION,
  type ReportAnswer,
  type StepDispatcher,
  type StepInProgress,
  assert,
  errorValue,
  isTerminal,
} from "@holdfast/protocol";
import { MachineHost } from "../host/machine-host.ts";
import { OutboxSender, type SendResult } from "../host/outbox-sender.ts";
import type { RunStore, WriteBatch } from "../host/store.ts";
import { type IndexRow, indexRow } from "./index-mark.ts";
import type { Effect, HostContext, Input, Reply } from "./inputs.ts";
import { type RunMessage, toTriggerInput } from "./messages.ts";
import { isNewerMessage } from "./newer-format.ts";
import { OUTBOX_PREFIX, type OutboxRow, listRows } from "./rows.ts";
import type { RunHeader } from "./run-header.ts";
import { type RunState, applyBatch, loadRun, readInherited, readInput, takeJournal } from "./run-state.ts";
import { transition } from "./transition.ts";

export interface RunHostOptions {
  readonly store: RunStore;
  readonly dispatcher: StepDispatcher;
  /** The time, ms since the epoch. */
  readonly clock: () => number;
  /**
   * Hands a message to another object. `done` is called once, with the result. Without it there are no children.
   */
  readonly send?: ((to: Address, message: RunMessage, done: (result: SendResult) => void) => void) | undefined;
  /** Updates the index of runs. `done` is called once: whether the row is stored there. Without it there is no index. */
  readonly tellIndex?: ((row: IndexRow, done: (stored: boolean) => void) => void) | undefined;
  /** The limits of this deployment. Default DEFAULT_LIMITS. */
  readonly limits?: Limits | undefined;
  /** How long a run is kept after its end, ms; `undefined` is for ever. */
  readonly retentionMs?: ((header: RunHeader) => number | undefined) | undefined;
  /** The replay flags of new runs, if not the newest: while step handlers do not know those yet, and for tests (REP8). */
  readonly flags?: readonly number[] | undefined;
  /** This was committed and applied. */
  readonly onCommit?: (batch: WriteBatch, before: RunHeader | undefined) => void;
  /** A failure of the store while no caller waits for an answer. */
  readonly onError?: (error: unknown) => void;
  /** For tests: `checkedTransition`. */
  readonly transition?: typeof transition;
}

/** Messages that are looked at in one go. */
const OUTBOX_BATCH = 64;

function inputOf(message: RunMessage, seed: string): Input {
  if (message.type === "trigger") return toTriggerInput(message.trigger, seed);
  return message.type === "cancel" ? { type: "cancel", reason: message.reason } : message;
}

export class RunHost {
  readonly #options: RunHostOptions;
  readonly #machine: MachineHost<RunState, Input, Effect, Reply>;
  #live: LiveExecution | undefined;
  /** The run was loaded with messages that are not acknowledged. */
  #loadedWithMessages = false;
  readonly #sender: OutboxSender<OutboxRow, SendResult>;

  constructor(options: RunHostOptions) {
    const { store, transition: decide = transition } = options;
    this.#options = options;
    this.#sender = new OutboxSender({
      rows: () => listRows(store, OUTBOX_PREFIX, { limit: OUTBOX_BATCH }),
      // Without a way to send, rows stay as they are.
      send: (to, { message }, done) => options.send?.(to, message, done),
      sent: (key, result) => this.#handleAlone({ type: "sent", key, result }),
    });
    this.#machine = new MachineHost<RunState, Input, Effect, Reply>(
      store,
      { load: loadRun, decide: (state, input) => decide(state, input, this.#context(state)), apply: applyBatch },
      {
        perform: (effect) => this.#perform(effect),
        loaded: ({ header, newer }) => {
          this.#loadedWithMessages = newer === undefined && (header?.outbox.count ?? 0) > 0;
        },
        committed: (batch, before) => this.#committed(batch, before),
        dropped: () => {
          this.#live?.abort({ type: "superseded" });
          this.#live = undefined;
        },
      },
    );
  }

  get state(): RunState {
    return this.#machine.state;
  }

  /** Step bodies that execute right now. Not durable. */
  stepsInProgress(): readonly StepInProgress[] {
    return this.#live?.stepsInProgress?.() ?? [];
  }

  /**
   * Decides, commits and acts.
   * @throws What the commit throws: nothing has happened then.
   */
  handle(input: Input): Reply {
    const reply = this.#machine.handle(input);
    // Messages found at load are not in flight: send them now (CHILD4).
    if (this.#loadedWithMessages) {
      this.#loadedWithMessages = false;
      this.#sender.send(false);
    }
    return reply;
  }

  /** Drops everything that is only in memory, as an eviction does. */
  forget(): void {
    this.#machine.forget();
  }

  #context({ header }: RunState): HostContext {
    const { clock, limits = DEFAULT_LIMITS, send, tellIndex, retentionMs, flags } = this.#options;
    return {
      now: clock(),
      limits,
      live: this.#live !== undefined,
      canSend: send !== undefined,
      indexes: tellIndex !== undefined,
      retentionMs: header && retentionMs?.(header),
      flags,
    };
  }

  #committed(batch: WriteBatch, before: RunHeader | undefined): void {
    const { header } = this.state;
    if (header !== undefined && header !== before && isTerminal(header.status)) this.#live = undefined;
    this.#options.onCommit?.(batch, before);
  }

  /** A message of another run. `seed`: 128 random bits, for a run that it creates. */
  receive(message: RunMessage, seed: string): SendResult {
    if (isNewerMessage(message)) return { type: "unreachable" };
    const reply = this.handle(inputOf(message, seed));
    if (reply.type !== "refused") return { type: "acknowledged" };
    // Newer code takes the message: its sender keeps it until then.
    if (reply.code === "newer_format") return { type: "unreachable" };
    if (message.type !== "trigger") return { type: "acknowledged" };
    return { type: "refused", error: errorValue("IDEMPOTENCY_CONFLICT", reply.message) };
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
        return this.#sender.send(effect.again);
      case "index":
        return this.#tellIndex();
    }
  }

  #tellIndex(): void {
    const row = indexRow(this.#header);
    this.#options.tellIndex?.(row, (stored) => this.#handleAlone({ type: "indexed", version: row.version, stored }));
  }

  /** Handles an input for which no caller waits. If the commit fails, the alarm that is set looks after the run (DUR5). */
  #handleAlone(input: Input): Reply | undefined {
    try {
      return this.handle(input);
    } catch (error) {
      this.#options.onError?.(error);
      return undefined;
    }
  }

  get #header(): RunHeader {
    const { header } = this.state;
    assert(header !== undefined, "effects are of a run that exists");
    return header;
  }

  #start(): void {
    const { state } = this;
    const header = this.#header;
    const { epoch } = header;
    this.#live = this.#options.dispatcher.start(this.#describeStart(state, header), {
      report: (report) => this.#report(epoch, report),
      lost: (error) => this.#lost(epoch, error),
    });
  }

  #describeStart(state: RunState, header: RunHeader): ExecutionStart {
    const { startedAt } = header;
    assert(startedAt !== undefined, "a running run has started");
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
      ...(header.flags === undefined ? {} : { flags: header.flags }),
      journal: takeJournal(state),
      inherited: readInherited(state).map((body) => body.op),
      paused: header.status === "paused",
      now: Math.max(this.#options.clock(), state.lastAt),
      clockStart: header.clockStart ?? startedAt,
    };
  }

  #report(epoch: number, report: ExecutionReport): ReportAnswer {
    const current = this.#machine.loadedState?.header?.epoch;
    const reply = current === epoch ? this.#handleAlone({ type: "report", report }) : undefined;
    return reply?.type === "report" ? reply.answer : { accepted: false, reason: "superseded" };
  }

  #lost(epoch: number, error: ErrorValue): void {
    if (this.#machine.loadedState?.header?.epoch === epoch) this.#handleAlone({ type: "lost", epoch, error });
  }
}
