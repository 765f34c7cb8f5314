/**
 * Continues a world of stored runs with new processes, and returns the end of each run.
 *
 * Owns: the form that is compared: the fields of a run that a caller can read, and its journal without times and secrets.
 */
import type { RunHeader } from "@holdfast/orchestrator";
import type { JournalEntry } from "@holdfast/protocol";
import { MemoryHost, VirtualClock } from "@holdfast/workflows/testing";
import { type Tools, runEntry } from "../catalogue/index.ts";
import { contractHostOf } from "../catalogue/memory-contract-host.ts";
import type { Scenario } from "./scenario.ts";
import { makeScenarios, workflowsOfScenario } from "./scenarios.ts";
import { type StoredCommit, storesOf } from "./store-log.ts";

/** The run under test, and the run from which it was resumed. */
export const MAIN_RUN = "main";
export const PARENT_RUN = "parent";

/** The end of each run, by run id. */
export type End = Readonly<Record<string, { readonly [what: string]: unknown; readonly journal: readonly unknown[] }>>;

/** The number of timers that may fire after the end. A world with more is stuck. */
const AFTERWARDS_MAX = 500;

/** Returns the scenarios. Their steps sleep on this clock. */
export function scenariosOn(clock: VirtualClock): Scenario[] {
  const sleep: Tools["sleep"] = (ms, signal) =>
    new Promise((resolve, reject) => {
      const cancel = clock.setTimer(ms, resolve);
      signal?.addEventListener("abort", () => {
        cancel();
        reject(signal.reason as Error);
      });
    });
  return makeScenarios({ sleep });
}

/** Continues the runs from the state after the last of these commits. */
export async function continueFrom(title: string, commits: readonly StoredCommit[]): Promise<End> {
  const last = commits.at(-1);
  const clock = new VirtualClock(last?.now);
  const scenario = scenariosOn(clock).find(({ entry }) => entry.title === title);
  if (scenario === undefined || last === undefined) throw new Error(`there is no scenario ${JSON.stringify(title)}`);
  const world = new Map<string, MemoryHost>();
  const workflows = workflowsOfScenario(scenario);
  const faults = { remote: () => scenario.remote === true };
  const index = scenario.observed === true ? { index: new Map() } : {};
  for (const [runId, store] of storesOf(commits)) {
    // A child that starts only now gets the flags of its parent, so that it ends as with the code that stored the parent.
    const { flags: newest = [] } = store.get("record") as RunHeader;
    const replayFlags = { newest };
    world.set(runId, new MemoryHost({ workflows, clock, world, runId, store, faults, replayFlags, ...index }));
  }
  const { entry } = scenario;
  return endOf(world, { ...scenario, entry: { ...entry, cues: entry.cues?.slice(last.cues) ?? [] } });
}

/** Runs the rest of a scenario to its end, and lets all other runs of the world end. */
async function endOf(world: ReadonlyMap<string, MemoryHost>, { entry }: Scenario): Promise<End> {
  const main = world.get(MAIN_RUN);
  if (main === undefined) throw new Error("assertion: the world has no main run");
  await runEntry(
    contractHostOf(() => main),
    entry,
    MAIN_RUN,
  );
  for (let fired = 0; await main.next(); fired++) {
    if (fired > AFTERWARDS_MAX) throw new Error("timers fire without end");
  }
  return Object.fromEntries([...world].map(([runId, host]) => [runId, describe(host)]));
}

function describe({ header, journal }: MemoryHost): End[string] {
  const { status, output, error, metadata, uncompensated, resumedBy } = header;
  const visible = { status, output, error, metadata, uncompensated, resumedBy, journal: journal.map(withoutTimes) };
  return JSON.parse(JSON.stringify(visible, withoutOwnMessages)) as End[string];
}

/** Removes times and random values, which may differ, and what the code that recorded the runs did not write. */
function withoutTimes(entry: JournalEntry): object {
  const left = new Set(["v", "at", "startedAt", "retryAt", "wakeAt", "tokenId", "max"]);
  return Object.fromEntries(Object.entries(entry).filter(([key]) => !left.has(key)));
}

/** Removes stacks, and the engine's own messages: their wording may change, but their codes must not. */
function withoutOwnMessages(this: unknown, key: string, value: unknown): unknown {
  const { name } = this as { readonly name?: unknown };
  return key === "stack" || (key === "message" && name === "HoldfastError") ? undefined : value;
}
