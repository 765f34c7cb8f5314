/**
 * The commands that a coordinator has executed, by the key of their request: a caller whose answer is lost repeats it (API10).
 *
 * Owns: the rows of the newest commands, a ring buffer.
 *
 * Invariants
 * - AC1 The row is in the commit of the effect. Neither a command that was refused nor one that finds no object has a row.
 */
import { FORMAT_VERSION, HOST_LIMITS, defined } from "@holdfast/protocol";
import { isObject } from "../json-schema/schema.ts";

const ACT_PREFIX = "act/";

/** The key of a request, and the caller that sent it. */
export interface RequestKey {
  readonly key: string;
  readonly by: string;
}

/** How many commands with a key there were, and when the newest one was, ms since 1970. */
export interface ActsState {
  readonly count: number;
  readonly at: number;
}

interface ActRow extends RequestKey {
  readonly v: number;
  /** The type of the command. */
  readonly type: string;
  readonly at: number;
  /** The body of the reply, if the record of the object does not answer it. */
  readonly body?: object | undefined;
}

/** The decision of a coordinator. */
interface Draft {
  readonly now: number;
  readonly hasRows: boolean;
  readonly header: { readonly acts?: ActsState | undefined };
  list(prefix: string): Iterable<[string, unknown]>;
  put(key: string, row: object): void;
  setActs(acts: ActsState): void;
}

/** Returns the row of a command whose key is known. */
export function findAct(
  draft: Draft,
  command: object,
  { key, by }: RequestKey,
): { readonly body?: object | undefined } | undefined {
  for (const [, row] of draft.list(ACT_PREFIX))
    if (isAct(row) && row.key === key && row.by === by && row.type === typeOf(command)) return row;
  return undefined;
}

/** Stores that a command was executed (AC1). `body`: what a repetition is answered, if the record does not answer it. */
export function noteAct(draft: Draft, command: object, request: RequestKey, body: object | undefined): void {
  if (!draft.hasRows) return;
  const count = (draft.header.acts?.count ?? 0) + 1;
  const at = draft.now;
  const row = { v: FORMAT_VERSION, ...request, type: typeOf(command), at, body };
  draft.put(ACT_PREFIX + String(count % HOST_LIMITS.actRows).padStart(4, "0"), defined(row) satisfies ActRow);
  draft.setActs({ count, at });
}

/** Whether a caller may still repeat its newest command, so the object must not be erased. */
export function isActRecent({ header, now }: Pick<Draft, "header" | "now">): boolean {
  const { acts } = header;
  return acts !== undefined && Math.abs(now - acts.at) < HOST_LIMITS.actKeptMs;
}

function typeOf(command: object): string {
  return "type" in command ? String(command.type) : "";
}

function isAct(row: unknown): row is ActRow {
  return isObject(row) && "key" in row && "by" in row;
}
