/**
 * The list of a tenant's gates.
 *
 * Owns: when a gate is in the list: once a run waits, a holder is asked, or an operator changes a setting. So a run that holds
 * for a moment at a free limit costs no message more. The list of the deployment also stores which builds are void.
 *
 * Invariants
 * - GL1 A gate leaves the list before its rows are deleted.
 */
import { FORMAT_VERSION } from "@holdfast/protocol";
import type { CoordinatorHeader, CoordinatorMachine, CoordinatorState } from "../host/coordinator.ts";
import type { VoidRevs } from "../host/void-revs.ts";
import type { Draft } from "./holders.ts";
import { limitOf } from "./messages.ts";
import { isObject } from "../json-schema/schema.ts";
import type { RevsAnswer, RevsQuestion } from "./revs.ts";

/** The address name of the list, in each tenant and in the deployment. */
export const GATE_LIST = "gates";

const ITEM_PREFIX = "item/";

interface ListMessage {
  readonly type: "listed" | "unlisted";
  /** `gateName` of the gate. */
  readonly name: string;
}

/** Builds are void: an earlier one is served (GATE8). */
export interface VoidCommand extends VoidRevs {
  readonly type: "void";
}

export interface ListCommand {
  readonly type: "list";
  /** Only the keys of this limit. */
  readonly limit?: string | undefined;
  readonly after?: string | undefined;
  readonly count: number;
}

export interface ListedGates {
  /** The names of gates. */
  readonly names: readonly string[];
  readonly more: boolean;
}

/** Adds the gate to the list. */
export function list(draft: Draft): void {
  if (draft.header.listed === true) return;
  draft.change({ listed: true });
  post(draft, "listed");
}

/** Removes the gate from the list. Returns whether it was there: its rows may be deleted at the next alarm. */
export function unlist(draft: Draft): boolean {
  if (draft.header.listed !== true) return false;
  draft.change({ listed: undefined });
  post(draft, "unlisted");
  return true;
}

function post(draft: Draft, type: ListMessage["type"]): void {
  const { name, scope } = draft.header.self;
  const message: ListMessage = { type, name };
  draft.post({ kind: "gates", name: GATE_LIST, ...(scope === undefined ? {} : { scope }) }, message);
}

interface ListHeader extends CoordinatorHeader {
  readonly voided?: VoidRevs | undefined;
}

type ListState = CoordinatorState<ListHeader>;

/** The object of the list. */
export const gateList: CoordinatorMachine<ListState> = {
  kind: "gates",
  load: (store, header) => ({ header, store }),
  first: (common: CoordinatorHeader) => common,
  nextAlarm: () => undefined,
  message(draft, message: ListMessage | RevsQuestion) {
    if (message.type === "revs")
      return { type: "acknowledged", answer: { voided: draft.header.voided } satisfies RevsAnswer };
    const { type, name } = message;
    const key = ITEM_PREFIX + name;
    if (type === "unlisted") draft.delete(key);
    else draft.put(key, { v: FORMAT_VERSION, name });
    return { type: "acknowledged" };
  },
  command(draft, command: ListCommand | VoidCommand) {
    if (command.type === "void") {
      draft.change({ voided: { above: command.above, until: command.until } });
      return { type: "done", body: {} };
    }
    const { limit = "", after, count } = command;
    const names: string[] = [];
    for (const [, row] of draft.list(ITEM_PREFIX + limit, after === undefined ? {} : { after: ITEM_PREFIX + after })) {
      if (!isItem(row) || (limit !== "" && limitOf(row.name).limit !== limit)) continue;
      names.push(row.name);
      if (names.length > count) break;
    }
    const more = names.length > count;
    return { type: "done", body: { names: names.slice(0, count), more } satisfies ListedGates };
  },
  answered: () => {},
  alarm: () => {},
};

function isItem(row: unknown): row is { readonly name: string } {
  return isObject(row) && typeof row["name"] === "string";
}
