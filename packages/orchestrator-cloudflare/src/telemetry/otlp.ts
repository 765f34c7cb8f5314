/**
 * Exporting spans over OTLP/HTTP with JSON: https://opentelemetry.io/docs/specs/otlp/#otlphttp.
 *
 * Owns: the request, and repeating it when the collector says so.
 */
import { DEFAULT_LIMITS } from "@holdfast/protocol";
import type { Telemetry } from "./telemetry.ts";
import { spansOf } from "./spans.ts";

export interface OtlpOptions {
  /** The collector, without `/v1/traces`: `https://collector.example:4318`. */
  readonly url: string;
  /** For example `{ Authorization: "Bearer …" }`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** What the spans are of. Default `holdfast`. */
  readonly serviceName?: string;
  /** Spans of one run's trace. Default DEFAULT_LIMITS.traceSpans. */
  readonly spansMax?: number;
  /** For tests. */
  readonly fetch?: (request: Request) => Promise<Response>;
  readonly retryAfterMs?: readonly number[];
}

/** What a collector answers when it will take the same request later. */
const RETRIED: ReadonlySet<number> = new Set([429, 502, 503, 504]);

/** Sends each run that ended as one trace. What a collector does not take after a few tries is left out, and logged. */
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
    let trouble = "";
    for (const pauseMs of [...retryAfterMs, undefined]) {
      try {
        const answer = await post();
        if (answer.ok) return;
        trouble = `it answered ${answer.status}`;
        if (!RETRIED.has(answer.status)) break;
      } catch (error) {
        trouble = String(error);
      }
      if (pauseMs !== undefined) await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
    console.warn(
      JSON.stringify({ source: "holdfast", message: `a trace was not exported: ${trouble}`, runId: header.id }),
    );
  };
}
