/**
 * Export of spans over OTLP/HTTP with JSON: https://opentelemetry.io/docs/specs/otlp/#otlphttp.
 *
 * Owns: the request, and its repetition when the collector requests it.
 */
import { DEFAULT_LIMITS } from "@holdfast/protocol";
import * as v from "valibot";
import { FIELDS, checkOptions, count, isFunction } from "../options.ts";
import { hideTokenUrls } from "../token-urls.ts";
import type { Telemetry } from "./telemetry.ts";
import { spansOf } from "./spans.ts";

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
  const {
    url,
    headers = {},
    serviceName = "holdfast",
    spansMax = DEFAULT_LIMITS.traceSpans,
    fetch = (request) => globalThis.fetch(request),
    retryAfterMs = [500, 2_000, 8_000],
  } = options;
  const resource = { attributes: [{ key: "service.name", value: { stringValue: serviceName } }] };
  return async (header, journal) => {
    const spans = spansOf(header, journal, spansMax);
    const traces = { resourceSpans: [{ resource, scopeSpans: [{ scope: { name: "holdfast" }, spans }] }] };
    const body = hideTokenUrls(JSON.stringify(traces));
    const init = { method: "POST", headers: { ...headers, "Content-Type": "application/json" }, body };
    const post = (): Promise<Response> => fetch(new Request(`${url.replace(/\/+$/, "")}/v1/traces`, init));
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
