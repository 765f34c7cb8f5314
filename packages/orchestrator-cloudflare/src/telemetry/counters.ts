/**
 * The counters of a process (OBS3).
 *
 * Owns: the numbers, which all objects of an isolate share, and which of them were exported. They are in memory only, and
 * start at 0 with each process. Where one process is the deployment, they are the deployment's, and `/metrics` shows them.
 */
import type { CoordinatorSelf, CountedThing, RunHeader, WriteBatch } from "@holdfast/orchestrator";
import { HOST_LIMITS } from "@holdfast/protocol";
import { COUNTERS, type CounterName, type Sample } from "./metrics.ts";
import { type CounterGrowth, type TelemetryEvent, eventsOf } from "./telemetry.ts";

/** What happened to no tenant that is known: only a caller who sees all numbers sees these. */
export const NO_CALLER = Symbol("no caller");

type Tenant = string | undefined | typeof NO_CALLER;

/** By the name of the counter, a blank, and the text of its label. */
type Counts = ReadonlyMap<string, number>;

const total = new Map<string, number>();
const byTenant = new Map<Tenant, Map<string, number>>();
let exported: Counts = new Map();
let exportedAt = 0;

/** Counts an event of a tenant. `label`: the text of the counter's label, one of few. */
export function count(name: CounterName, tenantId: Tenant, label = ""): void {
  if (byTenant.size < HOST_LIMITS.countedTenants && !byTenant.has(tenantId)) byTenant.set(tenantId, new Map());
  const key = `${name} ${label}`;
  for (const counts of [total, byTenant.get(tenantId)]) counts?.set(key, (counts.get(key) ?? 0) + 1);
}

const COUNTED: Readonly<Record<CountedThing, CounterName>> = {
  limit: "holdfast_limit_decisions_total",
  tick: "holdfast_schedule_ticks_total",
  lateTick: "holdfast_late_ticks_total",
  event: "holdfast_events_total",
  target: "holdfast_event_targets_total",
};

/** Counts what a limit, a schedule or an event did. One of the whole deployment belongs to no tenant. */
export function countThing({ tenantId, scope }: CoordinatorSelf, what: CountedThing, outcome: string): void {
  count(COUNTED[what], scope === undefined ? tenantId : NO_CALLER, outcome);
}

/** Counts what a commit of a run did, and returns its events. */
export function countCommit(before: RunHeader | undefined, header: RunHeader, batch: WriteBatch): TelemetryEvent[] {
  const events = eventsOf(before, header, batch);
  const { tenantId, outbox } = header;
  for (const { type } of events) {
    if (type === "step.completed" || type === "step.failed") count("holdfast_steps_total", tenantId, type.slice(5));
    if (type === "step.retrying") count("holdfast_step_retries_total", tenantId);
  }
  if (outbox.failures > (before?.outbox.failures ?? 0)) count("holdfast_outbox_resends_total", tenantId);
  return events;
}

/** Returns the counts of one tenant, or of all. A counter without a label that counted nothing is 0. */
export function countedSamples(of: { readonly tenantId?: string | undefined } | "all"): Record<string, Sample[]> {
  const counts: Counts = (of === "all" ? total : byTenant.get(of.tenantId)) ?? new Map();
  const samples: Record<string, Sample[]> = {};
  for (const [name, [, label]] of Object.entries<readonly [string, string?]>(COUNTERS))
    samples[name] = label === undefined ? [[[], counts.get(`${name} `) ?? 0]] : [];
  for (const [key, value] of counts) {
    const [name = "", label = ""] = key.split(" ");
    if (label !== "") samples[name]?.push([[label], value]);
  }
  return samples;
}

/**
 * Exports the growth of all counters, at most once in `countsExportMs`. What `send` rejects is part of the next export.
 * `undefined`: there is nothing to do.
 */
export function exportCounters(
  send: ((growth: readonly CounterGrowth[]) => Promise<void>) | undefined,
  now: number,
): Promise<void> | undefined {
  if (send === undefined || Math.abs(now - exportedAt) < HOST_LIMITS.countsExportMs) return undefined;
  const growth = growthUntil(now);
  if (growth.length === 0) return undefined;
  const reached = new Map(total);
  exportedAt = now;
  return send(growth).then(
    () => {
      exported = reached;
    },
    (error: unknown) => console.warn("holdfast: counters were not exported; the next export contains them", error),
  );
}

function growthUntil(to: number): CounterGrowth[] {
  const from = exportedAt === 0 ? to - HOST_LIMITS.countsExportMs : Math.min(exportedAt, to);
  return [...total].flatMap(([key, reached]) => {
    const [name = "", label = ""] = key.split(" ");
    const [, labelName] = COUNTERS[name as CounterName];
    const value = reached - (exported.get(key) ?? 0);
    return value === 0
      ? []
      : [{ name, labels: labelName === undefined ? {} : { [labelName]: label }, value, from, to }];
  });
}
