/** Races between operations and a number of microtasks. The constants of the replay scheduler decide the winner (REP8). */
import type { WorkflowContext } from "@holdfast/workflows";
import type { Scenario } from "./scenario.ts";

const SETTLED = Promise.resolve();

/** Takes `count` sequential microtasks. */
async function microtasks(count: number): Promise<string> {
  for (let at = 0; at < count; at++) await SETTLED;
  return "ticks";
}

type Race = (ctx: WorkflowContext, ticks: number) => Promise<string>;

const againstStep: Race = (ctx, ticks) => Promise.race([ctx.step("a", () => 1).then(() => "step"), microtasks(ticks)]);

/** Races with their numbers of microtasks: numbers around the point where the winner changes, and numbers far from it. */
const RACES: readonly (readonly [name: string, ticks: readonly number[], race: Race])[] = [
  ["one step", [0, 30, 34, 36, 37, 38, 39, 40, 41, 42, 46, 60, 110], againstStep],
  [
    "an async step",
    [35, 38, 40, 43],
    (ctx, ticks) => Promise.race([ctx.step("a", () => microtasks(6)).then(() => "step"), microtasks(ticks)]),
  ],
  [
    "a step after a step",
    [0, 54, 58, 60, 61, 62, 63, 64, 65, 67, 70, 110],
    async (ctx, ticks) => {
      await ctx.step("first", () => 0);
      return againstStep(ctx, ticks);
    },
  ],
  [
    "two steps",
    [0, 39, 64, 120],
    (ctx, ticks) =>
      Promise.race([ctx.step("a", () => 1).then(() => "a"), ctx.step("b", () => 2).then(() => "b"), microtasks(ticks)]),
  ],
  [
    "a short sleep",
    [0, 39, 64, 120],
    (ctx, ticks) => Promise.race([ctx.sleep(0).then(() => "slept"), microtasks(ticks)]),
  ],
];

export function raceScenarios(): Scenario[] {
  return RACES.flatMap(([name, numbers, race]) =>
    numbers.flatMap((ticks): Scenario[] => {
      const run = async (ctx: WorkflowContext): Promise<unknown> => {
        const won = await race(ctx, ticks);
        await ctx.step(`after-${won}`, () => won);
        return [won, await ctx.waitForSignal("go")];
      };
      const cues = [{ when: { waitsFor: "go" }, act: { type: "signal", name: "go", payload: 1 } }] as const;
      const title = `race ${ticks} microtasks against ${name}`;
      const entry = { title, run, cues, outcome: { status: "completed" } };
      const across: Scenario = { entry: { ...entry, title: `${title}, across a pipe` }, remote: true };
      return ticks % 4 === 0 ? [{ entry }, across] : [{ entry }];
    }),
  );
}
