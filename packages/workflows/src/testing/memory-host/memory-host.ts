/**
 * A run in memory on a virtual clock, with the real orchestrator and the real replay engine.
 *
 * Owns: one run, its store and its alarm. Also owns crashes: at any commit, everything except the store is dropped.
 * Interface: `settle` runs everything that needs no virtual time; `advance` advances virtual time.
 */
import {
  type ChildTrigger,
  type Input,
  type Reply,
  type RunHeader,
  RunHost,
  type RunMessage,
  type SendResult,
  type WriteBatch,
  alarmOf,
  checkedTransition,
  isAlarmLost,
  isExpired,
  keyObjectOf,
  readJournal,
  refuseByKey,
  type Received,
  type Unique,
  toTriggerInput,
} from "@holdfast/orchestrator";
import {
  type Address,
  ENCODED_UNDEFINED,
  type ExecutionReport,
  type ExecutionStart,
  type JournalEntry,
  type ReportAnswer,
  WorkflowIndex,
  decodeValue,
  describeServed,
  encodeValue,
  isTerminal,
} from "@holdfast/protocol";
import type { Workflow } from "../../authoring/workflow.ts";
import type { Platform } from "../../replay/platform.ts";
import { VirtualClock } from "../virtual-clock.ts";
import { type Agenda, type Doing, type WorldObject, agendaOf } from "./agenda.ts";
import { replayEnd } from "./cold-replay.ts";
import { doingOf } from "./doing.ts";
import { executionPlatforms } from "./execution-platform.ts";
import { Executor, REJECTED } from "./executor.ts";
import { ALARM_RETRY_MS, CommitFailed, LATE_MS, SimulatedCrash, crashesAfter } from "./faults.ts";
import { eraseRun, keyRowOf, refuseTaken, releaseIn, reserveIn } from "./key-rows.ts";
import { MemoryCoordinators } from "./memory-coordinator.ts";
import { MemoryStore } from "./memory-store.ts";
import { SEED, newTrigger, seedOf, uniqueOf } from "./new-trigger.ts";
import { Network, afterCommits } from "./network.ts";
import type { HostOptions, Requested } from "./options.ts";
import { readsPages } from "./remote-pipe.ts";
import { next, settle } from "./world.ts";

export type MemoryHostOptions = HostOptions<MemoryHost>;
const RUN_ID = "run-1";

export class MemoryHost implements WorldObject {
  readonly runId: string;
  readonly clock: VirtualClock;
  readonly store: MemoryStore;
  readonly world: Map<string, MemoryHost>;
  readonly coordinators: MemoryCoordinators;
  readonly logged: Readonly<Record<string, unknown>>[] = [];
  crashes = 0;
  /** The number of the run in its world, from 0. */
  readonly order: number;
  /** What all objects of the world do by themselves. */
  readonly agenda: Agenda;
  readonly #options: MemoryHostOptions;
  readonly #workflows: WorkflowIndex<Workflow>;
  readonly #platform: () => Platform;
  readonly #executor: Executor;
  readonly #network: Network;
  #host: RunHost;
  #created = 0;
  /** Each run, and a run that is made again, has another incarnation; each repetition of a test has the same. */
  readonly newUnique = (): Unique => uniqueOf(this.order, (this.#created += 1));

  /** What a host adds to a trigger. `undescribed`: in case the step handler cannot be asked. */
  received(undescribed: Received["undescribed"]): Received {
    return { unique: this.newUnique(), ...(this.#network.isDown() ? { undescribed } : {}) };
  }

  constructor(options: MemoryHostOptions) {
    this.clock = options.clock ?? new VirtualClock();
    this.store = options.store ?? new MemoryStore();
    this.world = options.world ?? new Map();
    const reach = (to: Address, message: object) => this.#reach(to, message);
    const [clock, agenda] = [this.clock, agendaOf(this.world)];
    this.agenda = agenda;
    this.coordinators = options.coordinators ?? new MemoryCoordinators({ ...options, clock, reach, agenda });
    this.runId = options.runId ?? RUN_ID;
    this.world.set(this.runId, this);
    this.order = this.agenda.runs++;
    this.#options = options;
    this.#workflows = new WorkflowIndex(options.workflows);
    const moved = (): void => this.#moved();
    this.#platform = executionPlatforms({
      clock: this.clock,
      runNumber: this.order + 1,
      logged: this.logged,
      replaceBody: options.replaceBody,
      replayFlags: options.replayFlags?.changes,
      moved,
    });
    this.#executor = this.#newExecutor(moved);
    this.#network = new Network({ ...options, clock, store: this.store, reach, moved });
    this.#host = this.#newHost();
    this.store.clock = () => this.clock.now();
    this.store.afterCommit = (batch) => this.#committed(batch);
    this.store.platformAlarm.onSet = () => this.agenda.alarmSet(this);
    this.agenda.added(this);
    options.onCreate?.(this);
  }

  /** The start messages of all executions, in order. */
  get starts(): readonly ExecutionStart[] {
    return this.#executor.starts;
  }

  get host(): RunHost {
    return this.#host;
  }
  /** False for a run that received only messages of other runs. */
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

  get isPart(): boolean {
    return this.world.get(this.runId) === this;
  }

  get doing(): Doing {
    return doingOf(this.#host);
  }

  get ended(): boolean {
    return this.triggered && isTerminal(this.header.status);
  }

  get output(): unknown {
    return decodeValue(this.header.output ?? ENCODED_UNDEFINED);
  }

  trigger(
    workflowId: string,
    input?: unknown,
    { seed = SEED, ...more }: Partial<ChildTrigger> & { readonly seed?: string } = {},
  ): Reply {
    const trigger = newTrigger(this.runId, workflowId, input, more);
    const keyId = keyObjectOf({ id: trigger.runId, idempotencyKey: trigger.idempotencyKey });
    const reserved = keyId === undefined ? undefined : reserveIn(this.#peer(keyId), trigger.runId);
    if (reserved !== undefined && reserved.runId !== trigger.runId) return refuseTaken(reserved);
    const reply = this.#send({ ...toTriggerInput(trigger, seed), ...this.received({ collects: true }) });
    if (keyId !== undefined && reserved?.put !== undefined && reply.type === "refused")
      releaseIn(this.#peer(keyId), trigger.runId);
    return reply;
  }

  deliver(kind: "event" | "signal", name: string, payload?: unknown, deliveryId?: string): Reply {
    return this.#send({ type: "deliver", kind, name, payload: encodeValue(payload, "payload"), deliveryId });
  }

  /** Sends an operator's command. `settle`: the first request after the clock was set back (WAIT1). */
  operate(type: "pause" | "unpause" | "retry" | "delete" | "settle" | "reindex", request: Requested = {}): Reply {
    return this.#send({ type, ...request });
  }

  /** Deletes the run with all its rows, if it has ended and has no pending messages (VER3). */
  delete(): Reply {
    const reply = this.operate("delete");
    if (reply.type === "done") this.#erase();
    return reply;
  }

  #erase(): void {
    const { header } = this;
    eraseRun(header, this.#options.index, this.store, (keyId) => this.world.get(keyId));
    if (this.#options.tampering?.forgetsDeletions !== true) this.#host.erased(header);
  }

  resolveToken(tokenId: string, payload?: unknown, request: Requested = {}): Reply {
    return this.#send({ type: "resolveToken", tokenId, payload: encodeValue(payload, "payload"), ...request });
  }

  cancel(reason?: string, request: Requested = {}): Reply {
    return this.#send({ type: "cancel", reason, ...request });
  }

  terminate(reason: string, request: Requested = {}): Reply {
    return this.#send({ type: "terminate", reason, ...request });
  }

  /** Repeats an input whose answer was lost in a crash. The input takes effect once (RUN2, WAIT3). */
  #send(input: Input): Reply {
    for (;;) {
      try {
        return this.#host.handle(input);
      } catch (error) {
        if (!(error instanceof SimulatedCrash || error instanceof CommitFailed)) throw error;
      }
    }
  }

  /**
   * Drops all state in memory, executions included. Their step bodies may continue, but their reports are lost.
   * `zombies`: the executions continue to report, because they do not know that they were abandoned.
   * `loses`: commits that are not durable are lost, if the store may lose commits.
   */
  crash({ zombies = false, loses = false }: { readonly zombies?: boolean; readonly loses?: boolean } = {}): void {
    this.crashes += 1;
    this.store.restart(loses);
    this.#executor.disconnect(zombies);
    this.#host = this.#newHost();
  }

  /** Runs everything in the world that needs no virtual time. */
  settle(): Promise<void> {
    return settle(this.agenda);
  }

  /**
   * Advances virtual time by `ms`, or until this run has ended and has no pending messages. Fires the timers and alarms of
   * all runs in order.
   */
  async advance(ms: number = Infinity): Promise<void> {
    const until = this.clock.now() + ms;
    await this.settle();
    for (;;) {
      const isIdle = this.ended && this.header.outbox.count === 0 && this.header.index?.owed === undefined;
      if (ms === Infinity && isIdle) break;
      if (!(await this.next(until))) break;
    }
    if (until !== Infinity && this.clock.now() < until) this.clock.jump(until - this.clock.now());
  }

  /** Fires the next timer or alarm of any run of the world. Resolves with false if none is due by `until`. */
  next(until: number = Infinity): Promise<boolean> {
    return next(this.agenda, this.clock, until);
  }

  /**
   * Replays the run from its whole journal and compares its end with the stored one. Changes nothing. Returns the
   * differences.
   */
  async replayCold(): Promise<string[]> {
    const { header, journal } = this;
    const start = this.starts.at(-1);
    const workflow = this.#workflows.find(header.workflowId, header.workflowVersion);
    if (start === undefined || workflow === undefined) return [];
    return replayEnd(header, { ...start, journal }, workflow, this.#platform(), () => this.settle());
  }

  /** Fires the alarm, now or at its time if that is later. */
  fireAlarm(): void {
    const { alarm } = this.store;
    const fault = this.#options.faults?.alarm?.();
    const at = (alarm ?? 0) + (fault === "early" ? -1 : fault === "late" ? LATE_MS : 0);
    if (alarm !== null && at > this.clock.now()) this.clock.jump(at - this.clock.now());
    if (fault === "lost") return this.store.platformAlarm.lose();
    this.store.takeAlarm();
    this.#handleAlarm();
    if (fault === "twice") this.#handleAlarm();
  }

  /** The platform repeats an alarm whose object died. A handler whose commit failed sets the alarm again. */
  #handleAlarm(): void {
    for (;;) {
      try {
        this.#host.handle({ type: "alarm" });
        const { header } = this.#host.state;
        if (header === undefined || !isExpired(header, this.clock.now())) return;
        this.#erase();
        return this.#options.onExpire?.(this);
      } catch (error) {
        if (error instanceof CommitFailed) return this.store.setAlarm(this.clock.now() + ALARM_RETRY_MS);
        if (!(error instanceof SimulatedCrash)) throw error;
      }
    }
  }

  /** Sets a lost alarm again, as an object does when a request loads it (DUR5). */
  restoreAlarm(): void {
    const now = this.clock.now();
    const wanted = alarmOf(this.#host.state, now);
    if (wanted !== null && isAlarmLost(this.store.platformAlarm.stored, now)) this.store.setAlarm(wanted);
  }

  fireAlarmIfSet(): void {
    if (this.store.alarm !== null) this.fireAlarm();
  }

  #peer(id: string): MemoryHost {
    const { crashAfterCommits: _crashes, store: _store, ...shared } = this.#options;
    const { clock, world, coordinators } = this;
    return world.get(id) ?? new MemoryHost({ ...shared, clock, world, coordinators, runId: id });
  }

  #reach(to: Address, sent: object): SendResult | Promise<SendResult> {
    if (to.kind !== "run") return this.coordinators.get(to).receive(sent);
    const peer = this.#peer(to.name);
    const message = sent as RunMessage;
    peer.#moved();
    const refused = message.type === "trigger" ? refuseByKey(keyRowOf(peer)) : undefined;
    if (refused !== undefined) return refused;
    try {
      return afterCommits(peer.store, peer.host.receive(message, seedOf(this.world.size), peer.received({})));
    } catch (error) {
      if (!(error instanceof SimulatedCrash || error instanceof CommitFailed)) throw error;
      return { type: "unreachable" };
    }
  }

  #newHost(): RunHost {
    const { index, noChildren, retentionMs, tampering } = this.#options;
    // A process that has died sends nothing, and answers to what it sent are dropped.
    const post = <T>(deliver: () => Promise<T>, done: (result: T) => void): void => {
      if (host === this.#host) void deliver().then((result) => host === this.#host && done(result));
    };
    const host: RunHost = new RunHost({
      updateIndex: index && ((row, done) => post(() => this.#network.deliverToIndex(index, row), done)),
      store: this.store,
      transition: tampering?.decide?.(checkedTransition) ?? checkedTransition,
      dispatcher: {
        start: (start, port) => this.#executor.start(start, port),
        readsPages: () => readsPages(this.#options),
        workflows: () => this.#workflows.all,
        describe: (id, version) => describeServed(this.#workflows.find(id, version)),
      },
      clock: () => this.clock.now(),
      pageSize: this.#options.pageSize,
      limits: this.#options.limits,
      retentionMs: typeof retentionMs === "function" ? retentionMs : () => retentionMs,
      flags: this.#options.replayFlags?.newest,
      send:
        noChildren === true ? undefined : (to, message, done) => post(() => this.#network.deliver(to, message), done),
      describe: (id, version) =>
        new Promise((resolve) => post(() => this.#network.describe(this.#workflows.find(id, version)), resolve)),
      gates: true,
      rev: this.#options.rev,
    });
    return host;
  }

  #newExecutor(moved: () => void): Executor {
    const { faults, pipe, protocol, tampering = {} } = this.#options;
    return new Executor({
      runId: this.runId,
      clock: this.clock,
      store: this.store,
      faults,
      pipe,
      platform: this.#platform,
      orchestrator: () => this.#host,
      find: ({ workflowId, workflowVersion }) => this.#workflows.find(workflowId, workflowVersion),
      protocol,
      tampering,
      reportOfZombie: (report) => this.#reportOfZombie(report),
      moved,
    });
  }

  #moved(): void {
    this.agenda.moved(this);
  }

  #committed(batch: WriteBatch): void {
    this.#moved();
    if (!crashesAfter(this.#options.crashAfterCommits, batch, this.store.counts.commits)) return;
    this.crash();
    throw new SimulatedCrash();
  }

  #reportOfZombie(original: ExecutionReport): ReportAnswer {
    const report = this.#options.tampering?.zombieReport?.(original, this.header.epoch) ?? original;
    const reply = this.#send({ type: "report", report });
    return reply.type === "report" ? reply.answer : REJECTED;
  }
}
