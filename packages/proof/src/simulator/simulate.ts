/**
 * Runs the scenario of a seed, or a given scenario, and returns the findings.
 */
import type { BugName } from "./bugs.ts";
import type { Finding } from "./oracles/finding.ts";
import { UnhandledRejections } from "./oracles/rejections.ts";
import { type Scenario, makeScenario } from "./scenario.ts";
import { World } from "./world.ts";

export interface Simulation {
  readonly scenario: Scenario;
  readonly findings: readonly Finding[];
  /** The number of occurrences of each operation, fault, action and end. */
  readonly counts: ReadonlyMap<string, number>;
  /** The longest time from the end of a fault to the next progress, ms, by kind of fault (DUR9). */
  readonly longest: ReadonlyMap<string, number>;
  /** Returns all observations and stored rows. Equal scenarios have equal traces. */
  readonly trace: () => string;
}

export interface SimulationOptions {
  /**
   * Programs leave rejections of their own promises without a handler. The engine must take them, but a test runner that
   * listens sees them, too.
   */
  readonly leavesRejections?: boolean;
}

/** Runs the scenario of a seed. */
export function simulate(seed: number, bug?: BugName, options?: SimulationOptions): Promise<Simulation> {
  return runScenario(makeScenario(seed), bug, options);
}

/** Runs a scenario. An exception of the simulation is a finding too. */
export async function runScenario(
  scenario: Scenario,
  bug?: BugName,
  { leavesRejections = false }: SimulationOptions = {},
): Promise<Simulation> {
  const world = new World(scenario, bug, !leavesRejections);
  const rejections = new UnhandledRejections(leavesRejections);
  const findings = await world.run().then(
    () => world.findings,
    (error: Error): Finding[] => [
      ...world.findings,
      { oracle: "progress", text: `the simulation threw: ${error.stack ?? error.message}` },
    ],
  );
  findings.push(...(await rejections.end()));
  return { scenario, findings, counts: world.counts, longest: world.longest, trace: () => world.trace() };
}
