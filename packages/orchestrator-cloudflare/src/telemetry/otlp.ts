/**
 * Export of spans over OTLP/HTTP with JSON: https://opentelemetry.io/docs/specs/otlp/#otlphttp.
 *
 * Owns: the request, and its repetition when the collector requests it.
 */
import { DEFAULT_LIMITS, HOLDFAST_VERSION } from "@holdfast/protocol";
import * as v from "valibot";
import { FIELDS, checkOptions, count, isFunction } from "../options.ts";
import { hideTokenUrls } from "../token-urls.ts";
import type { Telemetry } from "./telemetry.ts";
import { attributes, nanos, spansOf } from "./spans.ts";

export interface OtlpOptions {
  /** The URL of the collector without `/v1/traces`, for example `https://collector.example:4318`. */
  readonly url: string;
  /** For example `{ Authorization: "Bearer …" }`. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** The service name of the spans. Default `holdfast`. */
  readonly serviceName?: string | undefined;
  /** The maximum number of operation spans per run. Default DEFAULT_LIMITS.traceSpans. */
  readonly spansMax?: number | undefined;
  /** For tests. */
  readonly fetch?: ((request: Request) => Promise<Response>) | undefined;
  /** Delays before repetitions, ms. */
  readonly retryAfterMs?: readonly number[] | undefined;
}

const SCOPE = { name: "holdfast", version: HOLDFAST_VERSION };

/** Statuses that ask the client to repeat the request later. */
const RETRIED: ReadonlySet<number> = new Set([429, 502, 503, 504]);

const OPTIONS = v.strictObject({
  url: FIELDS.httpUrl,
  headers: v.optional(v.record(v.string(), v.string("must be text"))),
  serviceName: v.optional(FIELDS.environment),
  spansMax: v.optional(count),
  fetch: v.optional(isFunction),
  retryAfterMs: v.optional(
    v.array(
      v.pipe(
        v.number("must be a number"),
        v.minValue(0, "must not be negative"),
        v.maxValue(2 ** 31 - 1, "must be at most 2147483647"),
      ),
      "must be a list of milliseconds",
    ),
  ),
} satisfies Record<keyof OtlpOptions, v.GenericSchema>);

/**
 * Sends each ended run as one trace. A trace that the collector rejects finally is dropped, and the log reports it.
 * @throws HoldfastError `INVALID_ARGUMENT` for invalid options (RUN7).
 */
export function otlpExporter(options: OtlpOptions): NonNullable<Telemetry["ended"]> {
  checkOptions(OPTIONS, options, "otlpExporter");
  const { spansMax = DEFAULT_LIMITS.traceSpans, retryAfterMs = [500, 2_000, 8_000] } = options;
  const resource = resourceOf(options);
  return async (header, journal) => {
    const spans = spansOf(header, journal, spansMax);
    const body = hideTokenUrls(
      JSON.stringify({ resourceSpans: [{ resource, scopeSpans: [{ scope: SCOPE, spans }] }] }),
    );
    const post = (): Promise<Response> => postTo(options, "/v1/traces", body);
    const failure = await postRepeatedly(post, retryAfterMs);
    if (failure === undefined) return;
    console.warn(
      JSON.stringify({
        source: "holdfast",
        message: `a trace was not exported: ${failure}`,
        runId: header.id,
        tenantId: header.tenantId,
      }),
    );
  };
}

/** How long the collector has for the counters, ms: the next export follows after 15 s. */
const COUNTERS_MS_MAX = 10_000;

/**
 * Sends counters as sums with delta temporality, under the names of `/metrics` (OBS3). A request that fails is not repeated:
 * the next one contains its numbers.
 * @throws HoldfastError `INVALID_ARGUMENT` for invalid options (RUN7).
 */
export function otlpCounters(options: OtlpOptions): NonNullable<Telemetry["counted"]> {
  checkOptions(OPTIONS, options, "otlpCounters");
  const resource = resourceOf(options);
  return async (growth) => {
    const metrics = growth.map(({ name, labels, value, from, to }) => ({
      name,
      sum: {
        aggregationTemporality: 1,
        isMonotonic: true,
        dataPoints: [
          {
            attributes: attributes(labels),
            startTimeUnixNano: nanos(from),
            timeUnixNano: nanos(to),
            asInt: String(value),
          },
        ],
      },
    }));
    const body = JSON.stringify({ resourceMetrics: [{ resource, scopeMetrics: [{ scope: SCOPE, metrics }] }] });
    const answer = await postTo(options, "/v1/metrics", body, AbortSignal.timeout(COUNTERS_MS_MAX));
    if (!answer.ok) throw new Error(`the collector answered ${answer.status}`);
  };
}

function resourceOf({ serviceName = "holdfast" }: OtlpOptions): object {
  return { attributes: attributes({ "service.name": serviceName }) };
}

function postTo(
  { url, headers = {}, fetch = (request) => globalThis.fetch(request) }: OtlpOptions,
  path: string,
  body: string,
  signal?: AbortSignal,
): Promise<Response> {
  const init = { method: "POST", headers: { ...headers, "Content-Type": "application/json" }, body };
  return fetch(new Request(url.replace(/\/+$/, "") + path, signal === undefined ? init : { ...init, signal }));
}

/** Returns why the collector did not accept the trace; `undefined`: it did. */
async function postRepeatedly(
  post: () => Promise<Response>,
  retryAfterMs: readonly number[],
): Promise<string | undefined> {
  let failure: string | undefined;
  for (const pauseMs of [...retryAfterMs, undefined]) {
    try {
      const answer = await post();
      if (answer.ok) return undefined;
      failure = `the collector answered ${answer.status}`;
      if (!RETRIED.has(answer.status)) break;
    } catch (error) {
      failure = String(error);
    }
    if (pauseMs !== undefined) await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
  return failure;
}
