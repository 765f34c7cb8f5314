/** How Holdfast is tested: the simulator, and the contract suites that every implementation runs. */
export { BUGS, type BugName } from "./simulator/bugs.ts";
export { type Simulation, simulate } from "./simulator/simulate.ts";
