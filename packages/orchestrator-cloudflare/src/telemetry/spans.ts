/**
 * A run as OpenTelemetry spans: one for the run, and one per step and per wait.
 *
 * Owns: the parents of spans. Spans have the ids that steps pass on (`traceparent`), so the spans of a service that a
 * step calls are children of the step's span, and a child run's span is a child of its parent's wait.
 */
import { type RunHeader, tracedOf } from "@holdfast/orchestrator";
import {
  type ErrorValue,
  type JournalEntry,
  type Traced,
  isOutcome,
  parseOperationId,
  parseTraceparent,
  spanIdOf,
  traceIdOf,
} from "@holdfast/protocol";

/** A span in the JSON encoding of OTLP: https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding. */
export interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: 1;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly Attribute[];
  readonly events?: readonly SpanEvent[];
  readonly status: { readonly code: 0 | 1 | 2; readonly message?: string };
}

interface Attribute {
  readonly key: string;
  readonly value: { readonly stringValue: string } | { readonly intValue: string };
}

interface SpanEvent {
  readonly timeUnixNano: string;
  readonly name: string;
  readonly attributes: readonly Attribute[];
}

/** Returns the run's span and at most `spansMax` spans of operations. The run's span counts the omitted ones. */
export function spansOf(header: RunHeader, journal: readonly JournalEntry[], spansMax: number): Span[] {
  const operations = new Map<string, JournalEntry[]>();
  for (const entry of journal) {
    const { kind } = parseOperationId(entry.op);
    if (kind === "metadata" || kind === "unwind") continue;
    operations.set(entry.op, [...(operations.get(entry.op) ?? []), entry]);
  }
  const shown = [...operations].slice(0, spansMax);
  const traced = tracedOf(header);
  return [
    runSpan(header, traced, operations.size - shown.length),
    ...shown.map(([op, entries]) => operationSpan(header, traced, op, entries)),
  ];
}

function runSpan(header: RunHeader, traced: Traced, omitted: number): Span {
  const parent = parseTraceparent(header.traceparent ?? "");
  const { status, error } = header;
  return {
    traceId: traceIdOf(traced),
    spanId: spanIdOf(traced),
    ...(parent === undefined ? {} : { parentSpanId: parent.spanId }),
    name: `run ${header.workflowId}`,
    kind: 1,
    startTimeUnixNano: nanos(header.startedAt ?? header.createdAt),
    endTimeUnixNano: nanos(header.endedAt ?? header.updatedAt),
    attributes: attributes({
      "holdfast.run.id": header.id,
      "holdfast.run.status": status,
      "holdfast.workflow.id": header.workflowId,
      "holdfast.workflow.version": header.workflowVersion,
      "holdfast.tenant.id": header.tenantId,
      "holdfast.executions": header.epoch,
      "deployment.environment.name": header.environment,
      ...(omitted > 0 ? { "holdfast.spans.left_out": omitted } : {}),
    }),
    status: status === "completed" ? { code: 1 } : { code: 2, message: error?.message ?? status },
  };
}

function operationSpan(header: RunHeader, traced: Traced, op: string, entries: readonly JournalEntry[]): Span {
  const { kind, name, occurrence } = parseOperationId(op);
  const first = entries[0] as JournalEntry;
  const last = entries.findLast(isOutcome);
  const start = "startedAt" in first ? first.startedAt : first.at;
  const end = last?.at ?? header.endedAt ?? header.updatedAt;
  const failed = last !== undefined && "error" in last ? last.error : undefined;
  const attempt = entries.reduce((most, entry) => ("attempt" in entry ? Math.max(most, entry.attempt) : most), 0);
  return {
    traceId: traceIdOf(traced),
    spanId: spanIdOf(traced, op),
    parentSpanId: spanIdOf(traced),
    name: `${kind} ${name}`,
    kind: 1,
    startTimeUnixNano: nanos(start),
    endTimeUnixNano: nanos(Math.max(start, end)),
    attributes: attributes({
      "holdfast.operation": op,
      "holdfast.tenant.id": header.tenantId,
      "holdfast.operation.kind": kind,
      "holdfast.operation.occurrence": occurrence,
      ...(attempt > 0 ? { "holdfast.attempts": attempt } : {}),
      ...(first.type === "child.started" ? { "holdfast.child.run.id": first.runId } : {}),
    }),
    events: entries.flatMap((entry) => ("error" in entry ? [exceptionOf(entry.at, entry.error)] : [])),
    status: failed === undefined ? { code: 0 } : { code: 2, message: failed.message },
  };
}

function exceptionOf(at: number, error: ErrorValue): SpanEvent {
  return {
    timeUnixNano: nanos(at),
    name: "exception",
    attributes: attributes({ "exception.type": error.code ?? error.name, "exception.message": error.message }),
  };
}

export function attributes(values: Readonly<Record<string, string | number | undefined>>): Attribute[] {
  return Object.entries(values).flatMap(([key, value]) => {
    if (value === undefined) return [];
    return [{ key, value: typeof value === "string" ? { stringValue: value } : { intValue: String(value) } }];
  });
}

/** Nanoseconds since the epoch, as text: they exceed the safe integers. */
export function nanos(ms: number): string {
  return `${Math.trunc(ms)}000000`;
}
