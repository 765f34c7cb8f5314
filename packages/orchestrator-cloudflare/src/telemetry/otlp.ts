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

/** How long the collector has for a request, ms. The next counters follow after 15 s. */
const ANSWER_MS_MAX = 10_000;

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
    const failure = await post(options, "/v1/traces", body, retryAfterMs);
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
    const failure = await post(options, "/v1/metrics", body, []);
    if (failure !== undefined) throw new Error(failure);
  };
}

function resourceOf({ serviceName = "holdfast" }: OtlpOptions): object {
  return { attributes: attributes({ "service.name": serviceName }) };
}

/** Returns why the collector did not accept the body; `undefined`: it did. `pausesMs`: before each repetition. */
async function post(
  { url, headers, fetch = (request) => globalThis.fetch(request) }: OtlpOptions,
  path: string,
  body: string,
  pausesMs: readonly number[],
): Promise<string | undefined> {
  let failure: string | undefined;
  for (const pauseMs of [...pausesMs, undefined]) {
    try {
      const given = { ...headers, "Content-Type": "application/json" };
      const signal = AbortSignal.timeout(ANSWER_MS_MAX);
      // The target of a redirect would get the headers, and no body.
      const init = { method: "POST", headers: given, body, redirect: "manual", signal } as const;
      const answer = await fetch(new Request(url.replace(/\/+$/, "") + path, init));
      // Nobody reads the body, which would occupy the connection.
      void answer.body?.cancel().catch(() => {});
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
