/**
 * One simulated world: a random program, random outsiders, random faults, from one seed.
 *
 * Owns: the order of events. Everything in it is the real orchestrator and the real replay engine; only clock, network,
 * storage and chance are the simulator's.
 */
import type { JournalEntry } from "@holdfast/protocol";
import { MemoryHost, SimulatedCrash } from "@holdfast/workflows/testing";
import { VirtualClock } from "@holdfast/workflows/testing";
import { BUGS, type BugName } from "./bugs.ts";
import { toWorkflows } from "./interpreter.ts";
import { Observations } from "./observations.ts";
import {
  checkAcknowledged,
  checkAlarm,
  checkCompensation,
  checkMetadata,
  checkProgress,
  checkTerminal,
} from "./oracles.ts";
import { type Program, makeProgram } from "./program.ts";
import { Random } from "./random.ts";

export interface Simulation {
  readonly seed: number;
  readonly violations: readonly string[];
  readonly program: Program;
  /** How often each operation, fault, outsider and end occurred. */
  readonly counts: ReadonlyMap<string, number>;
  /** All that was seen and stored: the same for the same seed. */
  readonly trace: string;
}

/** Faults happen in this first part of a run's commits; afterwards it must come to its end. */
const FAULTS_MAX = 6;
const PATIENCE_MINUTES = 20;

export async function simulate(seed: number, bug?: BugName): Promise<Simulation> {
  const world = new SimulatedWorld(seed, bug);
  await world.run();
  return world.result();
}

class SimulatedWorld {
  readonly #seed: number;
  readonly #random: Random;
  readonly #clock = new VirtualClock();
  readonly #observations = new Observations();
  readonly #program: Program;
  readonly #root: MemoryHost;
  readonly #counts = new Map<string, number>();
  readonly #acknowledged = new Map<string, Set<string>>();
  readonly #violations: string[] = [];
  #faultsLeft: number;
  #deliveries = 0;

  constructor(seed: number, bug: BugName | undefined) {
    this.#seed = seed;
    this.#random = new Random(seed);
    this.#program = makeProgram(this.#random);
    this.#faultsLeft = this.#random.chance(0.2) ? 0 : 1 + this.#random.below(FAULTS_MAX);
    this.#countProgram(this.#program);
    this.#root = new MemoryHost({
      clock: this.#clock,
      workflows: toWorkflows(this.#program, this.#clock, this.#observations),
      onCreate: (host) => this.#watch(host),
      ...(bug === undefined ? {} : { tamper: (start) => BUGS[bug].start?.(start) ?? start }),
    });
    this.#bug = bug;
  }

  #bug: BugName | undefined;

  async run(): Promise<void> {
    this.#root.trigger(
      "root",
      undefined,
      this.#random.chance(0.1) ? { timeoutMs: 1_000 + this.#random.below(10_000) } : {},
    );
    const actions = this.#random.below(8);
    for (let i = 0; i < actions && !this.#root.ended; i++) {
      await this.#root.advance(this.#random.below(1_500));
      this.#act();
    }
    this.#faultsLeft = 0;
    this.#settleOperators();
    await this.#goOnUndisturbed();
    this.#check();
  }

  #hosts(): MemoryHost[] {
    return [...this.#root.world.values()].filter((host) => host.triggered);
  }

  /** Nothing hinders any more: each run gets on within a minute, and all of them come to their ends (DUR5). */
  async #goOnUndisturbed(): Promise<void> {
    for (let patience = PATIENCE_MINUTES; patience > 0; patience--) {
      const open = this.#hosts().filter((host) => !host.ended || host.header.outbox.count > 0);
      const before = open.map(progressOf);
      const [host] = open;
      if (host === undefined) break;
      await this.#root.settle();
      await host.advance(60_000);
      for (const [place, one] of open.entries()) {
        const waits = one.header.waits.some((wait) => wait.kind === "RUN");
        if (!waits && progressOf(one) === before[place])
          this.#violations.push(`progress: ${one.runId} (${one.header.status}) did nothing for a minute`);
      }
    }
    await this.#root.settle();
  }

  /** Somebody outside does something. */
  #act(): void {
    const hosts = [...this.#root.world].filter(([, host]) => host.triggered && !host.ended);
    if (hosts.length === 0) return;
    const [id, host] = this.#random.pick(hosts);
    const roll = this.#random.next();
    if (roll < 0.5) this.#deliver(id, host);
    else if (roll < 0.6) this.#resolveToken(host);
    else if (roll < 0.68) this.#count("outsider: cancel", () => host.cancel("by the simulator"));
    else if (roll < 0.76) this.#count("outsider: pause", () => host.operate("pause"));
    else if (roll < 0.84) this.#count("outsider: unpause", () => host.operate("unpause"));
    else if (roll < 0.92) this.#count("fault: eviction", () => this.#crash(id, host, false));
    else if (roll < 0.96) this.#count("fault: zombie", () => this.#crash(id, host, true));
    else this.#count("fault: clock jump", () => this.#clock.jump(this.#random.below(20_000)));
  }

  #deliver(id: string, host: MemoryHost): void {
    // Now and then the same delivery again.
    const delivery = `d${this.#random.chance(0.8) ? ++this.#deliveries : this.#random.below(this.#deliveries + 1)}-${id}`;
    const reply = host.deliver(
      this.#random.pick(["signal", "event"] as const),
      this.#random.pick(["a", "b"]),
      delivery,
      delivery,
    );
    this.#count(`outsider: delivery ${reply.type === "delivered" ? reply.delivery : reply.type}`);
    if (reply.type !== "delivered") return;
    const known = this.#acknowledged.get(id) ?? new Set();
    this.#acknowledged.set(id, known.add(delivery));
  }

  #resolveToken(host: MemoryHost): void {
    const tokens = host.header.waits.flatMap(({ tokenId }) => (tokenId === undefined ? [] : [tokenId]));
    if (tokens.length > 0) this.#count("outsider: token", () => host.resolveToken(this.#random.pick(tokens), "answer"));
  }

  #settleOperators(): void {
    for (const host of this.#hosts()) if (host.header.paused?.by === "operator") host.operate("unpause");
  }

  /** A host of the world is made: its commits may fail or be the last of its process. */
  #watch(host: MemoryHost): void {
    const count = host.store.afterCommit;
    host.store.beforeCommit = (batch) => {
      if (!this.#faultStrikes()) return;
      this.#count("fault: crash before a write");
      this.#crash(idOf(batch.puts, host), host, false);
      throw new SimulatedCrash();
    };
    host.store.afterCommit = (batch) => {
      count(batch);
      const id = idOf(batch.puts, host);
      this.#observations.committed(id, batch);
      if (this.#bug !== undefined) BUGS[this.#bug].stored?.(host.store, batch);
      if (!this.#faultStrikes()) return;
      this.#count("fault: crash behind a write");
      this.#crash(id, host, this.#random.chance(0.2));
      throw new SimulatedCrash();
    };
  }

  #faultStrikes(): boolean {
    if (this.#faultsLeft === 0 || !this.#random.chance(0.06)) return false;
    this.#faultsLeft -= 1;
    return true;
  }

  #crash(id: string, host: MemoryHost, zombies: boolean): void {
    this.#observations.freeze(id);
    host.crash({ zombies });
  }

  #check(): void {
    this.#violations.push(...this.#observations.violations);
    for (const host of this.#hosts()) {
      const id = host.runId;
      this.#violations.push(
        ...checkProgress(id, host),
        ...checkAlarm(id, host),
        ...checkAcknowledged(id, host, this.#acknowledged),
        ...checkCompensation(id, host),
        ...checkMetadata(id, host),
        ...checkTerminal(id, host),
      );
      this.#count(`end: ${host.header.status}`);
      for (const entry of host.journal as JournalEntry[]) this.#count(`journal: ${entry.type}`);
    }
  }

  #countProgram(program: Program): void {
    this.#count(`program: ${program.kind}`);
    if ("parts" in program) for (const part of program.parts) this.#countProgram(part);
    if (program.kind === "child") this.#countProgram(program.body);
  }

  #count(what: string, act?: () => unknown): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + 1);
    act?.();
  }

  result(): Simulation {
    const stored = [...this.#root.world].map(([id, host]) => [id, host.store.dump()]);
    return {
      seed: this.#seed,
      violations: this.#violations,
      program: this.#program,
      counts: this.#counts,
      trace: this.#observations.trace() + JSON.stringify(stored),
    };
  }
}

/** What changes whenever a run gets on. */
function progressOf({ journal, header }: MemoryHost): string {
  return `${journal.length} ${header.status} ${header.outbox.count}`;
}

/** The id of the run that a host holds, also before its first commit. */
function idOf(puts: ReadonlyMap<string, object>, host: MemoryHost): string {
  const record = puts.get("record") as { readonly id: string } | undefined;
  return record?.id ?? host.runId;
}
