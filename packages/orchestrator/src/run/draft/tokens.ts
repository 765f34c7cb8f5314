/**
 * The rows of tokens (WAIT7).
 *
 * Owns: their changes, and what the holder of a public URL may know of them. A token that was answered, timed out or was let
 * go is never open again.
 */
import { FORMAT_VERSION, type OperationId, isTerminal } from "@holdfast/protocol";
import type { Draft } from "./draft.ts";
import { TOKEN_PREFIX, type TokenRow, readRow } from "../state/rows.ts";
import type { RunState } from "../state/run-state.ts";

/** `over`: it was not answered, and nothing can answer it any more. */
export type TokenStanding = "open" | "answered" | "over";

/** Returns how a public token stands at `now`, ms since 1970; `undefined`: this incarnation has no such public token. */
export function publicTokenStanding(
  { header, store, inbox }: RunState,
  tokenId: string,
  incarnation: string,
  now: number,
): TokenStanding | undefined {
  const row = readRow(store, TOKEN_PREFIX, tokenId);
  if (header === undefined || row?.public !== true || header.incarnation !== incarnation) return undefined;
  const isBuffered = [...inbox.values()].some(({ kind, name }) => kind === "token" && name === tokenId);
  if (row.state === "resolved" || isBuffered) return "answered";
  const wakeAt = header.waits.find((wait) => wait.tokenId === tokenId)?.wakeAt ?? Infinity;
  const isClosed = row.state !== "open" || wakeAt <= now || isTerminal(header.status) || header.unwinding !== undefined;
  return isClosed ? "over" : "open";
}

export function issueToken(draft: Draft, tokenId: string, op: OperationId, isPublic: boolean): void {
  const row: TokenRow = { v: FORMAT_VERSION, op, state: "open", ...(isPublic ? { public: true } : {}) };
  draft.put(TOKEN_PREFIX + tokenId, row);
}

/** Stores that a token can no longer be answered. The same transition may have issued the token. */
export function closeToken(draft: Draft, tokenId: string, state: TokenRow["state"], by?: string): void {
  const row: TokenRow = { ...draft.read(TOKEN_PREFIX, tokenId), state, ...(by === undefined ? {} : { by }) };
  draft.put(TOKEN_PREFIX + tokenId, row);
}
