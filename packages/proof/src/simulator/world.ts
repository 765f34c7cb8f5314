/**
 * Runs one scenario.
 *
 * Owns: the order of events. The orchestrator and the replay engine are the real ones; only the clock, the network, the
 * storage and the randomness belong to the simulator.
 */
import type { IndexRow, Reply } from "@holdfast/orchestrator";
import { ENCODED_UNDEFINED, NEWEST_FLAGS } from "@holdfast/protocol";
import { CommitFailed, MemoryHost, SimulatedCrash, VirtualClock } from "@holdfast/workflows/testing";
import { BUGS, type BugName } from "./bugs.ts";
import { Callers } from "./callers.ts";
import { FaultPlan } from "./fault-plan.ts";
import { Fleet, LATE_MS } from "./fleet.ts";
import { toWorkflows } from "./interpreter.ts";
import { Observations } from "./observations.ts";
import { checkRun } from "./oracles.ts";
import { checkChildren } from "./oracles/children.ts";
import type { Finding } from "./oracles/finding.ts";
import type { ObservedRun } from "./oracles/observed-run.ts";
import { checkTerminal } from "./oracles/terminal.ts";
import { checkTakenOver } from "./oracles/resume.ts";
import { checkActions } from "./oracles/actions.ts";
import { checkListedAsks } from "./oracles/asks.ts";
import { checkWhy } from "./oracles/why.ts";
import { isOpen, progressOf } from "./run-progress.ts";
import { planAt } from "./resume-plan.ts";
import { hasMatch, programOf } from "./program.ts";
import { type Action, DISTURBING, type Fault, type Scenario, kindsOf, sizesOf } from "./scenario.ts";

/** The age of an alarm that counts as lost, and more than actions set the clock back. */
const RESTORED_AFTER_MS = 30_000;

const COMMITS_PER_READER = 3;
/** Each of these reads the whole journal for each action. */
const READERS_PER_ACTIONS = 4;

/** The time bound for runs after the last fault, in virtual minutes. */
const MINUTES_AFTER_FAULTS_MAX = 20;

export class World {
  readonly counts: Map<string, number> = new Map();
  readonly findings: Finding[] = [];
  readonly #scenario: Scenario;
  readonly #bug: BugName | undefined;
  readonly #clock = new VirtualClock();
  readonly #observations: Observations;
  readonly #root: MemoryHost;
  readonly #callers = new Callers((what) => this.#count(what));
  readonly #plan: FaultPlan;
  readonly #fleet: Fleet | undefined;
  readonly #index = new Map<string, IndexRow>();
  #readers = 0;
  #commits = 0;

  constructor(scenario: Scenario, bug: BugName | undefined, handlesRejections: boolean) {
    this.#scenario = scenario;
    this.#plan = new FaultPlan(scenario, {
      happens: (fault) => this.#happens(fault),
      silent: (runId) => this.#executionLost(runId, "silent execution"),
    });
    this.#observations = new Observations({
      now: () => this.#clock.now(),
      handlesRejections,
      kill: (runId) => this.#kill(runId),
      lateMs: scenario.turns === undefined ? 0 : LATE_MS,
    });
    this.#bug = bug;
    for (const what of kindsOf(scenario)) this.#count(what);
    this.#fleet =
      scenario.turns &&
      new Fleet(scenario.turns, {
        workflows: toWorkflows(scenario.program, this.#clock, this.#observations),
        clock: this.#clock,
        fault: () => this.#plan.atTurn(),
        frameFault: () => this.#plan.atFrame(),
        lost: (runId) => this.#executionLost(runId, "lost session"),
      });
    this.#root = this.#newHost("run-1", new Map());
  }

  #newHost(runId: string, world: Map<string, MemoryHost>): MemoryHost {
    const bug = this.#bug === undefined ? undefined : BUGS[this.#bug];
    return new MemoryHost({
      runId,
      world,
      clock: this.#clock,
      index: this.#index,
      ...sizesOf(this.#scenario),
      workflows: toWorkflows(this.#scenario.program, this.#clock, this.#observations),
      onCreate: (host) => this.#watch(host),
      retentionMs: ({ parent }) => (parent === undefined ? undefined : this.#scenario.retentionMs),
      onExpire: (host) => {
        this.#count("action: child expired");
        this.#observations.deleted(host.runId);
      },
      faults: this.#plan.faults,
      pipe: this.#fleet,
      ...(this.#scenario.flags === undefined ? {} : { replayFlags: { newest: this.#scenario.flags } }),
      tampering: {
        ...bug,
        start: (start) => {
          this.#observations.starting(start.run.id, start.epoch, this.#plan.remote);
          return bug?.start?.(start) ?? start;
        },
      },
    });
  }

  async run(): Promise<void> {
    const { actions, timeoutMs, resume } = this.#scenario;
    this.#trigger();
    for (const action of actions) {
      if (this.#root.ended) break;
      await this.#root.advance(action.afterMs);
      this.#act(action);
    }
    this.#plan.disabled = true;
    for (const host of this.#hosts()) this.#restoreCode(host);
    for (const host of this.#hosts()) if (host.header.paused?.by === "operator") this.#callers.operate(host, "unpause");
    await this.#runWithoutFaults();
    for (const host of this.#hosts()) await this.#check(host, timeoutMs !== undefined, false);
    if (resume !== undefined) await this.#resume(resume);
    for (const text of checkChildren(this.#hosts())) this.#find("children", text);
    this.findings.push(...this.#observations.allFindings());
  }

  #trigger(): void {
    const { timeoutMs } = this.#scenario;
    const options = timeoutMs === undefined ? {} : { timeoutMs };
    this.#callers.ask(this.#root, () => this.#root.trigger("root", undefined, options));
  }

  /** Performs an action from outside. */
  #act({ act, run }: Action): void {
    const open = this.#hosts().filter((one) => !one.ended);
    const host = open[run % open.length];
    if (host === undefined) return;
    this.#checkWhy(host);
    if (DISTURBING.has(act.type)) this.#observations.disturbed();
    if (act.type !== "deliver" && act.type !== "token") this.#count(`action: ${act.type}`);
    switch (act.type) {
      case "deliver":
        return this.#callers.deliver(host, act);
      case "token":
        return this.#callers.answerToken(host);
      case "trigger again":
        return this.#trigger();
      case "cancel":
        return this.#callers.cancel(host);
      case "terminate":
        return this.#callers.terminate(host);
      case "pause":
      case "unpause":
        return this.#callers.operate(host, act.type);
      case "evict":
      case "zombie":
        return this.#crash(host, act.type === "zombie", act.type);
      case "jump":
        return this.#clock.jump(act.ms);
      case "delete children":
        return this.#deleteChildren();
      case "rebuild index":
        return this.#rebuildIndex();
      case "set back":
        return this.#setBack(act.ms);
      case "change code":
        if (!host.journal.some((entry) => entry.nth > 0)) return;
        this.#observations.changed.add(host.runId);
        return this.#crash(host, false, act.type);
      case "restore code":
        return this.#restoreCode(host);
    }
  }

  /** Sets the clock back. Every run then gets an input: timers that are too far away are set again (WAIT1). */
  #setBack(ms: number): void {
    this.#clock.jump(-ms);
    this.#observations.clockSetBack();
    for (const host of this.#hosts()) if (!host.ended) this.#callers.operate(host, "settle");
  }

  /** The index was lost. Each run sends its row again (IDX2). */
  #rebuildIndex(): void {
    this.#index.clear();
    for (const host of this.#hosts()) this.#callers.operate(host, "reindex");
  }

  /** Deletes all children that have ended. None of them is created again (CHILD1). */
  #deleteChildren(): void {
    for (const host of this.#hosts()) {
      if (host === this.#root || !host.ended || host.delete().type !== "done") continue;
      this.#count("action: child deleted");
      this.#observations.deleted(host.runId);
    }
  }

  /** Deploys code that fits the journal again. A run that detected the change is retried. */
  #restoreCode(host: MemoryHost): void {
    if (!this.#observations.changed.delete(host.runId)) return;
    const { paused, error } = host.header;
    this.#count(`changed code: ${paused?.by === "engine" ? error?.code : "not detected"}`);
    this.#crash(host, false, "restore code");
    if (paused?.by === "engine") this.#callers.operate(host, "retry");
  }

  #hosts(): MemoryHost[] {
    return [...this.#root.world.values()].filter((host) => host.triggered);
  }

  /** Runs the world without faults: each run makes progress within a minute, and all runs end (DUR5). */
  async #runWithoutFaults(): Promise<void> {
    this.#restoreLostAlarms();
    for (let minutesLeft = MINUTES_AFTER_FAULTS_MAX; minutesLeft > 0; minutesLeft--) {
      await this.#root.settle();
      // An abandoned execution may detect late that the code did not fit.
      for (const host of this.#hosts()) if (host.header.paused?.by === "engine") this.#retry(host);
      const left = this.#hosts().filter(isOpen);
      const before = left.map(progressOf);
      if (left.length === 0) break;
      await this.#root.advance(60_000);
      for (const [place, one] of left.entries()) {
        if (!one.triggered) continue;
        // Before a body in which processes die, a run pauses for up to a minute (DUR7). A step handler may be full.
        const { waits: open, crashes, dispatch } = one.header;
        const waits = open.some((wait) => wait.kind === "RUN") || crashes !== undefined || dispatch !== undefined;
        if (!waits && progressOf(one) === before[place])
          this.#find("progress", `${one.runId} (${one.header.status}) made no progress for a minute`);
      }
    }
    await this.#root.settle();
  }

  /** Retries a run that the engine paused. */
  #retry(host: MemoryHost): void {
    this.#count(`action: retry after ${host.header.error?.code}`);
    this.#callers.operate(host, "retry");
  }

  /** Loads each object whose alarm the platform has lost, as a request does. */
  #restoreLostAlarms(): void {
    const lost = this.#hosts().filter(({ store }) => store.platformAlarm.lost);
    if (lost.length > 0) this.#clock.jump(RESTORED_AFTER_MS);
    for (const host of lost) {
      this.#crash(host, false, "lost alarm");
      host.restoreAlarm();
    }
  }

  /** Resumes the root run, then the run that was resumed from it. */
  async #resume(place: number): Promise<void> {
    const second = await this.#resumeFrom(this.#root, place, "run-2");
    if (second !== undefined) await this.#resumeFrom(second, place + 1, "run-3");
  }

  async #resumeFrom(parent: MemoryHost, place: number, runId: string): Promise<MemoryHost | undefined> {
    const inherited = planAt(parent, place);
    if (inherited === undefined) return undefined;
    if ("type" in inherited) {
      this.#find("resume", `${parent.runId} cannot be resumed: ${inherited.message}`);
      return undefined;
    }
    this.#count("action: resume");
    if (inherited.lineage !== undefined) this.#count("action: resume with outcomes after the cut");
    const host = this.#newHost(runId, this.#root.world);
    const send = (): Reply => host.trigger("root", undefined, { runId, input: ENCODED_UNDEFINED, inherited });
    this.#callers.ask(host, send);
    await this.#runWithoutFaults();
    await this.#check(host, false, true);
    const seenBy = (run: string): string[] => this.#observations.view(run).logs.flatMap(({ seen }) => seen);
    const others = [...this.#root.world.keys()].filter((run) => run !== runId);
    for (const text of checkTakenOver(seenBy(runId), others.flatMap(seenBy))) this.#find("resume", `${runId}: ${text}`);
    return host.ended ? host : undefined;
  }

  async #check(host: MemoryHost, bounded: boolean, resumed: boolean): Promise<void> {
    const { runId } = host;
    const program = programOf(this.#scenario.program, host.header.workflowId);
    const callers = this.#callers.of(runId);
    const observed: ObservedRun = {
      host,
      program,
      resumed,
      ...callers,
      cancelled: callers.cancelled || host.header.parent !== undefined,
      bounded: bounded && host === this.#root,
      limited: this.#scenario.limits !== undefined,
      inOrder: !hasMatch(program),
      started: this.#observations.view(runId).started,
      entered: this.#observations.entered(runId),
      listed: this.#index.get(runId),
      flags: this.#scenario.flags ?? NEWEST_FLAGS,
    };
    this.#count(`end: ${host.header.status}`);
    for (const entry of host.journal) this.#count(`journal: ${entry.type}`);
    this.findings.push(...checkRun(observed));
    if (host.ended) {
      this.#observations.freeze(runId);
      this.findings.push(
        ...(await host.replayCold()).map((text): Finding => ({ oracle: "cold replay", text: `${runId}: ${text}` })),
      );
    }
    this.findings.push(...checkTerminal(observed));
  }

  /** Watches a new host of the world: a commit may fail, or its process may die after it. */
  #watch(host: MemoryHost): void {
    const count = host.store.afterCommit;
    host.store.losesCommits = this.#scenario.loses === true;
    host.store.partChars = this.#scenario.partChars ?? Infinity;
    if (this.#bug !== undefined) BUGS[this.#bug].prepare?.(host.store);
    let fault: Fault["type"] | undefined;
    host.store.beforeCommit = () => {
      fault = this.#plan.atCommit();
      if (fault === "commit fails") {
        fault = undefined;
        this.#executionLost(host.runId, "commit fails");
        throw new CommitFailed();
      }
      if (fault !== "crash before") return;
      this.#crash(host, false, fault);
      throw new SimulatedCrash();
    };
    host.store.afterCommit = (batch) => {
      count(batch);
      this.#observations.committed(host.runId, batch);
      // A reader comes after the effects of the commit, and not after each: it reads the whole journal.
      this.#commits += 1;
      if (this.#commits % COMMITS_PER_READER === 0) queueMicrotask(() => this.#checkWhy(host));
      if (this.#bug !== undefined) BUGS[this.#bug].stored?.(host.store, batch);
      if (fault === undefined) return;
      this.#crash(host, fault === "zombie after", fault);
      throw new SimulatedCrash();
    };
  }

  #happens(fault: Fault): void {
    this.#observations.disturbed();
    this.#count(
      `fault: ${"fault" in fault && typeof fault.fault === "string" ? `${fault.type} ${fault.fault}` : fault.type}`,
    );
  }

  /** The process of a run dies. If only its orchestrator is replaced, nothing is lost. */
  #crash(host: MemoryHost, zombies: boolean, kind: string): void {
    const loses = !zombies && this.#scenario.loses === true;
    this.#executionLost(host.runId, kind);
    if (loses && host.store.losable > 0) {
      this.#count("fault: commits lost");
      this.#observations.lose(host.runId, host.store.losable);
    }
    host.crash({ zombies, loses });
    this.#callers.repeat(host);
  }

  /** A reader of the record learns why the run is in its state, and what may be done (WHY1, ACT1). */
  #checkWhy(host: MemoryHost): void {
    const { codes, problems } = checkWhy(host, (this.#readers += 1));
    for (const code of codes) this.#count(`why: ${code}`);
    for (const text of problems) this.#find("why", `${host.runId}: ${text}`);
    for (const text of checkListedAsks({ host, listed: this.#index.get(host.runId) }))
      this.#find("asks", `${host.runId}: ${text}`);
    if (this.#readers % READERS_PER_ACTIONS === 0)
      for (const text of checkActions(host)) this.#find("actions", `${host.runId}: ${text}`);
  }

  #executionLost(runId: string, kind: string): void {
    this.#observations.freeze(runId);
    this.#observations.faultEnded(runId, kind);
  }

  /** The process of a run dies in a body. */
  #kill(runId: string): void {
    const host = this.#root.world.get(runId);
    if (host === undefined) return;
    this.#count("fault: death in a body");
    // If a request dies too, its caller repeats it. Nobody knows of the death then.
    if (!this.#callers.wait(host)) this.#observations.died(runId);
    this.#crash(host, false, "death in a body");
  }

  #find(oracle: Finding["oracle"], text: string): void {
    this.findings.push({ oracle, text });
  }

  #count(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
  }

  /** The longest time from the end of a fault to the next progress, ms, by kind of fault. */
  get longest(): ReadonlyMap<string, number> {
    return this.#observations.longest;
  }

  /** Returns all observations and stored rows. */
  trace(): string {
    const stored = [...this.#root.world].map(([id, host]) => [id, host.store.dump()]);
    return this.#observations.trace() + JSON.stringify(stored);
  }
}
