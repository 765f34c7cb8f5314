/**
 * Deliberate bugs: the simulator must find each of them.
 *
 * Owns: the list. No bug changes the engine's code: each changes rows, decisions of the orchestrator, or messages between
 * the parts.
 */
import { DECISION_BUGS, type DecisionBug } from "./bugs/decisions.ts";
import { MESSAGE_BUGS, type MessageBug } from "./bugs/messages.ts";
import { ROW_BUGS, type RowBug } from "./bugs/rows.ts";
import type { Bug } from "./bugs/types.ts";

export type BugName = RowBug | DecisionBug | MessageBug;

export const BUGS: Readonly<Record<BugName, Bug>> = { ...ROW_BUGS, ...DECISION_BUGS, ...MESSAGE_BUGS };
