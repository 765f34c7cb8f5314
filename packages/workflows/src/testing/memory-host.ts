/**
 * A run in memory on a virtual clock, with the real orchestrator and the real replay engine.
 *
 * Owns: one run, its store and its alarm; and crashes: dropping everything but the store, at any commit.
 * Tells its neighbours: `settle` lets the run go as far as it can without time passing; `advance` lets time pass.
 */
import {
  type Input,
  JOURNAL_PREFIX,
  type Reply,
  type RunHeader,
  RunHost,
  type RunMessage,
  type SendResult,
  type TriggerInput,
  isTerminal,
  readJournal,
} from "@holdfast/orchestrator";
import {
  ENCODED_UNDEFINED,
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
  /** Runs do not know where other runs live. */
  readonly noChildren?: boolean;
  /** The version of the protocol that the orchestrator claims to speak. */
  readonly protocol?: number;
  /** Dropped from memory after each of these commits, counted from 1, or after every commit that writes to the journal. */
  readonly crashAfterCommits?: readonly number[] | "journal-writes";
  /** Told of every host of the world when it is made, this one included. */
  readonly onCreate?: (host: MemoryHost) => void;
  /** Changes what an execution is told when it begins: for deliberate faults. */
  readonly tamper?: (start: ExecutionStart) => ExecutionStart;
}

/** What the store throws where a crash was asked for: the commit has happened, its caller never learns. */
export class SimulatedCrash extends Error {}

const RUN_ID = "run-1";

const REFUSED: ReportAnswer = { accepted: false, reason: "superseded" };

const SEED = "0123456789abcdeffedcba9876543210";

/** Bounds `settle`: a run that still moves after so many turns of the event loop is stuck in a loop. */
const TURNS_MAX = 20_000;

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

  constructor(options: MemoryHostOptions) {
    this.clock = options.clock ?? new VirtualClock();
    this.store = options.store ?? new MemoryStore();
    this.world = options.world ?? new Map();
    this.world.set(options.runId ?? RUN_ID, this);
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

  trigger(workflowId: string, input?: unknown, more: Partial<TriggerInput> = {}): Reply {
    return this.#send({
      type: "trigger",
      runId: this.#options.runId ?? RUN_ID,
      workflowId,
      input: encodeValue(input, "input"),
      seed: SEED,
      tags: [],
      environment: "test",
      triggeredBy: "api",
      ...more,
    });
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
      if (ms === Infinity && this.ended && this.header.outbox.count === 0) break;
      const host = this.#nextAlarmed();
      const alarm = host?.store.alarm ?? Infinity;
      const timer = this.clock.nextAt ?? Infinity;
      const next = Math.min(alarm, timer);
      if (next > until || next === Infinity) break;
      if (alarm <= timer) host?.fireAlarm();
      else this.clock.runNext();
      await this.settle();
    }
    if (until !== Infinity && this.clock.now() < until) this.clock.jump(until - this.clock.now());
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

  /** The alarm fires now, or at its time if that is later. */
  fireAlarm(): void {
    const { alarm } = this.store;
    if (alarm !== null && alarm > this.clock.now()) this.clock.jump(alarm - this.clock.now());
    this.store.takeAlarm();
    this.#send({ type: "alarm" });
  }

  /** The alarm fires if one is set. */
  fireAlarmIfSet(): void {
    if (this.store.alarm !== null) this.fireAlarm();
  }

  async #deliverMessage(to: string, message: RunMessage): Promise<SendResult> {
    await nextTurn();
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

  #newHost(): RunHost {
    const host: RunHost = new RunHost({
      store: this.store,
      dispatcher: this.#dispatcher,
      clock: () => this.clock.now(),
      send:
        this.#options.noChildren === true
          ? undefined
          : (to, message, done) => {
              // The answer of a message that was sent before a crash reaches nobody.
              void this.#deliverMessage(to, message).then((result) => host === this.#host && done(result));
            },
    });
    return host;
  }

  #startExecution(start: ExecutionStart, port: ExecutionPort): LiveExecution {
    this.starts.push(start);
    const workflow = this.#workflows.find(start.workflowId, start.workflowVersion);
    if (workflow === undefined) {
      queueMicrotask(() => port.lost(errorValue("WORKFLOW_NOT_FOUND", `no workflow ${start.workflowId}`)));
      return { update: () => {}, abort: () => {} };
    }
    const slot = { live: undefined as unknown as LiveExecution, dead: false };
    // A message between host and execution is a copy, as on every pipe but the inline one.
    const host = this.#host;
    const { protocol = start.protocol, tamper = (told: ExecutionStart) => told } = this.#options;
    slot.live = workflow.executeOn(this.#platform(), tamper(structuredClone({ ...start, protocol })), {
        report: (report) => {
          if (slot.dead) return REFUSED;
          // A process that was given up still speaks, to whoever holds the run now.
          return host === this.#host ? port.report(report) : this.#reportOfZombie(report);
        },
        lost: (error) => port.lost(error),
    });
    this.#executions.push(slot);
    return slot.live;
  }

  #reportOfZombie(report: ExecutionReport): ReportAnswer {
    const reply = this.#send({ type: "report", report });
    return reply.type === "report" ? reply.answer : REFUSED;
  }

  #platform(): Platform {
    return {
      now: () => this.clock.now(),
      turn: () => {
        this.#activity += 1;
        return nextTurn();
      },
      setTimer: (ms, fn) => this.clock.setTimer(ms, fn),
      randomId: () => {
        this.#ids += 1;
        return this.#ids.toString(16).padStart(32, "0");
      },
      log: (line) => this.logged.push(line),
    };
  }
}

const nextTurn = webPlatform.turn;
