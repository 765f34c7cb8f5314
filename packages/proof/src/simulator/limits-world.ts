/**
 * A random world of runs with limits: the real runs and the real gates, with every fault between and in them.
 *
 * Owns: the faults (a step handler that cannot describe its workflows; messages that are lost, doubled and late; a crash at any commit of either side, with or without the loss of
 * commits that are not durable; commits that fail), the actions of callers, two alternating versions of the code, of which the
 * newer one has lower limits, and the oracles.
 *
 * Steps have a limit of their own, which a workflow may also hold as a whole. Runs of two of the workflows can wait for each
 * other.
 *
 * The oracles: at no instant more bodies of one limit and key execute than the higher `max` (L1); once the faults are over, all
 * runs end, and a minute later no gate holds or queues anything (L2).
 */
import type { RunHeader } from "@holdfast/orchestrator";
import { isTerminal } from "@holdfast/protocol";
import { type DeclaredLimit, type Workflow, limit, workflow } from "@holdfast/workflows";
import {
  CommitFailed,
  type MemoryCoordinator,
  MemoryHost,
  SimulatedCrash,
  VirtualClock,
} from "@holdfast/workflows/testing";
import { Random } from "./random.ts";

const RUNS_MAX = 12;
const ACTIONS_MAX = 12;
/** The limits by name, with `max` of both versions. `s` and `t`: of steps. */
const MAXES = { a: [1, 1], b: [3, 2], c: [2, 1], s: [2, 1], t: [1, 1] } as const;
type Name = keyof typeof MAXES;
const NAMES: readonly Name[] = ["a", "b", "c", "s", "t"];
const KEYS = ["x", "y"];
/** The limits of the workflows. */
const WORKFLOWS: Readonly<Record<string, readonly Name[]>> = {
  none: [],
  one: ["a"],
  two: ["b", "c"],
  all: ["a", "b", "c"],
  whole: ["s"],
  left: ["s"],
  right: ["t"],
};
/** The workflows whose steps want `t`: their runs, and those of `right`, can wait for each other (L10). Others want `s`. */
const WANT_T = new Set(["left"]);
/** All runs end within this time after the last fault, in virtual minutes. */
const MINUTES_MAX = 240;
/** A lost acknowledgement is asked for again within this time (L2). */
const FREED_MS = 61_000;

interface Input {
  readonly key: string;
  readonly naps: number;
  readonly fails: boolean;
  readonly invokes: boolean;
}

/** A step that counts at its gate. A body of an execution that was superseded counts for nothing (L8). */
interface Step {
  readonly gate: string;
  readonly name: string;
}

/** A body that executes: it counts at each limit of its run. */
interface Executing {
  readonly runId: string;
  readonly gates: readonly string[];
  /** The run of which this one is an attached descendant: they count once. */
  readonly root: string;
  readonly epoch: number;
  /** The step, if it has a place of its own. */
  readonly step: Step | undefined;
}

export class LimitsWorld {
  readonly findings: string[] = [];
  readonly counts: Map<string, number> = new Map();
  readonly #random: Random;
  readonly #clock = new VirtualClock();
  readonly #runs = new Map<string, MemoryHost>();
  readonly #executing = new Set<Executing>();
  readonly #modes: ReadonlyMap<Name, "run" | "active">;
  readonly #loses: boolean;
  #faults = true;
  #down = false;
  #first: MemoryHost | undefined;

  constructor(seed: number) {
    this.#random = new Random(seed);
    this.#loses = this.#random.chance(0.5);
    this.#modes = new Map(NAMES.map((name) => [name, this.#random.pick(["run", "active"] as const)]));
  }

  async run(): Promise<void> {
    const starts = 3 + this.#random.below(RUNS_MAX - 2);
    for (let at = 0; at < starts; at++) {
      this.#start(`r-${at}`);
      if (this.#random.chance(0.5)) await this.#advance(this.#random.below(90_000));
    }
    for (let left = this.#random.below(ACTIONS_MAX); left > 0; left--) {
      this.#act();
      await this.#advance(this.#random.below(120_000));
    }
    this.#faults = false;
    await this.#endAll();
    await this.#advance(FREED_MS);
    this.#checkFreed();
  }

  /** The limits of one version of the code. */
  #limits(names: readonly Name[], version: 0 | 1): DeclaredLimit<Input>[] {
    return names.map((name) => {
      const options = { max: MAXES[name][version], ...(name === "b" ? {} : { key: (input: Input) => input.key }) };
      return limit<Input>(name, options).hold(this.#modes.get(name) ?? "run");
    });
  }

  #workflows(version: 0 | 1): Workflow<Input>[] {
    const made = (id: string, names: readonly Name[]): Workflow<Input> => {
      const wanted = WANT_T.has(id) ? "t" : "s";
      const ofStep = limit<Input>(wanted, { max: MAXES[wanted][version], key: (input) => input.key });
      const self: Workflow<Input> = workflow<Input>({
        id,
        limits: this.#limits(names, version),
        run: async ({ naps, fails, invokes, key }, ctx) => {
          const { id: runId } = ctx.run;
          await ctx.step("first", { compensate: () => this.#body(runId) }, () => this.#body(runId));
          // A child needs the limits of its parent: without lineage it would wait for it forever (FLOW3).
          if (invokes) await ctx.invoke(self, { key, naps: 0, fails: false, invokes: false });
          for (let nap = 0; nap < naps; nap++) {
            await ctx.sleep(1_000 * (nap + 1));
            const retry = { max: 3, backoff: "fixed", initial: 500 } as const;
            await ctx.parallel([1, 2], (part) => ctx.step(`part-${part}`, () => this.#body(runId)));
            await ctx.parallel([1, 2, 3], (part) =>
              ctx.step(`limited-${part}`, { limit: ofStep, retry }, async ({ attempt }) => {
                await this.#body(runId, { gate: `${wanted} ${key}`, name: `${runId} ${part}` });
                if (part === 1 && attempt < 2) throw new Error("The first attempt fails on purpose.");
              }),
            );
          }
          if (fails) throw new Error("The run fails on purpose.");
        },
      });
      return self;
    };
    return Object.entries(WORKFLOWS).map(([id, names]) => made(id, names));
  }

  #start(runId: string): void {
    const version = this.#random.chance(0.5) ? 1 : 0;
    const host: MemoryHost = new MemoryHost({
      runId,
      world: this.#runs,
      clock: this.#clock,
      ...(this.#first === undefined ? {} : { coordinators: this.#first.coordinators }),
      rev: 1 + version,
      workflows: this.#workflows(version),
      faults: { message: () => this.#messageFault(), undescribed: () => this.#undescribed() },
      onCreate: (one) => this.#watch(one.store, () => this.#crash(one)),
      onCoordinator: (one: MemoryCoordinator) => this.#watch(one.store, () => one.crash(this.#loses)),
    });
    this.#first ??= host;
    const workflowId = this.#random.pick(Object.keys(WORKFLOWS));
    const [fails, invokes] = [this.#random.chance(0.2), this.#random.chance(0.3)];
    const input: Input = { key: this.#random.pick(KEYS), naps: this.#random.below(3), fails, invokes };
    host.trigger(workflowId, input, this.#random.chance(0.2) ? { delayMs: 5_000 } : {});
  }

  /** A body that takes virtual time. */
  async #body(runId: string, step?: Step): Promise<void> {
    const run = this.#runs.get(runId);
    if (run === undefined) return;
    const ofRun = gatesOf(run.header);
    const isOwn = step === undefined || ofRun.includes(step.gate);
    const body: Executing = {
      runId,
      epoch: run.header.epoch,
      gates: isOwn ? ofRun : [...ofRun, step.gate],
      root: this.#rootOf(run.header),
      step: isOwn ? undefined : step,
    };
    this.#executing.add(body);
    this.#check(run.header, step?.gate);
    await new Promise<void>((resolve) => this.#clock.setTimer(1 + this.#random.below(3_000), resolve));
    this.#executing.delete(body);
  }

  /** The furthest ancestor that waits for this run. */
  #rootOf({ id, parent }: RunHeader): string {
    const host = parent === undefined ? undefined : this.#runs.get(parent.runId);
    return host?.triggered === true ? this.#rootOf(host.header) : id;
  }

  /** L1: no limit has more bodies than places, and each of them holds by the header of its run. */
  #check({ id, holds = [], stepHolds = [], undescribed, workflowId }: RunHeader, ofStep: string | undefined): void {
    this.#count(ofStep === undefined ? "body" : "body with a limit");
    const wanted = WORKFLOWS[workflowId]?.length;
    if (undescribed !== undefined || holds.length !== wanted)
      this.findings.push(`a body of ${id} executes with ${holds.length} of ${wanted} limits`);
    for (const { limit: name, state } of holds)
      if (state !== "held") this.findings.push(`a body of ${id} executes although its hold of ${name} is ${state}`);
    if (
      ofStep !== undefined &&
      !stepHolds.some(({ limit: name, key, state }) => `${name} ${key}` === ofStep && state === "held")
    )
      this.findings.push(`a step of ${id} executes without a place at ${ofStep}`);
    for (const gate of new Set([...gatesOf({ holds }), ...(ofStep === undefined ? [] : [ofStep])]))
      this.#checkGate(gate);
  }

  /** Bodies of one run count once, unless each has a place for its step. */
  #checkGate(gate: string): void {
    const [name = "a"] = gate.split(" ");
    const isCurrent = ({ runId, epoch }: Executing): boolean => this.#runs.get(runId)?.header.epoch === epoch;
    const there = [...this.#executing].filter((body) => body.gates.includes(gate) && isCurrent(body));
    const runs = new Set(there.flatMap(({ step, root }) => (step?.gate === gate ? [] : [root])));
    const steps = new Set(
      there.flatMap(({ step, root }) => (step?.gate === gate && !runs.has(root) ? [step.name] : [])),
    );
    const taken = runs.size + steps.size;
    // A cast: the limits of this world.
    const most = Math.max(...MAXES[name as Name]);
    if (taken > most)
      this.findings.push(`${taken} bodies execute at ${gate}: ${there.map(({ root }) => root).join(", ")}`);
  }

  #act(): void {
    const triggered = [...this.#runs.values()].filter((one) => one.triggered);
    if (triggered.length === 0) return;
    const host = this.#random.pick(triggered);
    const act = this.#random.pick(["cancel", "terminate", "pause", "unpause", "crash", "delete", "restate"] as const);
    this.#count(`act: ${act}`);
    switch (act) {
      case "cancel":
        return void host.cancel("a caller");
      case "terminate":
        this.#forget(host.runId);
        return void host.terminate("a caller");
      case "crash":
        return this.#crash(host);
      case "delete":
        return void host.delete();
      case "restate":
        return this.#restate(host);
      default:
        return void host.operate(act);
    }
  }

  /** The request of an operator, who sends it again if it fails. */
  #restate(host: MemoryHost): void {
    try {
      host.host.handle({ type: "restateHolds" });
    } catch (error) {
      if (!(error instanceof SimulatedCrash || error instanceof CommitFailed)) throw error;
    }
  }

  #messageFault(): "lost" | "twice" | "late" | "answer lost" | undefined {
    if (!this.#faults || !this.#random.chance(0.25)) return undefined;
    const fault = this.#random.pick(["lost", "twice", "late", "answer lost"] as const);
    this.#count(`message: ${fault}`);
    return fault;
  }

  /** Whether the step handler cannot be asked. Its outages begin and end at random. */
  #undescribed(): boolean {
    if (this.#random.chance(0.1)) this.#down = this.#random.chance(0.6);
    if (!this.#faults || !this.#down) return false;
    this.#count("undescribed");
    return true;
  }

  /** A commit may fail, or its object dies before or after it. */
  #watch(store: MemoryHost["store"], crash: () => void): void {
    const count = store.afterCommit;
    store.losesCommits = this.#loses;
    store.beforeCommit = () => {
      if (!this.#faults || !this.#random.chance(0.04)) return;
      if (this.#random.chance(0.3)) {
        this.#count("commit fails");
        throw new CommitFailed();
      }
      this.#count("crash before");
      crash();
      throw new SimulatedCrash();
    };
    store.afterCommit = (batch) => {
      count(batch);
      if (!this.#faults || !this.#random.chance(0.04)) return;
      this.#count("crash after");
      crash();
      throw new SimulatedCrash();
    };
  }

  #crash(host: MemoryHost): void {
    this.#forget(host.runId);
    host.crash({ loses: this.#loses });
  }

  /** What a dead process, or a body that outlives its run, still does counts for nothing (L8). */
  #forget(runId: string): void {
    for (const body of this.#executing) if (body.runId === runId) this.#executing.delete(body);
  }

  async #advance(ms: number): Promise<void> {
    const until = this.#clock.now() + ms;
    await this.#first?.settle();
    while ((await this.#first?.next(until)) === true) this.#dropEnded();
    if (this.#clock.now() < until) this.#clock.jump(until - this.#clock.now());
  }

  #dropEnded(): void {
    for (const { runId } of this.#executing) {
      const host = this.#runs.get(runId);
      if (host?.triggered !== true || isTerminal(host.header.status)) this.#forget(runId);
    }
  }

  async #endAll(): Promise<void> {
    for (let minutes = 0; minutes < MINUTES_MAX; minutes++) {
      const open = [...this.#runs.values()].filter((host) => host.triggered && !host.ended);
      if (open.length === 0) return;
      for (const host of open)
        if (host.header.paused !== undefined) host.operate(host.header.paused.by === "engine" ? "retry" : "unpause");
      await this.#advance(60_000);
    }
    for (const { header } of [...this.#runs.values()].filter((host) => host.triggered && !host.ended))
      this.findings.push(
        `${header.id} has not ended: ${header.status}, ${JSON.stringify([header.holds, header.stepHolds])}`,
      );
  }

  /** L2: nothing is held or queued when no run wants anything. */
  #checkFreed(): void {
    for (const { address, store } of this.#first?.coordinators.values() ?? []) {
      const left = Object.keys(store.dump()).filter((key) => key.startsWith("held/") || key.startsWith("queue/"));
      if (left.length > 0) this.findings.push(`the gate ${address.name} has ${left.join(", ")}`);
    }
    for (const { header } of [...this.#runs.values()].filter(({ triggered }) => triggered)) {
      this.#count(`end: ${header.status}`);
      if (header.error?.code === "LIMIT_DEADLOCK") this.#count("end: deadlock");
      if (header.outbox.count > 0) this.findings.push(`${header.id} has ${header.outbox.count} pending messages`);
    }
  }

  #count(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
  }
}

/** The limits and keys of a run. */
function gatesOf({ holds = [] }: Pick<RunHeader, "holds">): string[] {
  return holds.map(({ limit: name, key = "" }) => `${name} ${key}`);
}
