/**
 * The host of a run, the same for each platform.
 *
 * Owns: the live execution, and the execution of the effects of transitions.
 * Interface: an adapter supplies a store, a dispatcher and a clock, and calls `handle` and `receive`. The host calls
 * `onCommit` after each commit.
 *
 * Invariants
 * - RH1 At most one execution is live: that of the header's epoch. Reports of other executions are rejected (DUR6).
 * - RH2 User code that an alarm, a message of another object or a lost execution starts or continues executes only when
 *   the commit before it is durable: code that ends the process every time is counted (DUR10). A caller's request is not
 *   acknowledged yet, so it may be lost with the process, and needs no further commit.
 */
import {
  DEFAULT_LIMITS,
  HOST_LIMITS,
  type ErrorValue,
  type ExecutionReport,
  type ExecutionUpdate,
  type LiveExecution,
  type ReportAnswer,
  type RunAction,
  type StepInProgress,
  assert,
  isTerminal,
} from "@holdfast/protocol";
import { planHolds } from "../../flow/plan.ts";
import { MachineHost } from "../../host/machine-host.ts";
import { OutboxSender, type SendResult } from "../../host/outbox-sender.ts";
import type { WriteBatch } from "../../host/store.ts";
import { actionsOf } from "../actions.ts";
import { indexRow } from "../index-mark.ts";
import { findDeadlock, waitsOf } from "../draft/deadlock.ts";
import { describeStart } from "./execution-start.ts";
import { HELD } from "../lifecycle.ts";
import type { Effect, HostContext, Input, Reply } from "../draft/inputs.ts";
import { isFull, isSameStart } from "../followers.ts";
import { pendingRows } from "../acknowledged-starts.ts";
import { Liveness, type Silence, isSilent } from "../draft/liveness.ts";
import { pageSizeOf, readPage } from "../state/journal-pages.ts";
import {
  type ProbeRun,
  type ProbeWaits,
  type Received,
  type RunMessage,
  type TriggerInput,
  describeWorkflowOf as describe,
} from "../state/messages.ts";
import { NO_HOLDER, inputOf, isFromGate, resultOf } from "./received-message.ts";
import { isNewerMessage } from "../state/newer-format.ts";
import { checkedSteps } from "../received.ts";
import type { OutboxRow } from "../state/rows.ts";
import { shownHeader } from "../newer-run.ts";
import { type ParentRef, type RunHeader, hasLimits, mayBegin, parentsOf } from "../state/run-header.ts";
import type { RunHostOptions } from "./run-host-options.ts";
import { type RunState, applyBatch, loadRun, takeJournal } from "../state/run-state.ts";
import { transition } from "../transition.ts";
import type { Activity } from "../why/facts.ts";

/** The inputs that no caller waits for. */
const UNREQUESTED: ReadonlySet<Input["type"]> = new Set([
  "alarm",
  "settle",
  "report",
  "lost",
  "sent",
  "indexed",
  "described",
  "deadlock",
]);

export class RunHost {
  readonly #options: RunHostOptions;
  readonly #machine: MachineHost<RunState, Input, Effect, Reply>;
  #live: LiveExecution | undefined;
  /** Whether no caller waits for the answer to the input that is being handled (RH2). */
  #unrequested = false;
  /** The signs of life of the live execution. */
  #liveness = new Liveness(0);
  /** Whether the run was loaded with pending messages, and none was sent since. */
  #loadedWithMessages = false;
  /** When the newest search for a deadlock began, ms since 1970. */
  #searchedAt = 0;
  #sender: OutboxSender<OutboxRow, SendResult>;
  /** Replaced when the run is deleted. What belongs to an earlier life, and arrives late, is ignored (CHILD1, DUR6). */
  #life: object = {};
  /** The starts of the run that was deleted: their repetition creates no run (CHILD1). */
  #erased: readonly ParentRef[] = [];

  constructor(options: RunHostOptions) {
    const { store, transition: decide = transition } = options;
    this.#options = options;
    this.#sender = this.#newSender();
    this.#machine = new MachineHost<RunState, Input, Effect, Reply>(
      store,
      { load: loadRun, decide: (state, input) => decide(state, input, this.#context(state, input)), apply: applyBatch },
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

  /** The step bodies that execute now. Not durable. */
  stepsInProgress(): readonly StepInProgress[] {
    return checkedSteps(this.#live?.stepsInProgress?.() ?? []);
  }

  /** What the host knows of the execution, for readers (WHY1). */
  activity(): Activity {
    const silence = this.#silence(this.#options.clock());
    return {
      live: this.#live !== undefined,
      silence,
      inProgress: this.stepsInProgress(),
      held: this.#options.held === true,
    };
  }

  /** What the API would answer to each action on the run now (ACT1). For a run that exists. */
  actions(): RunAction[] {
    const { state } = this;
    return actionsOf(state, this.#context(state, { type: "unpause" }));
  }

  #silence(now: number): Silence | undefined {
    return this.#live?.ping === undefined ? undefined : this.#liveness.silence(now);
  }

  /**
   * Decides, commits, applies, and performs the effects.
   * @throws The error of the commit. Nothing was stored and no effect was performed then.
   */
  handle(input: Input): Reply {
    return this.#handle(input, UNREQUESTED.has(input.type));
  }

  #handle(input: Input, unrequested: boolean): Reply {
    const outer = this.#unrequested;
    this.#unrequested = unrequested;
    try {
      return this.#decide(input);
    } finally {
      this.#unrequested = outer;
    }
  }

  #decide(input: Input): Reply {
    const reply = this.#machine.handle(input);
    // Messages found at load are not in flight: send them now (CHILD4).
    if (this.#loadedWithMessages) {
      this.#loadedWithMessages = false;
      this.#sender.send(false);
    }
    return reply;
  }

  /** Drops the state in memory and the live execution, as an eviction does. */
  forget(): void {
    this.#machine.forget();
  }

  /** Forgets a run whose rows the adapter has deleted. Another run may be created in this object. */
  erased(header: RunHeader): void {
    this.#erased = parentsOf(header);
    this.#life = {};
    this.#sender = this.#newSender();
    this.forget();
  }

  #newSender(): OutboxSender<OutboxRow, SendResult> {
    const { store, send } = this.#options;
    const life = this.#life;
    return new OutboxSender({
      ...pendingRows(store, () => this.state.header),
      // Without `send`, the rows stay in the outbox.
      send: (to, { message }, done) => send?.(to, message, done),
      sent: (key, result) => this.#handleAlone({ type: "sent", key, result }, life),
    });
  }

  #context(state: RunState, input: Input): HostContext {
    const { header } = state;
    if (header !== undefined) state.pageSize = pageSizeOf(this.#options, header);
    const { clock, limits = DEFAULT_LIMITS, send, updateIndex, retentionMs, flags, held = false } = this.#options;
    const now = clock();
    const silence = this.#silence(now);
    const isPaused = input.type === "pause" || header?.status === "paused";
    const isAsked = input.type === "terminate" || (isPaused && hasLimits(header));
    const listsBodies = isAsked || (silence !== undefined && isSilent(silence));
    const begins = input.type === "alarm" || input.type === "described";
    const asks = !this.#live && (begins || (UNREQUESTED.has(input.type) && mayBegin(header, now)));
    return {
      now,
      limits,
      live: this.#live !== undefined,
      silence,
      ...(listsBodies ? { inProgress: this.stepsInProgress() } : {}),
      ...(input.type === "trigger" ? this.#describe(state, input) : {}),
      held,
      deferral: held ? HELD : asks ? this.#options.defer?.() : undefined,
      canSend: send !== undefined,
      coordinates: this.#options.gates,
      rev: this.#options.rev,
      indexes: updateIndex !== undefined,
      retentionMs: header && retentionMs?.(header),
      flags,
    };
  }

  /** The workflow of a trigger, and the limits of a new run. */
  #describe(state: RunState, input: TriggerInput): Pick<HostContext, "workflow" | "plan"> {
    if (input.undescribed !== undefined) return {};
    const own = describe(this.#options.dispatcher, input);
    const workflow = own === undefined ? input.listed : own;
    return state.header === undefined ? { workflow, plan: input.plan ?? this.plan(input) } : { workflow };
  }

  plan(input: TriggerInput): HostContext["plan"] {
    const { dispatcher, gates = false, rev = 0 } = this.#options;
    const workflow = describe(dispatcher, input) ?? input.listed;
    return workflow?.flow === undefined ? undefined : planHolds(workflow, input.input, gates, rev);
  }

  #committed(batch: WriteBatch, before: RunHeader | undefined): void {
    const { header } = this.state;
    if (header !== undefined && header !== before && isTerminal(header.status)) this.#live = undefined;
    // A parked or paused execution gives no sign of life.
    if (header?.status === "running" && before?.status !== "running") this.#liveness.sign(this.#options.clock());
    this.#options.onCommit?.(batch, before);
  }

  /** Handles a message of another object. `seed`, 128 random bits, and `received`: for a run that the message creates. */
  receive(message: RunMessage | ProbeRun | ProbeWaits, seed: string, received: Received = {}): SendResult {
    if (message.type === "probeWaits") return { type: "acknowledged", answer: waitsOf(this.state) };
    if (message.type === "probeRun") return { type: "acknowledged", answer: shownHeader(this.state)?.status ?? "gone" };
    // The sender sends it again: newer code can handle it, or there is room after the run's end.
    if (isNewerMessage(message) || isFull(this.state.header, message)) return { type: "unreachable" };
    if (this.#isOver(message)) return { type: "acknowledged" };
    if (isFromGate(message) && this.state.header === undefined) return NO_HOLDER;
    return resultOf(message, this.#handle(inputOf(message, seed, received), true));
  }

  /** Whether a message is about a run of this object that ended and was deleted. */
  #isOver(message: RunMessage): boolean {
    if (message.type !== "trigger" || this.state.header !== undefined) return false;
    const { parent } = message.trigger;
    return parent !== undefined && this.#erased.some((start) => isSameStart(start, parent));
  }

  #perform(effect: Effect): void {
    switch (effect.type) {
      case "start":
        return this.#start(effect.replaces === true);
      case "update":
        return this.#update(effect.update);
      case "abort": {
        const live = this.#live;
        this.#live = undefined;
        live?.abort(effect.reason);
        return;
      }
      case "ping":
        return this.#ping();
      case "send":
        return this.#sender.send(effect.again);
      case "index":
        return this.#updateIndex();
      case "describe":
        return this.#askDescription();
      case "findDeadlock":
        return this.#findDeadlock();
    }
  }

  #ping(): void {
    const liveness = this.#liveness;
    liveness.pinged();
    this.#live?.ping?.(() => liveness.answered(this.#options.clock()));
  }

  #askDescription(): void {
    const { workflowId, workflowVersion } = this.#header;
    const life = this.#life;
    const asked = this.#options.describe?.(workflowId, workflowVersion);
    void asked?.then((description) => this.#handleAlone({ type: "described", ...description }, life));
  }

  #findDeadlock(): void {
    const { send, clock } = this.#options;
    const life = this.#life;
    const since = clock() - this.#searchedAt;
    // Each place of the run asks its gate again: one search is for all of them.
    if (send === undefined || (since >= 0 && since < HOST_LIMITS.askHoldMsMin)) return;
    this.#searchedAt = clock();
    findDeadlock(this.#header, send, (found) => this.#handleAlone({ type: "deadlock", found }, life));
  }

  #updateIndex(): void {
    const row = indexRow(this.#header);
    const { version } = row;
    const life = this.#life;
    this.#options.updateIndex?.(row, (stored) => this.#handleAlone({ type: "indexed", version, stored }, life));
  }

  /**
   * Handles an input for which no caller waits. If the commit fails, the alarm already set drives the run (DUR5). `life`:
   * the life of the run to which the input belongs.
   */
  #handleAlone(input: Input, life: object = this.#life): Reply | undefined {
    if (life !== this.#life) return undefined;
    try {
      return this.handle(input);
    } catch (error) {
      this.#options.onError?.(error);
      return undefined;
    }
  }

  get #header(): RunHeader {
    const { header } = this.state;
    assert(header !== undefined, "a run with effects exists");
    return header;
  }

  #start(replaces: boolean): void {
    const starting: LiveExecution = { update: () => {}, abort: () => {} };
    this.#live = starting;
    // What is committed until then is in the journal with which it starts. What ends it until then removes it.
    this.#whenDurable(replaces, () => {
      if (this.#live === starting) this.#live = this.#dispatch();
    });
  }

  #dispatch(): LiveExecution {
    const header = this.#header;
    const { epoch } = header;
    const life = this.#life;
    const { pageSize: page } = this.state;
    this.#liveness = new Liveness(this.#options.clock());
    const journal = takeJournal(this.state);
    return this.#options.dispatcher.start(describeStart(this.state, header, journal, this.#options.clock()), {
      report: (report) => this.#report(epoch, report, life),
      lost: (error) => this.#lost(epoch, error, life),
      // A superseded execution gets no page, which ends it: the rows may be those of another run (DUR6).
      readPage: (after) =>
        this.#isNewest(epoch, life) ? readPage(this.#options.store, after, page, journal.ahead) : [],
      progressed: () => {
        if (this.#isNewest(epoch, life)) this.#options.onProgress?.();
      },
    });
  }

  /** An execution may get updates and answers in any order: it reads entries by their numbers. */
  #update(update: ExecutionUpdate): void {
    const live = this.#live;
    this.#whenDurable(false, () => {
      if (this.#live === live) live?.update(update);
    });
  }

  /** Performs what executes user code: now, or when all commits until now are durable (RH2). */
  #whenDurable(replaces: boolean, act: () => void): void {
    const { store, onError } = this.#options;
    if (store.sync === undefined || !(this.#unrequested || replaces)) return act();
    store.sync((error) => {
      if (error === undefined) return act();
      this.forget();
      onError?.(error);
    });
  }

  #report(epoch: number, report: ExecutionReport, life: object): ReportAnswer {
    if (!this.#isNewest(epoch, life)) return { accepted: false, reason: "superseded" };
    this.#liveness.sign(this.#options.clock());
    const reply = this.#handleAlone({ type: "report", report, from: epoch });
    return reply?.type === "report" ? reply.answer : { accepted: false, reason: "superseded" };
  }

  #lost(epoch: number, error: ErrorValue, life: object): void {
    if (this.#isNewest(epoch, life)) this.#handleAlone({ type: "lost", epoch, error });
  }

  #isNewest(epoch: number, life: object): boolean {
    return life === this.#life && this.#machine.loadedState?.header?.epoch === epoch;
  }
}
