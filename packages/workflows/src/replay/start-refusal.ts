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
  const what =
    profile === undefined
      ? `replay flags ${flags?.join(", ")}`
      : (journal.find((entry) => !isKnownEntry(entry))?.type ??
        [input, run.tenantMeta ?? ""].find(isEnveloped)?.slice(0, 9));
  return what && `This step handler does not know what the run has: ${what}.`;
}
