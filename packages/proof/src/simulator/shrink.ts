/**
 * Shrinks a failing scenario as long as it still fails.
 *
 * Owns: the order of smaller scenarios: fewer actions, fewer faults, fewer and simpler parts of the program.
 */
import type { Program } from "./program.ts";
import type { Scenario } from "./scenario.ts";

/** Returns the smallest failing scenario that it finds within `tries` simulations. */
export async function shrink(
  scenario: Scenario,
  fails: (scenario: Scenario) => Promise<boolean>,
  tries = 3_000,
): Promise<Scenario> {
  let smallest = scenario;
  let left = tries;
  for (let found = true; found && left > 0;) {
    found = false;
    for (const candidate of smaller(smallest)) {
      if (left-- <= 0) break;
      if (!(await fails(candidate))) continue;
      smallest = candidate;
      found = true;
      break;
    }
  }
  return smallest;
}

function* smaller(scenario: Scenario): Generator<Scenario, void> {
  const { actions, faults, program, timeoutMs, remote, resume } = scenario;
  for (let place = actions.length - 1; place >= 0; place--) yield { ...scenario, actions: actions.toSpliced(place, 1) };
  for (let place = faults.length - 1; place >= 0; place--) yield { ...scenario, faults: faults.toSpliced(place, 1) };
  if (timeoutMs !== undefined) yield { ...scenario, timeoutMs: undefined };
  if (resume !== undefined) yield { ...scenario, resume: undefined };
  if (scenario.flags !== undefined) {
    const { flags: _flags, ...newest } = scenario;
    yield newest;
  }
  if (scenario.retentionMs !== undefined) {
    const { retentionMs: _retentionMs, ...stored } = scenario;
    yield stored;
  }
  if (scenario.turns !== undefined) {
    const { turns: _turns, ...inMemory } = scenario;
    yield inMemory;
  }
  if (scenario.partChars !== undefined) {
    const { partChars: _partChars, ...whole } = scenario;
    yield whole;
  }
  if (scenario.limits !== undefined) {
    const { limits: _limits, ...unlimited } = scenario;
    yield unlimited;
  }
  if (scenario.loses === true) {
    const { loses: _loses, ...keeps } = scenario;
    yield keeps;
  }
  if (remote !== "never") yield { ...scenario, remote: "never" };
  for (const less of smallerPrograms(program)) yield { ...scenario, program: less };
}

function* smallerPrograms(program: Program): Generator<Program, void> {
  if ("parts" in program) {
    const { parts } = program;
    yield* parts;
    if (parts.length > 1) for (const place of parts.keys()) yield { ...program, parts: parts.toSpliced(place, 1) };
    for (const [place, part] of parts.entries()) {
      for (const less of smallerPrograms(part)) {
        // The members of ctx.race and the shielded steps stay operations.
        const fits =
          program.kind === "first" || (program.kind === "cleanup" && place > 0) ? less.kind === part.kind : true;
        if (fits) yield { ...program, parts: parts.with(place, less) };
      }
    }
    if (program.kind !== "sequence") yield { ...program, kind: "sequence" };
  } else if (program.kind === "child") {
    yield program.body;
    for (const body of smallerPrograms(program.body)) yield { ...program, body };
  } else if (program.kind === "step") {
    if (program.failures > 0) yield { ...program, failures: 0 };
    if (program.undo !== "none") yield { ...program, undo: "none" };
    if (program.ms > 0) yield { ...program, ms: 0 };
    if (program.once) yield { ...program, once: false };
    if (program.timeoutMs !== undefined) yield { ...program, timeoutMs: undefined };
  }
}
