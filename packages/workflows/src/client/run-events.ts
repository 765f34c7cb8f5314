/**
 * Follows a run: reads its events as they happen, and reconnects when a connection breaks.
 */
import { type RunEvent, isTerminal } from "@holdfast/protocol";
import { createParser } from "eventsource-parser";
import { ApiError } from "./errors.ts";
import type { ApiRequest, Transport } from "./transport.ts";
import type { CallOptions } from "./types.ts";

export interface StreamOptions extends CallOptions {
  /** `start`, the default: all events of the run. `now`: only events from now on. */
  readonly from?: "start" | "now" | undefined;
  /** Continues after this event: the `id` of the last one that the caller received. */
  readonly lastEventId?: string | undefined;
}

/** The maximum size of one event. A larger one fails the stream. */
const BUFFER_CHARS_MAX = 64 * 1024 * 1024;
const PAUSE_MS_MAX = 10_000;

/** Yields events until the run has ended and all its events were received, or the signal aborts. */
export async function* runEvents(
  transport: Transport,
  path: string,
  { from, lastEventId, signal }: StreamOptions,
): AsyncGenerator<RunEvent, void> {
  let last = lastEventId;
  for (let failures = 0; ; failures++) {
    const request: Omit<ApiRequest, "answer"> = {
      method: "GET",
      path,
      query: last === undefined && from === "now" ? { from } : {},
      headers: { Accept: "text/event-stream", ...(last === undefined ? {} : { "Last-Event-ID": last }) },
      signal,
    };
    const response = await transport.open(request);
    try {
      for await (const event of readEvents(response)) {
        failures = 0;
        last = event.id;
        yield event;
        if (event.type === "run" && isTerminal(event.data.status)) return;
      }
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof ApiError) throw error;
    }
    // The connection broke, or the run's object moved: the next connection continues after the last event.
    await transport.pause(Math.min(transport.retryAfterMs * 2 ** failures, PAUSE_MS_MAX), signal);
  }
}

async function* readEvents(response: Response): AsyncGenerator<RunEvent, void> {
  if (!(response.headers.get("Content-Type") ?? "").startsWith("text/event-stream") || response.body === null) {
    throw new ApiError(
      "The stream",
      response.status,
      "unknown",
      "the answer is not an event stream. Check whether a proxy answers instead of Holdfast.",
    );
  }
  const events: RunEvent[] = [];
  const parser = createParser({
    onEvent: ({ id = "", event = "", data }) => {
      events.push({ id, type: event, data: JSON.parse(data) } as RunEvent);
    },
    maxBufferSize: BUFFER_CHARS_MAX,
  });
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  const decoder = new TextDecoder();
  try {
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      parser.feed(decoder.decode(part.value, { stream: true }));
      yield* events.splice(0);
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}
