/**
 * Starts that this engine does not understand.
 *
 * Owns: the reasons. The orchestrator pauses such a run with `PROTOCOL_MISMATCH` (VER2, REP8).
 */
import { type ExecutionStart, PROTOCOL_VERSION, type ReplayProfile } from "@holdfast/protocol";

/** Why the start cannot be executed here; `undefined`: it can. `profile`: what its replay flags mean, if all are known. */
export function startRefusal(
  { protocol, flags }: ExecutionStart,
  profile: ReplayProfile | undefined,
): string | undefined {
  if (protocol !== PROTOCOL_VERSION)
    return `The orchestrator speaks version ${protocol} of the protocol, this step handler version ${PROTOCOL_VERSION}.`;
  if (profile === undefined)
    return `The run has the replay flags ${flags?.join(", ")}, and this step handler does not know all of them.`;
  return undefined;
}
