/**
 * Server-Sent Events: a feed as a response that lasts.
 *
 * Owns: the text of events, heartbeats, and reading no further than the reader has read (back-pressure).
 */
import type { FeedEvent } from "./run-feed.ts";

/** Silence after which a comment is sent, so that nothing on the way takes the connection for dead, ms. */
const HEARTBEAT_MS = 15_000;

/** How soon a reader whose connection broke comes back, ms. */
const RECONNECT_MS = 1_000;

export interface EventSource {
  /** What is new; `over`: there will be nothing more. */
  read(): { readonly events: readonly FeedEvent[]; readonly over: boolean };
  /** Resolves when there may be something new, or after `ms`. */
  changed(ms: number): Promise<void>;
  /** The reader is gone, or all was told. Called once. */
  closed(): void;
}

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
  return new Response(body, { headers: { "Content-Type": "text/event-stream", "Cache-Control": "no-store" } });
}

function textOf({ type, cursor, data }: FeedEvent): string {
  return `id: ${cursor}\nevent: ${type}\ndata: ${JSON.stringify(data)}\n\n`;
}
