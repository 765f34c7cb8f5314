/**
 * Random pools, as authors write them by hand: branches that share an iterator, a queue, a semaphore or a promise, and use
 * one name. And ordinary shapes beside them, whose results a resumed run takes over.
 *
 * Owns: the play of a pool: a parent, and runs that are resumed from it one after another. Each operation of an item has
 * its own result, which the function checks (RES3).
 */
import { type Inheritance, planResume } from "@holdfast/orchestrator";
import { type EntryBody, decodeValue, encodeValue, hashText, isTerminal } from "@holdfast/protocol";
import { FatalError, type Workflow, type WorkflowContext, workflow } from "@holdfast/workflows";
import { MemoryHost } from "@holdfast/workflows/testing";
import { Random } from "../src/simulator/random.ts";
import { eventLoopTurn } from "./run-workflow.ts";

/** What the function of a pool uses. Its values are equal in each execution. */
export interface Pool {
  readonly ctx: WorkflowContext;
  readonly items: readonly number[];
  readonly workers: readonly number[];
  /** Returns a number below `bound`, always the same for one purpose. */
  readonly choose: (purpose: string, bound: number) => number;
  /** Executes a step of an item and checks its result. `undo`: it has a compensation, so a resumed run executes it again. */
  readonly step: (name: string, item: number | string, undo?: boolean) => Promise<void>;
  /** Executes a child run for an item, or a step that fails once and whose item is put back. */
  readonly child: (item: number) => Promise<void>;
  readonly failing: (item: number) => Promise<boolean>;
  /** What may come first for an item: nothing, a sleep, a step that a resumed run executes again, or a stream. */
  readonly prepare: (item: number | string) => Promise<void>;
}

/** What the runs of one pool did. */
export interface Played {
  readonly kind: string;
  readonly resumes: number;
  /** Results that an operation of another item received. */
  readonly swaps: readonly string[];
  /** Bodies that executed although the run could have taken over their results. */
  readonly again: readonly string[];
}

/** Plays the pool of a seed, in one of these shapes. */
export async function playPool(
  seed: number,
  kinds: Readonly<Record<string, (pool: Pool) => unknown>>,
): Promise<Played> {
  const random = new Random(seed);
  const kind = random.pick(Object.keys(kinds));
  const play = new Play(seed, random, kinds[kind] as (pool: Pool) => unknown);
  return { kind, ...(await play.all()) };
}

class Play {
  readonly #seed: number;
  readonly #random: Random;
  readonly #items: readonly number[];
  readonly #workers: readonly number[];
  readonly #shape: (pool: Pool) => unknown;
  readonly #swaps: string[] = [];
  readonly #again: string[] = [];
  /** The results that the run may take over. */
  #offered: ReadonlySet<unknown> = new Set();
  #broken = true;
  #run = "";

  constructor(seed: number, random: Random, shape: (pool: Pool) => unknown) {
    this.#seed = seed;
    this.#random = random;
    this.#shape = shape;
    this.#items = Array.from({ length: 3 + random.below(6) }, (_, item) => item);
    this.#workers = Array.from({ length: 2 + random.below(2) }, (_, worker) => worker);
  }

  async all(): Promise<Omit<Played, "kind">> {
    const workflows = [
      workflow({ id: "pool", run: (_input: unknown, ctx) => this.#execute(ctx) }),
      workflow({ id: "kid", run: (item: number) => `child ${item}` }),
    ];
    let parent = new MemoryHost({ workflows });
    parent.trigger("pool");
    await parent.advance();
    let resumes = 0;
    for (; resumes < 3 && isTerminal(parent.header.status); resumes++) {
      const inherited = this.#plan(parent);
      if (inherited === undefined) break;
      this.#broken = this.#random.chance(0.4);
      this.#offered = offeredBy(inherited);
      parent = await this.#resume(parent, inherited, workflows);
    }
    return { resumes, swaps: this.#swaps, again: this.#again };
  }

  #plan({ header, journal }: MemoryHost): Inheritance | undefined {
    const steps = journal.filter(({ op }) => op.startsWith("step/")).map(({ op }) => op);
    const [, occurrence = "0", name = ""] = /^step\/(\d+)\/(.*)$/s.exec(this.#random.pick(steps) ?? "") ?? [];
    const failed = header.error?.step !== undefined && this.#random.chance(0.8);
    const from = failed ? undefined : { name, occurrence: Number(occurrence) };
    const seeds = this.#random.chance(0.1) ? [[name, encodeValue("seeded", name)] as const] : [];
    const plan = planResume(header, journal, { resumeFromStep: from, seedResults: seeds });
    return "type" in plan ? undefined : plan;
  }

  async #resume(parent: MemoryHost, inherited: Inheritance, workflows: readonly Workflow[]): Promise<MemoryHost> {
    this.#run += "+";
    const runId = `${parent.runId}+`;
    const crashAfterCommits = this.#random.chance(0.2) ? [1 + this.#random.below(20)] : [];
    const pageSize = this.#random.chance(0.3) ? { entries: 1 + this.#random.below(6), chars: 1_000 } : undefined;
    const remote = this.#random.chance(0.3);
    const { world, clock } = parent;
    const faults = { remote: () => remote };
    const host = new MemoryHost({ workflows, world, clock, runId, crashAfterCommits, pageSize, faults });
    host.trigger("pool", undefined, { inherited });
    await host.advance();
    return host;
  }

  async #execute(ctx: WorkflowContext): Promise<void> {
    const choose = (purpose: string, bound: number): number => new Random(this.#seed + hashText(purpose)).below(bound);
    const step: Pool["step"] = (name, item, undo = false) => this.#step(ctx, name, item, undo);
    const attempts = new Map<number, number>();
    const pool: Pool = {
      ctx,
      items: this.#items,
      workers: this.#workers,
      choose,
      step,
      child: async (item) => this.#check(`child ${item}`, await ctx.invoke({ id: "kid" }, item)),
      failing: async (item) => {
        const attempt = (attempts.get(item) ?? 0) + 1;
        attempts.set(item, attempt);
        const fails = attempt === 1 && choose(`fails ${item}`, 3) === 0;
        const got = await ctx
          .step("work", () => this.#body(`work ${item}.${attempt}`, fails))
          .catch((error: Error) => error.message);
        this.#check(`work ${item}.${attempt}`, got);
        return !fails;
      },
      prepare: async (item) => {
        const what = choose(`prepare ${item}`, 6);
        if (what === 0) await ctx.sleep(1 + choose(`sleep ${item}`, 50));
        if (what === 1 || what === 2) await step("prepare", item, what === 1);
        if (what === 3 && choose("streams", 2) === 0) await ctx.stream.text("log", [`${item}`]);
      },
    };
    const first = choose("first", 3);
    if (first === 0) await step("begin", "begin", true);
    if (first === 1) await ctx.stream.text("start", ["start"]);
    await this.#shape(pool);
    await ctx.step("end", () => (this.#broken ? Promise.reject(new FatalError("end")) : 1));
  }

  async #step(ctx: WorkflowContext, name: string, item: number | string, undo: boolean): Promise<void> {
    const label = `${name} ${item}`;
    const fails = this.#broken && this.#random.chance(0.03);
    const body = (): Promise<string> => {
      if (this.#offered.has(label)) this.#again.push(`${this.#run} ${label}`);
      return this.#body(label, fails, true);
    };
    this.#check(label, await ctx.step(name, undo ? { compensate: () => {} } : {}, body));
  }

  /** A body ends after some turns of the event loop. */
  async #body(label: string, fails: boolean, fatal = false): Promise<string> {
    const turns = this.#random.chance(0.3) ? 0 : this.#random.below(8);
    for (let turn = 0; turn < turns; turn++) await eventLoopTurn();
    if (fails) throw new FatalError(fatal ? `broken ${label}` : label);
    return label;
  }

  #check(label: string, got: unknown): void {
    if (got !== label && got !== "seeded") this.#swaps.push(`${this.#run} ${label} got ${String(got)}`);
  }
}

function offeredBy({ entries, outcomes, lineage }: Inheritance): Set<unknown> {
  const bodies: readonly EntryBody[] = [...entries, ...outcomes, ...(lineage?.outcomes ?? []).map(({ body }) => body)];
  return new Set(bodies.flatMap((body) => (body.type === "step.completed" ? [decodeValue(body.value)] : [])));
}
