/**
 * Following a run: its events as they happen, across broken connections.
 */
import { type RunEvent, isTerminal } from "@holdfast/protocol";
import { createParser } from "eventsource-parser";
import { ApiError } from "./errors.ts";
import type { ApiRequest, Transport } from "./transport.ts";
import type { CallOptions } from "./types.ts";

export interface StreamOptions extends CallOptions {
  /** `start`, the default: from the run's beginning. `now`: what happens from now on. */
  readonly from?: "start" | "now";
  /** Behind this event: the `id` of the last one that was seen. */
  readonly lastEventId?: string;
}

/** What one event may hold before it is taken for nonsense. */
const BUFFER_CHARS_MAX = 64 * 1024 * 1024;
const PAUSE_MS_MAX = 10_000;

/** Goes on until the run has ended and all of it was told, or the signal aborts. */
export async function* runEvents(
  transport: Transport,
  path: string,
  { from, lastEventId, signal }: StreamOptions,
): AsyncGenerator<RunEvent, void> {
  let last = lastEventId;
  for (let failures = 0; ; failures++) {
    const request: ApiRequest = {
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
    // The connection broke, or the run's object was moved: the next one goes on behind the last event.
    await transport.pause(Math.min(transport.retryAfterMs * 2 ** failures, PAUSE_MS_MAX), signal);
  }
}

async function* readEvents(response: Response): AsyncGenerator<RunEvent, void> {
  if (!(response.headers.get("Content-Type") ?? "").startsWith("text/event-stream") || response.body === null) {
    throw new ApiError(
      "The stream",
      response.status,
      "unknown",
      "this is no stream of events; does a proxy answer in its place?",
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
