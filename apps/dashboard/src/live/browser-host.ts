/**
 * The browser's side of a connection: tickets, sockets, whether the page is hidden.
 *
 * Owns: a deployment without keys for tickets. There the socket has no ticket: it passes if the API is open, or if cookies
 * are the credentials.
 */
import { ApiError } from "@holdfast/workflows/client";
import { api } from "../session.ts";
import type { FollowHost } from "./follow.ts";

type BrowserHost = Pick<FollowHost, "ticketUrl" | "openSocket" | "isHidden" | "random">;

export function browserHost(runId: string): BrowserHost {
  return {
    ticketUrl: (last) => ticketUrl(runId, last),
    openSocket: (url) => new WebSocket(url),
    isHidden: () => document.hidden,
    random: Math.random,
  };
}

async function ticketUrl(runId: string, lastEventId: string | undefined): Promise<string> {
  const place = lastEventId === undefined ? { from: "now" as const } : { lastEventId };
  const url = await api()
    .run(runId)
    .ticket(place)
    .then(
      (ticket) => ticket.url,
      (error: unknown) => {
        if (!(error instanceof ApiError) || error.code !== "tickets_not_configured") throw error;
        return `${location.origin}/api/runs/${encodeURIComponent(runId)}/stream?${new URLSearchParams(place)}`;
      },
    );
  return url.replace(/^http/, "ws");
}
