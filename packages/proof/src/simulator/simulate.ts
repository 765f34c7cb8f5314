/**
 * From a seed or a scenario to what was found.
 */
import type { BugName } from "./bugs.ts";
import type { Finding } from "./oracles.ts";
import { type Scenario, makeScenario } from "./scenario.ts";
import { World } from "./world.ts";

export interface Simulation {
  readonly scenario: Scenario;
  readonly findings: readonly Finding[];
  /** How often each operation, fault, outsider and end occurred. */
  readonly counts: ReadonlyMap<string, number>;
  /** All that was seen and stored: the same for the same scenario. */
  readonly trace: () => string;
}

/** Plays the scenario of a seed. */
export function simulate(seed: number, bug?: BugName): Promise<Simulation> {
  return playScenario(makeScenario(seed), bug);
}

/** Plays a scenario. What breaks down is a finding too. */
export async function playScenario(scenario: Scenario, bug?: BugName): Promise<Simulation> {
  const world = new World(scenario, bug);
  const findings = await world.play().then(
    () => world.findings,
    (error: Error): Finding[] => [
      ...world.findings,
      { oracle: "progress", text: `broke down: ${error.stack ?? error.message}` },
    ],
  );
  return { scenario, findings, counts: world.counts, trace: () => world.trace() };
}
