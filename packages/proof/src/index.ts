/** How Holdfast is tested: the simulator, and the contract suites that every implementation runs. */
export { BUGS, type BugName } from "./simulator/bugs.ts";
export type { Finding } from "./simulator/oracles.ts";
export { type Scenario, makeScenario } from "./simulator/scenario.ts";
export { shrink } from "./simulator/shrink.ts";
export { type Simulation, playScenario, simulate } from "./simulator/simulate.ts";
