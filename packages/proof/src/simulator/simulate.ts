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

/** Runs the scenario of a seed. */
export function simulate(seed: number, bug?: BugName): Promise<Simulation> {
  return runScenario(makeScenario(seed), bug);
}

/** Runs a scenario. An exception of the simulation is a finding too. */
export async function runScenario(scenario: Scenario, bug?: BugName): Promise<Simulation> {
  const world = new World(scenario, bug);
  const rejections = new UnhandledRejections();
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
