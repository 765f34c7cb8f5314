/**
 * Server-Sent Events: a feed as a long-lived response.
 *
 * Owns: the text of events, heartbeats, and back-pressure: it reads new events only when the reader is ready for them.
 */
import { pauseIfBusy } from "../rest.ts";
import type { FeedEvent } from "./run-feed.ts";

/** After this time without an event a comment is sent, ms: proxies may close an idle connection. */
const HEARTBEAT_MS = 15_000;

/** Reconnect delay for readers, ms. */
const RECONNECT_MS = 1_000;

export interface EventSource {
  /** Returns new events. `over`: no further event follows. */
  read(): { readonly events: readonly FeedEvent[]; readonly over: boolean };
  /** Resolves when there may be new events, or after `ms`. */
  changed(ms: number): Promise<void>;
  /** Called once, when the reader has disconnected or the last event was sent. */
  closed(): void;
}

export const EVENT_STREAM_HEADERS = { "Content-Type": "text/event-stream", "Cache-Control": "no-store" } as const;

export function eventStream(source: EventSource, heartbeatMs: number = HEARTBEAT_MS): Response {
  const encoder = new TextEncoder();
  let closed = false;
  const close = (): void => {
    if (!closed) source.closed();
    closed = true;
  };
  const body = new ReadableStream<Uint8Array>(
    {
      start: (controller) => controller.enqueue(encoder.encode(`retry: ${RECONNECT_MS}\n\n`)),
      async pull(controller) {
        try {
          for (let waited = false; ; waited = true) {
            await pauseIfBusy();
            if (closed) return;
            const { events, over } = source.read();
            if (events.length > 0) controller.enqueue(encoder.encode(events.map(textOf).join("")));
            if (over) {
              close();
              controller.close();
              return;
            }
            if (events.length > 0) return;
            if (waited) return controller.enqueue(encoder.encode(": still here\n\n"));
            await source.changed(heartbeatMs);
          }
        } catch (error) {
          close();
          controller.error(error);
        }
      },
      cancel: close,
    },
    { highWaterMark: 1 },
  );
  return new Response(body, { headers: EVENT_STREAM_HEADERS });
}

function textOf({ type, cursor, data }: FeedEvent): string {
  return `id: ${cursor}\nevent: ${type}\ndata: ${JSON.stringify(data)}\n\n`;
}
