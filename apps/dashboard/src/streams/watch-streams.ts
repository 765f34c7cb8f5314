/**
 * Follows the chunks of a run.
 *
 * Owns: the connection: a socket that begins after the newest journal entry and before all chunks. Where sockets do not
 * pass, Server-Sent Events take its place.
 */
import type { RunEvent } from "@holdfast/workflows/client";
import { browserHost } from "../live/browser-host.ts";
import { type LiveState, RunFollower } from "../live/follow.ts";
import { failureOf, isLasting } from "../failure.tsx";
import { poll } from "../poll.ts";
import { api } from "../session.ts";

/** The pause before the page reads the events again, ms. It grows while they cannot be read. */
const PAUSE_MS = 1_000;

interface Watching {
  readonly runId: string;
  /** The newest entry of the journal: the page has it and those before already. */
  readonly seq: number;
  readonly take: (events: readonly RunEvent[]) => void;
  readonly onState: (state: LiveState) => void;
}

/** Returns the function that ends it. */
export function watchStreams(watching: Watching): () => void {
  const { runId, seq, take, onState } = watching;
  const ended = new AbortController();
  let stopEvents: (() => void) | undefined;
  const follower = new RunFollower(
    {
      ...browserHost(runId),
      onEvents: take,
      onCheck: () => {},
      onState: (state) => {
        onState(state);
        if (state !== "polling") return;
        follower.stop();
        stopEvents ??= poll(PAUSE_MS, eventReader(watching));
      },
    },
    String(seq),
  );
  const { signal } = ended;
  document.addEventListener("visibilitychange", () => follower.visibilityChanged(), { signal });
  addEventListener("online", () => follower.online(), { signal });
  follower.start();
  return () => {
    ended.abort();
    follower.stop();
    stopEvents?.();
  };
}

/** Reads the events to their end. Each call continues after the last event, and returns whether to call it again. */
function eventReader({ runId, seq, take, onState }: Watching): (left: AbortSignal) => Promise<boolean> {
  let last = String(seq);
  return async (left) => {
    try {
      for await (const event of api().run(runId).stream({ lastEventId: last, signal: left })) {
        onState("live");
        take([event]);
        last = event.id;
      }
      onState("ended");
      return false;
    } catch (error) {
      if (left.aborted) return false;
      const failure = failureOf(error);
      onState(failure.status === 401 ? "signed out" : "reconnecting");
      if (isLasting(failure)) return false;
      throw error;
    }
  };
}
