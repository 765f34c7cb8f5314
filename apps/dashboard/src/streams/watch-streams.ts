/**
 * Follows the chunks of a run.
 *
 * Owns: the connection: a socket that begins after the newest journal entry and before all chunks. Where sockets do not
 * pass, Server-Sent Events take its place.
 */
import type { RunEvent } from "@holdfast/workflows/client";
import { browserHost } from "../live/browser-host.ts";
import { type LiveState, RunFollower } from "../live/follow.ts";
import { api } from "../session.ts";

interface Watching {
  readonly runId: string;
  /** The newest entry of the journal: the page has it and those before already. */
  readonly seq: number;
  readonly take: (events: readonly RunEvent[]) => void;
  readonly onState: (state: LiveState) => void;
}

/** Returns the function that ends it. */
export function watchStreams({ runId, seq, take, onState }: Watching): () => void {
  const ended = new AbortController();
  const first = String(seq);
  let hasEvents = false;
  const follower = new RunFollower(
    {
      ...browserHost(runId),
      onEvents: take,
      onCheck: () => {},
      onState: (state) => {
        onState(state);
        if (state !== "polling" || hasEvents) return;
        hasEvents = true;
        follower.stop();
        void readEvents();
      },
    },
    first,
  );
  const readEvents = async (): Promise<void> => {
    try {
      onState("live");
      const stream = api().run(runId).stream({ lastEventId: first, signal: ended.signal });
      for await (const event of stream) take([event]);
      onState("ended");
    } catch {
      if (!ended.signal.aborted) onState("reconnecting");
    }
  };
  const { signal } = ended;
  document.addEventListener("visibilitychange", () => follower.visibilityChanged(), { signal });
  addEventListener("online", () => follower.online(), { signal });
  follower.start();
  return () => {
    ended.abort();
    follower.stop();
  };
}
