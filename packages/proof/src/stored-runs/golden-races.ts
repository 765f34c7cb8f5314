/**
 * Races between operations and every number of microtasks. Replay flags fix their winners (REP8).
 *
 * Owns: the shapes of the races, and the run of one race, live and as a replay. The names of the shapes are keys of the
 * recorded winners.
 */
import { type Workflow, type WorkflowContext, workflow } from "@holdfast/workflows";
import { MemoryHost, type MemoryHostOptions } from "@holdfast/workflows/testing";

const TICKS_MAX = 130;

/** The step between numbers of microtasks across a pipe: every outcome is `quiet` there, and no number changes the winner. */
const TICKS_APART_REMOTE = 10;

type Shape = (ctx: WorkflowContext, race: (one: Promise<unknown>, name: string) => Promise<string>) => Promise<string>;

const ONCE = { retry: { max: 1 } } as const;
const SOON = { retry: { max: 2, initial: "1ms" } } as const;
const SETTLED = Promise.resolve();

async function microtasks(count: number): Promise<string> {
  for (let at = 0; at < count; at++) await SETTLED;
  return "microtasks";
}

const child: Workflow = workflow({ id: "child", run: () => 1 });

/** `race` races an operation against the microtasks, which start together with it. */
export const SHAPES: Readonly<Record<string, Shape>> = {
  "a step": (ctx, race) =>
    race(
      ctx.step("a", () => 1),
      "step",
    ),
  "a step whose body awaits 2 microtasks": (ctx, race) =>
    race(
      ctx.step("a", () => microtasks(2)),
      "step",
    ),
  "a step whose body awaits 6 microtasks": (ctx, race) =>
    race(
      ctx.step("a", () => microtasks(6)),
      "step",
    ),
  "a step whose body awaits 20 microtasks": (ctx, race) =>
    race(
      ctx.step("a", () => microtasks(20)),
      "step",
    ),
  "a step after a step": async (ctx, race) => {
    await ctx.step("first", () => 0);
    return race(
      ctx.step("a", () => 1),
      "step",
    );
  },
  "a step after a sleep": async (ctx, race) => {
    await ctx.sleep(1);
    return race(
      ctx.step("a", () => 1),
      "step",
    );
  },
  "a step after a change of metadata": (ctx, race) => {
    ctx.metadata.set("a", 1);
    return race(
      ctx.step("a", () => 1),
      "step",
    );
  },
  "two steps": (ctx, race) => race(Promise.race([ctx.step("a", () => 1), ctx.step("b", () => 2)]), "step"),
  "two steps in a row": (ctx, race) =>
    race(
      ctx.step("a", () => 1).then(() => ctx.step("b", () => 2)),
      "steps",
    ),
  "a step that fails": (ctx, race) =>
    race(
      ctx.step("a", ONCE, () => Promise.reject(new Error("no"))).catch(() => 1),
      "step",
    ),
  "a step that is retried": (ctx, race) =>
    race(
      ctx.step("a", SOON, ({ attempt }) => (attempt === 1 ? Promise.reject(new Error("no")) : 1)),
      "step",
    ),
  "a once step": (ctx, race) =>
    race(
      ctx.step("a", { once: true }, () => 1),
      "step",
    ),
  "ctx.parallel of one": (ctx, race) =>
    race(
      ctx.parallel([1], (n) => ctx.step("a", () => n)),
      "parallel",
    ),
  "ctx.parallel of three": (ctx, race) =>
    race(
      ctx.parallel([1, 2, 3], (n) => ctx.step("a", () => n)),
      "parallel",
    ),
  "a group": (ctx, race) =>
    race(
      ctx.group("g", () => ctx.step("a", () => 1)),
      "group",
    ),
  "a sleep of no time": (ctx, race) => race(ctx.sleep(0), "sleep"),
  "a signal that is there": (ctx, race) => race(ctx.waitForSignal("early"), "signal"),
  "a child": (ctx, race) => race(ctx.invoke(child, null), "child"),
  "a stream": (ctx, race) =>
    race(
      ctx.stream.text("out", () => ["x"]),
      "stream",
    ),
};

export interface RaceOptions {
  readonly remote: boolean;
  readonly replayFlags?: MemoryHostOptions["replayFlags"];
}

/** Returns the winners for 0, 1, … microtasks, live and on replay. Equal winners are counted: `microtasks×39 step×92`. */
export async function winnersOf(shape: Shape, options: RaceOptions): Promise<{ live: string; replayed: string }> {
  const [live, replayed]: [string[], string[]] = [[], []];
  for (let ticks = 0; ticks <= TICKS_MAX; ticks += options.remote ? TICKS_APART_REMOTE : 1) {
    const winners = await runRace(shape, ticks, options);
    live.push(winners[0] ?? "none");
    replayed.push(winners[1] ?? "none");
  }
  return { live: inRuns(live), replayed: inRuns(replayed) };
}

/** Runs a race until it has a winner, crashes, and replays it from its journal. */
async function runRace(shape: Shape, ticks: number, { remote, replayFlags }: RaceOptions): Promise<string[]> {
  const winners: string[] = [];
  const run = async (ctx: WorkflowContext): Promise<void> => {
    const won = await shape(ctx, (one, name) => Promise.race([one.then(() => name), microtasks(ticks)]));
    winners.push(won);
    await ctx.step(`after ${won}`, () => won);
    await ctx.waitForSignal("go");
  };
  const workflows = [workflow({ id: "race", run: (_input, ctx) => run(ctx) }), child];
  const flags = replayFlags === undefined ? {} : { replayFlags };
  const host = new MemoryHost({ workflows, faults: { remote: () => remote }, ...flags });
  host.trigger("race");
  host.deliver("signal", "early");
  await host.advance(1_000);
  host.crash();
  host.deliver("signal", "go");
  await host.advance();
  return winners;
}

function inRuns(winners: readonly string[]): string {
  const runs: [string, number][] = [];
  for (const winner of winners) {
    const last = runs.at(-1);
    if (last?.[0] === winner) last[1] += 1;
    else runs.push([winner, 1]);
  }
  return runs.map(([winner, count]) => `${winner}×${count}`).join(" ");
}

/** Returns the number of sequential steps that run before an event-loop turn that the function requested. */
export async function stepsBeforeTurn(options: RaceOptions): Promise<string> {
  const counts: number[] = [];
  const run = async (ctx: WorkflowContext): Promise<void> => {
    let turned = false;
    setImmediate(() => {
      turned = true;
    });
    let count = 0;
    for (let at = 0; at < 400; at++) {
      await ctx.step("one", () => at);
      if (!turned) count += 1;
    }
    counts.push(count);
    await ctx.waitForSignal("go");
  };
  const flags = options.replayFlags === undefined ? {} : { replayFlags: options.replayFlags };
  const host = new MemoryHost({ workflows: [workflow({ id: "race", run: (_input, ctx) => run(ctx) })], ...flags });
  host.trigger("race");
  await host.settle();
  host.crash();
  host.deliver("signal", "go");
  await host.advance();
  return counts.join(" ");
}
