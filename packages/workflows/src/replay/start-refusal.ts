/**
 * Starts that this engine does not understand.
 *
 * Owns: the reasons. The orchestrator pauses such a run with `PROTOCOL_MISMATCH` (VER2, REP8).
 */
import {
  type ExecutionStart,
  PROTOCOL_VERSION,
  type ReplayProfile,
  isEnveloped,
  isKnownEntry,
} from "@holdfast/protocol";

/** Why the start cannot be executed here; `undefined`: it can. `profile`: what its replay flags mean, if all are known. */
export function startRefusal(
  { protocol, flags, journal, input, run }: ExecutionStart,
  profile: ReplayProfile | undefined,
): string | undefined {
  if (protocol !== PROTOCOL_VERSION)
    return `The orchestrator speaks version ${protocol} of the protocol, this step handler version ${PROTOCOL_VERSION}.`;
  const does = "this step handler does not know";
  if (profile === undefined) return `The run has the replay flags ${flags?.join(", ")}, and ${does} all of them.`;
  const unknown = journal.find((entry) => !isKnownEntry(entry));
  if (unknown !== undefined) return `The journal holds an entry ${unknown.type}, which ${does}.`;
  if (isEnveloped(input) || isEnveloped(run.tenantMeta ?? "")) return `The input has an encoding that ${does}.`;
  return undefined;
}
