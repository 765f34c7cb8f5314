/**
 * The key of a run: what no other run has, of this or another tenant, before or after it (RUN9).
 *
 * Owns: its derivation from tenant, run id and incarnation, and the ids that the orchestrator makes of it. Executions make
 * the others (`stepKeyOf`, `traceparentOf`). Stored runs use them: the derivations never change (VER1).
 */
import {
  LIMITS,
  type OperationId,
  type Traced,
  hashText,
  parseOperationId,
  tenantSegment,
  tokenUrls,
} from "@holdfast/protocol";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import type { RunHeader } from "./run-header.ts";

const KEY_BYTES = 16;
const CHILD_BYTES = 10;

/** Returns the key of a run as a field of `RunFacts`; nothing for a run that older code created. */
export function runKeyOf({ tenantId, id, incarnation }: RunHeader): { readonly runKey?: string } {
  return incarnation === undefined ? {} : { runKey: digest([tenantId ?? null, id, incarnation], KEY_BYTES) };
}

/** Returns where the URLs of the run's tokens start, as fields of `RunFacts` (SEC8). */
export function tokenUrlsOf(header: RunHeader): ReturnType<typeof tokenUrls> {
  const { tenantId, id, incarnation, publicMac } = header;
  const tenant = tenantSegment(tenantId);
  // A run that older code created must replay as before, so it gets a URL. The Worker refuses that URL.
  if (incarnation === undefined) return tokenUrls(header, [tenant, id]);
  return tokenUrls(header, publicMac === undefined ? undefined : [tenant, id, incarnation, publicMac]);
}

/** Returns the facts from which the ids of the run's trace are made. */
export function tracedOf(header: RunHeader): Traced {
  return { id: header.id, traceparent: header.traceparent, ...runKeyOf(header) };
}

/** Makes the id of a child. It is unique for the run and its operation, and cannot be guessed (CHILD1). */
export function childRunId(header: RunHeader, op: OperationId): string {
  const { id, seed } = header;
  const { occurrence, name } = parseOperationId(op);
  const { runKey } = runKeyOf(header);
  const secret =
    runKey === undefined
      ? [1, 2, 3].map((salt) => hashText(`${salt}${seed}${op}`).toString(36)).join("")
      : digest([runKey, seed, op], CHILD_BYTES);
  const readable = `${id}.${name}.${occurrence}-${secret}`;
  return readable.length <= LIMITS.nameBytes && isPlain(readable) ? readable : `child.${hashText(id)}-${secret}`;
}

/** The parts are encoded as JSON: different lists give different texts. */
function digest(parts: readonly (string | null)[], bytes: number): string {
  return bytesToHex(sha256(utf8ToBytes(JSON.stringify(parts))).slice(0, bytes));
}

function isPlain(text: string): boolean {
  return /^[\w.-]*$/.test(text);
}
