/**
 * The scenarios of the stored runs. Every later build must continue a stored run to the same end (VER1, REP8).
 *
 * Owns: the list: the whole catalogue, races that the number of microtasks decides, and states that the catalogue does
 * not reach. The workflows must never change: fixtures contain the first part of their runs.
 */
import type { Workflow } from "@holdfast/workflows";
import { type Cue, type Tools, makeCatalogue, workflowsOf } from "../catalogue/index.ts";
import { raceScenarios } from "./races.ts";
import type { Scenario } from "./scenario.ts";
import { stateScenarios } from "./states.ts";

export function makeScenarios(tools: Tools): Scenario[] {
  const catalogue = makeCatalogue(tools).map((entry): Scenario => ({ entry }));
  return [...catalogue, ...stateScenarios(tools), ...raceScenarios()].map(withDeliveryIds);
}

/** Gives each delivery a fixed id, which stays the same when only the remaining cues are performed. */
function withDeliveryIds(scenario: Scenario): Scenario {
  const { cues } = scenario.entry;
  if (cues === undefined) return scenario;
  const named = cues.map(({ act, ...cue }, place): Cue => {
    const identified = act.type === "signal" || act.type === "event" ? { deliveryId: `cue-${place}`, ...act } : act;
    return { ...cue, act: identified };
  });
  return { ...scenario, entry: { ...scenario.entry, cues: named } };
}

/** Returns the workflows of one scenario. */
export function workflowsOfScenario({ entry }: Scenario): Workflow[] {
  return workflowsOf([entry]);
}
