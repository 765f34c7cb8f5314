/**
 * The message with which an execution starts.
 *
 * Owns: what an execution gets of the run's header, its journal and the outcomes that it takes over.
 */
import { type ExecutionStart, PROTOCOL_VERSION, type RunFacts, assert } from "@holdfast/protocol";
import { admittedSteps } from "../state/hold.ts";
import type { FirstPage } from "../state/journal-pages.ts";
import type { RunHeader } from "../state/run-header.ts";
import { runKeyOf, tokenUrlsOf } from "../state/run-key.ts";
import { type RunState, inheritedBy, readInput } from "../state/run-state.ts";

/** Returns the message for an execution that starts now, from this page of the journal. */
export function describeStart(state: RunState, header: RunHeader, journal: FirstPage, now: number): ExecutionStart {
  const { startedAt } = header;
  assert(startedAt !== undefined, "a running run has started");
  return {
    protocol: PROTOCOL_VERSION,
    epoch: header.epoch,
    ...(header.losses === undefined ? {} : { announcesBodies: true }),
    run: withKey(header, {
      id: header.id,
      number: header.number,
      tags: header.tags,
      triggeredBy: header.triggeredBy,
      startedAt,
      environment: header.environment,
      ...(header.tenantMeta === undefined ? {} : { tenantMeta: header.tenantMeta }),
      ...(header.baseUrl === undefined ? {} : { baseUrl: header.baseUrl }),
      ...(header.tenantId === undefined ? {} : { tenantId: header.tenantId }),
      ...(header.traceparent === undefined ? {} : { traceparent: header.traceparent }),
      ...(header.schedule === undefined ? {} : { schedule: header.schedule }),
    }),
    workflowId: header.workflowId,
    ...(header.workflowVersion === undefined ? {} : { workflowVersion: header.workflowVersion }),
    input: readInput(state, header),
    seed: header.seed,
    ...(header.flags === undefined ? {} : { flags: header.flags }),
    ...journal.start,
    ...inheritedBy(state),
    ...admittedSteps(header, now),
    paused: header.status === "paused",
    now: Math.max(now, state.lastAt),
    clockStart: header.clockStart ?? startedAt,
  };
}

/** Adds the run's key, which is computed when it is first read: most runs never read it. The order is that of the wire. */
function withKey(header: RunHeader, run: RunFacts): RunFacts {
  if (header.incarnation !== undefined) {
    let known: string | undefined;
    const get = (): string | undefined => (known ??= runKeyOf(header).runKey);
    Object.defineProperty(run, "runKey", { enumerable: true, get });
  }
  return Object.assign(run, tokenUrlsOf(header));
}
