/**
 * A run in memory on a virtual clock, with the real orchestrator and the real replay engine.
 *
 * Owns: one run, its store and its alarm; and crashes: dropping everything but the store, at any commit.
 * Tells its neighbours: `settle` lets the run go as far as it can without time passing; `advance` lets time pass.
 */
import {
  type ChildTrigger,
  type IndexRow,
  type Input,
  JOURNAL_PREFIX,
  type Reply,
  type RunHeader,
  RunHost,
  type RunMessage,
  type SendResult,
  toTriggerInput,
  checkedTransition,
  readJournal,
} from "@holdfast/orchestrator";
import {
  ENCODED_UNDEFINED,
  type ExecutionEvent,
  type ExecutionPort,
  type ExecutionReport,
  type ExecutionStart,
  type JournalEntry,
  type LiveExecution,
  type ReportAnswer,
  type StepDispatcher,
  WorkflowIndex,
  decodeValue,
  encodeValue,
  errorValue,
  isTerminal,
} from "@holdfast/protocol";
import type { Workflow } from "../authoring/workflow.ts";
import { type Platform, webPlatform } from "../replay/platform.ts";
import { MemoryStore } from "./memory-store.ts";
import { VirtualClock } from "./virtual-clock.ts";

export interface MemoryHostOptions {
  readonly workflows: readonly Workflow[];
  readonly clock?: VirtualClock;
  readonly store?: MemoryStore;
  /** The other runs of the same world, by id. A run that invokes children makes them here. */
  readonly world?: Map<string, MemoryHost>;
  readonly runId?: string;
  /** The index of runs, by run id. Without it there is none. */
  readonly index?: Map<string, IndexRow>;
  /** Runs do not know where other runs live. */
  readonly noChildren?: boolean;
  /** The version of the protocol that the orchestrator claims to speak. */
  readonly protocol?: number;
  /** Dropped from memory after each of these commits, counted from 1, or after every commit that writes to the journal. */
  readonly crashAfterCommits?: readonly number[] | "journal-writes";
  /** What goes wrong between the parts. */
  readonly faults?: Faults;
  /** What executes in the place of bodies. */
  readonly replaceBody?: Platform["replaceBody"];
  /** Told of every host of the world when it is made, this one included. */
  readonly onCreate?: (host: MemoryHost) => void;
  /** Changes what an execution is told when it begins: for deliberate faults. */
  readonly tamper?: (start: ExecutionStart) => ExecutionStart;
  /** Changes what an execution that was given up says: for deliberate faults. */
  readonly tamperWithZombies?: (report: ExecutionReport, epoch: number) => ExecutionReport;
}

/** Trouble between the parts: asked for at each occasion; `undefined`: none this time. */
export interface Faults {
  /** A message to another run. */
  message?(): MessageFault | undefined;
  /** A row for the index of runs. */
  index?(): MessageFault | undefined;
  /** An alarm fires. */
  alarm?(): "twice" | undefined;
  /** An execution begins. */
  start?(): StartFault | undefined;
  /** An execution has gone silent. */
  silent?(host: MemoryHost): void;
  /** Whether a pipe lies between this execution and its orchestrator, on which everything takes turns of the loop. */
  remote?(): boolean;
}

export type MessageFault = "lost" | "twice" | "late" | "answer lost";

export interface StartFault {
  /** The execution is silent after so many reports: it died, or hangs. */
  readonly afterReports: number;
  /** When the dispatcher notices, ms later. */
  readonly noticedAfterMs: number;
}

/** How long a late message takes, ms. */
const LATE_MS = 3_000;

/** What the store throws where a crash was asked for: the commit has happened, its caller never learns. */
export class SimulatedCrash extends Error {}

const RUN_ID = "run-1";

const EXECUTOR_DIED = errorValue("DISPATCH_FAILED", "The executor went away.");

const REFUSED: ReportAnswer = { accepted: false, reason: "superseded" };

const SEED = "0123456789abcdeffedcba9876543210";

/** Bounds `settle`: a run that still moves after so many turns of the event loop is stuck in a loop. */
const TURNS_MAX = 2_000;

export class MemoryHost {
  readonly clock: VirtualClock;
  readonly store: MemoryStore;
  readonly world: Map<string, MemoryHost>;
  readonly logged: Readonly<Record<string, unknown>>[] = [];
  /** Executions begun, in order. */
  readonly starts: ExecutionStart[] = [];
  crashes = 0;
  readonly #workflows: WorkflowIndex<Workflow>;
  readonly #dispatcher: StepDispatcher;
  readonly #options: MemoryHostOptions;
  #host: RunHost;
  #executions: { readonly live: LiveExecution; dead: boolean }[] = [];
  #activity = 0;
  #ids = 0;
  /** Its place among the runs of the world. */
  readonly #number: number;

  constructor(options: MemoryHostOptions) {
    this.clock = options.clock ?? new VirtualClock();
    this.store = options.store ?? new MemoryStore();
    this.world = options.world ?? new Map();
    this.world.set(options.runId ?? RUN_ID, this);
    this.#number = this.world.size;
    this.#options = options;
    this.#workflows = new WorkflowIndex(options.workflows);
    this.#dispatcher = {
      start: (start, port) => this.#startExecution(start, port),
      workflows: () => this.#workflows.all,
    };
    this.#host = this.#newHost();
    const { crashAfterCommits } = options;
    this.store.afterCommit = (batch) => {
      this.#activity += 1;
      const crashes =
        crashAfterCommits === "journal-writes"
          ? [...batch.puts.keys()].some((key) => key.startsWith(JOURNAL_PREFIX))
          : crashAfterCommits?.includes(this.store.counts.commits);
      if (crashes !== true) return;
      this.crash();
      throw new SimulatedCrash();
    };
    options.onCreate?.(this);
  }

  get runId(): string {
    return this.#options.runId ?? RUN_ID;
  }

  get host(): RunHost {
    return this.#host;
  }

  /** False while another run's message is all that is known of it. */
  get triggered(): boolean {
    return this.#host.state.header !== undefined;
  }

  get header(): RunHeader {
    const { header } = this.#host.state;
    if (header === undefined) throw new Error("assertion: the run was not triggered");
    return header;
  }

  get journal(): JournalEntry[] {
    return readJournal(this.#host.state);
  }

  get ended(): boolean {
    return isTerminal(this.header.status);
  }

  get output(): unknown {
    return decodeValue(this.header.output ?? ENCODED_UNDEFINED);
  }

  trigger(
    workflowId: string,
    input?: unknown,
    { seed = SEED, ...more }: Partial<ChildTrigger> & { readonly seed?: string } = {},
  ): Reply {
    const trigger: ChildTrigger = {
      runId: this.#options.runId ?? RUN_ID,
      workflowId,
      input: encodeValue(input, "input"),
      tags: [],
      environment: "test",
      triggeredBy: "api",
      ...more,
    };
    return this.#send(toTriggerInput(trigger, seed));
  }

  deliver(kind: "event" | "signal", name: string, payload?: unknown, deliveryId?: string): Reply {
    return this.#send({ type: "deliver", kind, name, payload: encodeValue(payload, "payload"), deliveryId });
  }

  /** What an operator does. */
  operate(type: "pause" | "unpause" | "retry" | "delete"): Reply {
    return this.#send({ type });
  }

  resolveToken(tokenId: string, payload?: unknown): Reply {
    return this.#send({ type: "resolveToken", tokenId, payload: encodeValue(payload, "payload") });
  }

  cancel(reason?: string): Reply {
    return this.#send({ type: "cancel", reason });
  }

  /** A caller whose answer was lost in a crash asks again; what it asked for counts once (RUN2, WAIT3). */
  #send(input: Input): Reply {
    for (;;) {
      try {
        return this.#host.handle(input);
      } catch (error) {
        if (!(error instanceof SimulatedCrash)) throw error;
      }
    }
  }

  /**
   * Drops all that is only in memory, executions included. Their step bodies may go on; nobody hears of it, unless they
   * are `zombies`: processes that live on and do not know that they were given up.
   */
  crash({ zombies = false }: { readonly zombies?: boolean } = {}): void {
    this.crashes += 1;
    if (!zombies) for (const execution of this.#executions) execution.dead = true;
    this.#executions = [];
    this.#host = this.#newHost();
  }

  /** Lets all runs of the world go as far as they can without time passing. */
  async settle(): Promise<void> {
    let quiet = 0;
    for (let turns = 0; quiet < 3; turns++) {
      if (turns > TURNS_MAX) throw new Error("the run did not settle: it keeps writing without time passing");
      const before = this.#worldActivity();
      await nextTurn();
      quiet = this.#worldActivity() === before ? quiet + 1 : 0;
    }
  }

  get #owesNothing(): boolean {
    return this.header.outbox.count === 0 && this.header.index?.owed === undefined;
  }

  #worldActivity(): number {
    let activity = this.world.size;
    for (const host of this.world.values()) activity += host.#activity;
    return activity;
  }

  /** Lets time pass: `ms`, or until this run ends and owes nothing. Timers and alarms of all runs fire in their order. */
  async advance(ms: number = Infinity): Promise<void> {
    const until = this.clock.now() + ms;
    await this.settle();
    for (;;) {
      if (ms === Infinity && this.ended && this.#owesNothing) break;
      if (!(await this.next(until))) break;
    }
    if (until !== Infinity && this.clock.now() < until) this.clock.jump(until - this.clock.now());
  }

  /** The next timer or alarm of any run is due. False: there is none by `until`. */
  async next(until: number = Infinity): Promise<boolean> {
    const host = this.#nextAlarmed();
    const alarm = host?.store.alarm ?? Infinity;
    const timer = this.clock.nextAt ?? Infinity;
    const next = Math.min(alarm, timer);
    if (next > until || next === Infinity) return false;
    if (alarm <= timer) host?.fireAlarm();
    else this.clock.runNext();
    await this.settle();
    return true;
  }

  /** The run whose alarm is next. */
  #nextAlarmed(): MemoryHost | undefined {
    let next: MemoryHost | undefined;
    for (const host of this.world.values()) {
      if (host.store.alarm !== null && (next === undefined || host.store.alarm < (next.store.alarm ?? Infinity)))
        next = host;
    }
    return next;
  }

  /**
   * Executes the run again from its whole journal, as if nothing else was left of it, and compares what that comes to
   * with what is stored. Nothing is changed. Gives what differs.
   */
  async replayCold(): Promise<string[]> {
    const { header, journal } = this;
    const begun = this.starts.at(-1);
    const workflow = this.#workflows.find(header.workflowId, header.workflowVersion);
    // Where the end came from outside, the function itself may be anywhere.
    const fromOutside = header.error?.code === "CANCELLED" || header.error?.code === "WORKFLOW_TIMEOUT";
    if (begun === undefined || workflow === undefined || (fromOutside && header.unwinding === undefined)) return [];
    const events: ExecutionEvent[] = [];
    const port: ExecutionPort = {
      report: (report) => {
        events.push(...report.events);
        return REFUSED;
      },
      lost: (error) => events.push({ type: "run.diverged", error }),
    };
    workflow.executeOn(this.#platform(), structuredClone({ ...begun, paused: false, journal }), port);
    await this.settle();
    // What was going on beside the journal when the run ended may go on otherwise now; its end may not.
    return events.flatMap((event) => {
      const same =
        event.type === "run.completed"
          ? event.output === header.output
          : event.type === "run.failed"
            ? event.error.message === header.error?.message
            : event.type !== "run.diverged";
      return same ? [] : [`executed again from its journal it says ${JSON.stringify(event)}`];
    });
  }

  /** The alarm fires now, or at its time if that is later. */
  fireAlarm(): void {
    const { alarm } = this.store;
    if (alarm !== null && alarm > this.clock.now()) this.clock.jump(alarm - this.clock.now());
    this.store.takeAlarm();
    const again = this.#options.faults?.alarm?.() === "twice";
    this.#send({ type: "alarm" });
    if (again) this.#send({ type: "alarm" });
  }

  /** The alarm fires if one is set. */
  fireAlarmIfSet(): void {
    if (this.store.alarm !== null) this.fireAlarm();
  }

  async #deliverMessage(to: string, message: RunMessage): Promise<SendResult> {
    const fault = this.#options.faults?.message?.();
    await nextTurn();
    if (fault === "lost") return { type: "unreachable" };
    if (fault === "late") await new Promise<void>((resolve) => this.clock.setTimer(LATE_MS, resolve));
    const result = this.#reach(to, message);
    if (fault === "twice") this.#reach(to, message);
    return fault === "answer lost" ? { type: "unreachable" } : result;
  }

  #reach(to: string, message: RunMessage): SendResult {
    let peer = this.world.get(to);
    if (peer === undefined) {
      const { crashAfterCommits: _crashes, store: _store, ...shared } = this.#options;
      peer = new MemoryHost({ ...shared, clock: this.clock, world: this.world, runId: to });
    }
    peer.#activity += 1;
    try {
      return peer.host.receive(message, SEED.replace("0", String(this.world.size % 10)));
    } catch {
      // The other side crashed: whether before or behind its commit, nobody here can know.
      return { type: "unreachable" };
    }
  }

  async #reachIndex(index: Map<string, IndexRow>, row: IndexRow): Promise<boolean> {
    const fault = this.#options.faults?.index?.();
    await nextTurn();
    if (fault === "lost") return false;
    if (fault === "late") await new Promise<void>((resolve) => this.clock.setTimer(LATE_MS, resolve));
    if ((index.get(row.id)?.version ?? 0) < row.version) index.set(row.id, row);
    this.#activity += 1;
    return fault !== "answer lost";
  }

  #newHost(): RunHost {
    const { index } = this.#options;
    const host: RunHost = new RunHost({
      tellIndex:
        index &&
        ((row, done) => void this.#reachIndex(index, row).then((stored) => host === this.#host && done(stored))),
      store: this.store,
      transition: checkedTransition,
      dispatcher: this.#dispatcher,
      clock: () => this.clock.now(),
      send:
        this.#options.noChildren === true
          ? undefined
          : (to, message, done) => {
              // The answer of a message that was sent before a crash reaches nobody.
              void this.#deliverMessage(to.name, message).then((result) => host === this.#host && done(result));
            },
    });
    return host;
  }

  #startExecution(start: ExecutionStart, port: ExecutionPort): LiveExecution {
    this.starts.push(start);
    this.#activity += 1;
    const workflow = this.#workflows.find(start.workflowId, start.workflowVersion);
    if (workflow === undefined) {
      queueMicrotask(() => port.lost(errorValue("WORKFLOW_NOT_FOUND", `no workflow ${start.workflowId}`)));
      return { update: () => {}, abort: () => {} };
    }
    const slot = { live: undefined as unknown as LiveExecution, dead: false };
    // A message between host and execution is a copy, as on every pipe but the inline one.
    const host = this.#host;
    const { protocol = start.protocol, tamper = (told: ExecutionStart) => told } = this.#options;
    const remote = this.#options.faults?.remote?.() ?? false;
    const fault = this.#options.faults?.start?.();
    let reports = 0;
    const speak = (report: ExecutionReport): ReportAnswer | Promise<ReportAnswer> => {
      if (slot.dead) return REFUSED;
      reports += 1;
      if (fault !== undefined && reports > fault.afterReports) {
        slot.dead = true;
        this.#options.faults?.silent?.(this);
        this.clock.setTimer(fault.noticedAfterMs, () => host === this.#host && port.lost(EXECUTOR_DIED));
        return remote ? new Promise(() => {}) : REFUSED;
      }
      // A process that was given up still speaks, to whoever holds the run now.
      return host === this.#host ? (port.report(report) as ReportAnswer) : this.#reportOfZombie(report);
    };
    slot.live = workflow.executeOn(this.#platform(), tamper(structuredClone({ ...start, protocol })), {
      remote,
      report: (report) => (remote ? this.#onPipe(() => speak(report)) : speak(report)),
      lost: (error) => port.lost(error),
    });
    this.#executions.push(slot);
    const { live } = slot;
    if (!remote) return live;
    return {
      update: (update) => void this.#onPipe(() => live.update(update)),
      abort: (reason) => void this.#onPipe(() => live.abort(reason)),
      stepsInProgress: () => live.stepsInProgress?.() ?? [],
    };
  }

  /** There and back again. */
  async #onPipe<T>(act: () => T | Promise<T>): Promise<T> {
    this.#activity += 1;
    await nextTurn();
    const answer = await act();
    this.#activity += 1;
    await nextTurn();
    return answer;
  }

  #reportOfZombie(spoken: ExecutionReport): ReportAnswer {
    const { tamperWithZombies = (report: ExecutionReport) => report } = this.#options;
    const report = tamperWithZombies(spoken, this.header.epoch);
    const reply = this.#send({ type: "report", report });
    return reply.type === "report" ? reply.answer : REFUSED;
  }

  /** Step bodies that have begun and not ended, in all runs of the world. */
  get bodiesWaiting(): number {
    return [...this.world.values()].reduce((sum, one) => sum + one.#host.stepsInProgress().length, 0);
  }

  #platform(): Platform {
    const { replaceBody } = this.#options;
    return {
      ...(replaceBody === undefined ? {} : { replaceBody }),
      now: () => this.clock.now(),
      turn: () => {
        this.#activity += 1;
        return nextTurn();
      },
      setTimer: (ms, fn) => this.clock.setTimer(ms, fn),
      randomId: () => {
        this.#ids += 1;
        return `${this.#number.toString(16)}f${this.#ids.toString(16).padStart(8, "0")}`.padStart(32, "0");
      },
      log: (line) => this.logged.push(line),
    };
  }
}

const nextTurn = (): Promise<void> => webPlatform.turn();
