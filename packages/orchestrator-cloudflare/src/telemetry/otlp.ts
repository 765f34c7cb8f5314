/**
 * Export of spans over OTLP/HTTP with JSON: https://opentelemetry.io/docs/specs/otlp/#otlphttp.
 *
 * Owns: the request, and its repetition when the collector requests it.
 */
import { DEFAULT_LIMITS } from "@holdfast/protocol";
import type { Telemetry } from "./telemetry.ts";
import { spansOf } from "./spans.ts";

export interface OtlpOptions {
  /** The URL of the collector without `/v1/traces`, for example `https://collector.example:4318`. */
  readonly url: string;
  /** For example `{ Authorization: "Bearer …" }`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The service name of the spans. Default `holdfast`. */
  readonly serviceName?: string;
  /** The maximum number of operation spans per run. Default DEFAULT_LIMITS.traceSpans. */
  readonly spansMax?: number;
  /** For tests. */
  readonly fetch?: (request: Request) => Promise<Response>;
  /** Delays before repetitions, ms. */
  readonly retryAfterMs?: readonly number[];
}

/** Statuses that ask the client to repeat the request later. */
const RETRIED: ReadonlySet<number> = new Set([429, 502, 503, 504]);

/** Sends each ended run as one trace. A trace that the collector rejects finally is dropped, and the log reports it. */
export function otlpExporter({
  url,
  headers = {},
  serviceName = "holdfast",
  spansMax = DEFAULT_LIMITS.traceSpans,
  fetch = (request) => globalThis.fetch(request),
  retryAfterMs = [500, 2_000, 8_000],
}: OtlpOptions): NonNullable<Telemetry["ended"]> {
  const resource = { attributes: [{ key: "service.name", value: { stringValue: serviceName } }] };
  return async (header, journal) => {
    const spans = spansOf(header, journal, spansMax);
    const body = JSON.stringify({
      resourceSpans: [{ resource, scopeSpans: [{ scope: { name: "holdfast" }, spans }] }],
    });
    const post = (): Promise<Response> =>
      fetch(
        new Request(`${url.replace(/\/+$/, "")}/v1/traces`, {
          method: "POST",
          headers: { ...headers, "Content-Type": "application/json" },
          body,
        }),
      );
    let failure = "";
    for (const pauseMs of [...retryAfterMs, undefined]) {
      try {
        const answer = await post();
        if (answer.ok) return;
        failure = `the collector answered ${answer.status}`;
        if (!RETRIED.has(answer.status)) break;
      } catch (error) {
        failure = String(error);
      }
      if (pauseMs !== undefined) await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
    console.warn(
      JSON.stringify({ source: "holdfast", message: `a trace was not exported: ${failure}`, runId: header.id }),
    );
  };
}
