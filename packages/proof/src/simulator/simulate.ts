/**
 * Runs the scenario of a seed, or a given scenario, and returns the findings.
 */
import type { BugName } from "./bugs.ts";
import type { Finding } from "./oracles/finding.ts";
import { type Scenario, makeScenario } from "./scenario.ts";
import { World } from "./world.ts";

export interface Simulation {
  readonly scenario: Scenario;
  readonly findings: readonly Finding[];
  /** The number of occurrences of each operation, fault, action and end. */
  readonly counts: ReadonlyMap<string, number>;
  /** Returns all observations and stored rows. Equal scenarios have equal traces. */
  readonly trace: () => string;
}

/** Runs the scenario of a seed. */
export function simulate(seed: number, bug?: BugName): Promise<Simulation> {
  return runScenario(makeScenario(seed), bug);
}

/** Runs a scenario. An exception of the simulation is a finding too. */
export async function runScenario(scenario: Scenario, bug?: BugName): Promise<Simulation> {
  const world = new World(scenario, bug);
  const findings = await world.run().then(
    () => world.findings,
    (error: Error): Finding[] => [
      ...world.findings,
      { oracle: "progress", text: `the simulation threw: ${error.stack ?? error.message}` },
    ],
  );
  return { scenario, findings, counts: world.counts, trace: () => world.trace() };
}
