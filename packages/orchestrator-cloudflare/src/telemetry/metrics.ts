/**
 * The metrics of a deployment: their names, and the text format of Prometheus (OBS3).
 *
 * Owns: the table of metrics. `/metrics`, the export to a collector, the Grafana dashboard and the documents use its names.
 * https://prometheus.io/docs/instrumenting/exposition_formats/ describes the format.
 */

/** What a metric is, and the labels of each sample. A metric whose name ends with `_total` is a counter, others are gauges. */
export type MetricDescription = readonly [help: string, ...labels: readonly string[]];

/** Gauges, which `/metrics` reads from the index. The unit is the end of a name; without one it is a number. */
export const GAUGES = {
  holdfast_build_info: ["1, with the version that answers.", "version"],
  holdfast_runs: ["Runs by workflow and status.", "workflow", "status"],
  holdfast_oldest_run_age_seconds: [
    "Time since the creation of the oldest run with this status, 0 without one.",
    "status",
  ],
  holdfast_index_lag_seconds: ["The longest time that an update of the index took in the last minute."],
  holdfast_index_shards_unread: ["Shards of the index whose runs are missing in these numbers."],
} as const satisfies Readonly<Record<string, MetricDescription>>;

/** Counters, which a process keeps in memory. */
export const COUNTERS = {
  holdfast_steps_total: ["Steps that completed or failed.", "outcome"],
  holdfast_step_retries_total: ["Attempts of steps that failed and are repeated."],
  holdfast_late_timers_total: ["Timers that fired more than a second late."],
  holdfast_outbox_resends_total: ["Times that a run sent its messages to other runs again."],
  holdfast_rejected_requests_total: ["Answers with a status of 400 or more.", "status"],
  holdfast_limit_decisions_total: ["What limits decided about runs.", "decision"],
  holdfast_schedule_ticks_total: ["Ticks of schedules, by what became of them.", "outcome"],
  holdfast_late_ticks_total: ["Times that ticks were decided more than a second late."],
  holdfast_events_total: ["Events that were accepted, and repeated ones.", "outcome"],
  holdfast_event_targets_total: ["Targets of events, by what became of them.", "outcome"],
  holdfast_feed_readers_total: ["Readers that began to follow a run."],
} as const satisfies Readonly<Record<string, MetricDescription>>;

export type GaugeName = keyof typeof GAUGES;
export type CounterName = keyof typeof COUNTERS;

/** A value, with a text for each label of its metric. */
export type Sample = readonly [values: readonly string[], value: number];

/** Returns the metrics in the text format of Prometheus, version 0.0.4. */
export function exposition(
  metrics: Readonly<Record<string, MetricDescription>>,
  samples: Readonly<Record<string, readonly Sample[]>>,
): string {
  return Object.entries(metrics)
    .flatMap(([name, [help, ...labels]]) => [
      `# HELP ${name} ${help}\n`,
      `# TYPE ${name} ${name.endsWith("_total") ? "counter" : "gauge"}\n`,
      ...(samples[name] ?? []).map(([values, value]) => `${name}${labelText(labels, values)} ${value}\n`),
    ])
    .join("");
}

function labelText(labels: readonly string[], values: readonly string[]): string {
  const pairs = labels.map((label, i) => `${label}="${escape(values[i] ?? "")}"`);
  return pairs.length === 0 ? "" : `{${pairs.join()}}`;
}

function escape(value: string): string {
  return value.replaceAll(/[\\"]/g, "\\$&").replaceAll("\n", "\\n");
}
