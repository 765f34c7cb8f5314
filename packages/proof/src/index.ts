/** The simulator. The catalogue, the contract suites, the crash test and the output declarations have separate entry points. */
export { BUGS, type BugName } from "./simulator/bugs.ts";
export type { Finding } from "./simulator/oracles/finding.ts";
export { Random } from "./simulator/random.ts";
export { FRAME_SEEDS, type Scenario, TURN_SEEDS, makeScenario } from "./simulator/scenario.ts";
export { type SeedBatch, SeedPool } from "./simulator/seed-pool.ts";
export { shrink } from "./simulator/shrink.ts";
export { type Simulation, runScenario, simulate } from "./simulator/simulate.ts";
