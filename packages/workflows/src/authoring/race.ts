/**
 * `ctx.race`: the first outcome of a group of operations. The others are let go (WAIT11).
 */
import { checkFields, invalid } from "@holdfast/protocol";
import type { Execution } from "../replay/execution.ts";
import { handled } from "../replay/handled.ts";
import type { OpenOperation } from "../replay/operation.ts";
import { checkOutside } from "./checks.ts";
import type { RaceOptions, WorkflowContext } from "./types.ts";

export function createRace(execution: Execution): WorkflowContext["race"] {
  return (members: Readonly<Record<string, PromiseLike<unknown>>>, options: RaceOptions = {}): Promise<never> => {
    checkOutside("ctx.race");
    checkFields(options, ["cancelLosers"], "ctx.race");
    const entries = Object.entries(members ?? {});
    if (entries.length === 0) {
      throw invalid("ctx.race", "has no members, so it would never end.");
    }
    for (const [name, member] of entries) operationOf(execution, name, member);
    const results = entries.map(([name, member]) => member.then((value) => ({ name, value })));
    // The use of a wait that an iteration has used before opens another one: look the operations up afterwards.
    const operations = entries.map(([name, member]) => operationOf(execution, name, member));
    execution.races.open(operations, options.cancelLosers === true);
    return handled(Promise.race(results)) as Promise<never>;
  };
}

/**
 * @throws HoldfastError `INVALID_ARGUMENT` if the member is not the promise of an operation of this run.
 */
function operationOf(execution: Execution, name: string, member: unknown): OpenOperation {
  const operation = Object(member) === member ? execution.races.operationOf.get(member as object) : undefined;
  if (operation !== undefined) return operation;
  throw invalid(
    "ctx.race",
    `the member ${JSON.stringify(name)} must be the promise of a step, stream, sleep, wait, token.wait() or child run of this ctx, as in ctx.race({ stop: ctx.waitForSignal("stop"), tick: ctx.sleep("1m") }). Of other promises use Promise.race, which lets nothing go.`,
  );
}
