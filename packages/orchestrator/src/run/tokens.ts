/**
 * The rows of tokens (WAIT7).
 *
 * Owns: their changes. A token that was answered, timed out or was let go is never open again.
 */
import { FORMAT_VERSION, type OperationId } from "@holdfast/protocol";
import type { Draft } from "./draft.ts";
import { TOKEN_PREFIX, type TokenRow } from "./rows.ts";

export function issueToken(draft: Draft, tokenId: string, op: OperationId, isPublic: boolean): void {
  const row: TokenRow = { v: FORMAT_VERSION, op, state: "open", ...(isPublic ? { public: true } : {}) };
  draft.put(TOKEN_PREFIX + tokenId, row);
}

/** Stores that a token can no longer be answered. The same transition may have issued the token. */
export function closeToken(draft: Draft, tokenId: string, state: TokenRow["state"]): void {
  const row: TokenRow = { ...draft.read(TOKEN_PREFIX, tokenId), state };
  draft.put(TOKEN_PREFIX + tokenId, row);
}
