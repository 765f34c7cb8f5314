/**
 * Checks that this engine supports a start message.
 *
 * Owns: the reasons for a refusal. The orchestrator pauses a refused run with `PROTOCOL_MISMATCH` (VER2, REP8).
 */
import {
  type ExecutionPort,
  type ExecutionStart,
  PAGED_PROTOCOL_VERSION,
  PROTOCOL_VERSION,
  type ReplayProfile,
  isEnveloped,
  isKnownEntry,
} from "@holdfast/protocol";

/** Returns the reason for a refusal, or `undefined`. `profile` is undefined if a replay flag is unknown. */
export function startRefusal(
  { protocol, flags, journal, more, input, run }: ExecutionStart,
  profile: ReplayProfile | undefined,
  port: ExecutionPort,
): string | undefined {
  if (protocol !== PROTOCOL_VERSION && protocol !== PAGED_PROTOCOL_VERSION)
    return `The orchestrator uses version ${protocol} of the protocol, this step handler version ${PROTOCOL_VERSION}.`;
  const what =
    profile === undefined
      ? `replay flags ${flags?.join(", ")}`
      : more && !port.readPage
        ? "a journal in pages"
        : (journal.find((entry) => !isKnownEntry(entry))?.type ??
          [input, run.tenantMeta ?? ""].find(isEnveloped)?.slice(0, 9));
  return what && `The run contains ${what}, which this step handler does not support.`;
}
