/**
 * Oracle on clean-up: a cancel or an expired budget lets the code in `finally` execute its shielded steps (CAN9).
 */
import { findCleanups } from "../program.ts";
import { canUndo } from "../reference.ts";
import type { ObservedRun } from "./observed-run.ts";

/** If the newest execution was in `try` when it unwound, the first shielded step has an outcome, or the record says why not. */
export function checkCleanup({ host: { header, journal }, program, entered, flags }: ObservedRun): string[] {
  const code = header.error?.code;
  const unwound = journal.find((entry) => entry.type === "run.unwinding");
  const stopped = unwound !== undefined && (code === "CANCELLED" || code === "WORKFLOW_TIMEOUT");
  // No code after ctx.compensate() executes.
  if (canUndo(program)) return [];
  if (!stopped || header.cleanup !== undefined || !flags.includes(CLEANS_UP)) return [];
  return findCleanups(program).flatMap(({ id, parts: [, first] }) => {
    if (first?.kind !== "step" || !entered.has(`cleanup${id}`)) return [];
    const ended = journal.some((entry) => entry.op === `step/0/${first.name}` && /completed|failed/.test(entry.type));
    return ended ? [] : [`the shielded step ${first.name} has no outcome, and the record has no reason`];
  });
}

/** The replay flag of runs whose clean-up code executes. */
const CLEANS_UP = 8;
