/** The connection to a run's stream, with sockets and tickets of the test and virtual time. */
import { ApiError, type RunEvent } from "@holdfast/workflows/client";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type LiveState, RunFollower, type SocketLike } from "../../src/live/follow.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

class Socket implements SocketLike {
  readonly url: string;
  readonly sent: string[] = [];
  isClosed = false;
  readonly #message: ((event: { readonly data: unknown }) => void)[] = [];
  readonly #close: ((event: { readonly code: number }) => void)[] = [];

  constructor(url: string) {
    this.url = url;
  }

  send(text: string): void {
    this.sent.push(text);
  }

  close(): void {
    this.isClosed = true;
  }

  addEventListener(type: "message" | "close", listener: never): void {
    (type === "message" ? this.#message : this.#close).push(listener);
  }

  receive(...ids: readonly string[]): void {
    const events = ids.map((id) => ({ type: "run", id, data: {} }));
    for (const listener of this.#message) listener({ data: JSON.stringify({ events }) });
  }

  receiveText(data: string): void {
    for (const listener of this.#message) listener({ data });
  }

  end(code: number): void {
    for (const listener of this.#close) listener({ code });
  }
}

/** A follower whose tickets name the position; `refusals` are thrown in place of the next tickets. */
function follow() {
  const sockets: Socket[] = [];
  const states: LiveState[] = [];
  const ids: string[] = [];
  const refusals: unknown[] = [];
  const page = { isHidden: false, checks: 0 };
  const follower = new RunFollower({
    ticketUrl: async (last) => {
      if (refusals.length > 0) throw refusals.shift();
      return last ?? "now";
    },
    openSocket: (url) => {
      const socket = new Socket(url);
      sockets.push(socket);
      return socket;
    },
    isHidden: () => page.isHidden,
    random: () => 0.5,
    onState: (state) => states.push(state),
    onEvents: (events: readonly RunEvent[]) => ids.push(...events.map(({ id }) => id)),
    onCheck: () => page.checks++,
  });
  const newest = (): Socket => {
    const socket = sockets.at(-1);
    if (socket === undefined) throw new Error("no socket is open");
    return socket;
  };
  const open = async (...first: readonly string[]): Promise<Socket> => {
    await vi.advanceTimersByTimeAsync(0);
    newest().receive(...first);
    return newest();
  };
  return { follower, sockets, states, ids, refusals, page, newest, open };
}

test("LIVE1 a connection that breaks continues after the last event, and the page reads what changed meanwhile", async () => {
  const { follower, sockets, states, ids, page, open } = follow();
  follower.start();
  const first = await open("1");
  first.receive("2", "3");
  expect([first.url, first.sent, page.checks]).toEqual(["now", ["ack", "ack"], 1]);
  first.end(1006);
  await vi.advanceTimersByTimeAsync(1_000);
  const second = await open("3", "4");
  expect([second.url, sockets.length, page.checks]).toEqual(["3", 2, 2]);
  expect(ids).toEqual(["1", "2", "3", "3", "4"]);
  expect(states).toEqual(["live", "reconnecting", "live"]);
});

test("LIVE1 what a replaced connection reports late is ignored", async () => {
  const { follower, sockets, ids, open } = follow();
  follower.start();
  const first = await open("1");
  follower.online();
  await open("1");
  first.receive("2");
  first.end(1000);
  await vi.advanceTimersByTimeAsync(60_000);
  expect([sockets.length, first.isClosed, ids]).toEqual([2, true, ["1", "1"]]);
});

test("LIVE1 the pauses between attempts grow while the server is away, to half a minute", async () => {
  const { follower, refusals, sockets, open } = follow();
  refusals.push(...Array.from({ length: 12 }, () => new TypeError("Failed to fetch")));
  follower.start();
  const left: number[] = [];
  for (let second = 0; second < 40; second++) {
    await vi.advanceTimersByTimeAsync(5_000);
    left.push(refusals.length);
  }
  expect(left.slice(0, 3)).toEqual([8, 7, 7]);
  expect(left.at(-1)).toBe(0);
  await vi.advanceTimersByTimeAsync(60_000);
  expect((await open("1")).url).toBe("now");
  expect(sockets.length).toBe(1);
});

test("LIVE1 the close of an ended run is the end: nothing connects again", async () => {
  const { follower, sockets, states, page, open } = follow();
  follower.start();
  (await open("1")).end(1000);
  await vi.advanceTimersByTimeAsync(600_000);
  expect([sockets.length, states.at(-1), page.checks]).toEqual([1, "ended", 2]);
});

test("LIVE1 credentials that expire are reported once, and nothing is sent until the reader signs in", async () => {
  const { follower, states, refusals, sockets, open } = follow();
  follower.start();
  const socket = await open("1");
  refusals.push(new ApiError("POST /api/tickets", 401, "unauthorized", "no"));
  socket.end(1006);
  await vi.advanceTimersByTimeAsync(600_000);
  expect([states, sockets.length]).toEqual([["live", "reconnecting", "signed out"], 1]);
});

test("LIVE1 where sockets do not pass the page asks at intervals, and tries a socket now and then", async () => {
  const { follower, sockets, states, page, newest, open } = follow();
  follower.start();
  for (let attempt = 0; attempt < 3; attempt++) {
    await vi.advanceTimersByTimeAsync(0);
    newest().end(1006);
    await vi.advanceTimersByTimeAsync(2_000);
  }
  expect(states).toEqual(["reconnecting", "polling"]);
  const before = page.checks;
  await vi.advanceTimersByTimeAsync(10_000);
  expect(page.checks - before).toBe(5);
  await vi.advanceTimersByTimeAsync(52_000);
  expect(sockets.length).toBe(4);
  newest().receive("1");
  const after = page.checks;
  await vi.advanceTimersByTimeAsync(10_000);
  expect([states.at(-1), page.checks - after]).toEqual(["live", 0]);
  await open("2");
});

test("LIVE1 a run with more streams than a socket has room for is polled for good", async () => {
  const { follower, sockets, states, open } = follow();
  follower.start();
  (await open("1")).end(1009);
  await vi.advanceTimersByTimeAsync(600_000);
  expect([sockets.length, states.at(-1)]).toEqual([1, "polling"]);
});

test("LIVE1 a socket that stays silent, or says something else, counts as a failure", async () => {
  const { follower, sockets, newest } = follow();
  follower.start();
  await vi.advanceTimersByTimeAsync(11_000);
  expect(sockets.map(({ isClosed }) => isClosed)).toEqual([true, false]);
  newest().receiveText("<!doctype html>");
  await vi.advanceTimersByTimeAsync(3_000);
  expect(sockets.map(({ isClosed }) => isClosed)).toEqual([true, true, false]);
});

test("LIVE1 a hidden page gives its connection back after a while, and continues where it was", async () => {
  const { follower, sockets, states, page, open } = follow();
  follower.start();
  const first = await open("7");
  page.isHidden = true;
  follower.visibilityChanged();
  await vi.advanceTimersByTimeAsync(5_000);
  expect(first.isClosed).toBe(false);
  page.isHidden = false;
  follower.visibilityChanged();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(first.isClosed).toBe(false);
  page.isHidden = true;
  follower.visibilityChanged();
  await vi.advanceTimersByTimeAsync(3_600_000);
  expect([first.isClosed, sockets.length, states.at(-1)]).toEqual([true, 1, "suspended"]);
  page.isHidden = false;
  follower.visibilityChanged();
  expect((await open("7")).url).toBe("7");
  expect(states.at(-1)).toBe("live");
});

test("LIVE1 a page that is hidden for a moment while it connects again, or polls, continues with that", async () => {
  const { follower, sockets, states, page, newest, open } = follow();
  const lookAway = async (): Promise<void> => {
    page.isHidden = true;
    follower.visibilityChanged();
    await vi.advanceTimersByTimeAsync(100);
    page.isHidden = false;
    follower.visibilityChanged();
  };
  follower.start();
  (await open("1")).end(1006);
  await lookAway();
  await vi.advanceTimersByTimeAsync(2_000);
  expect(sockets.length).toBe(2);
  newest().end(1006);
  await vi.advanceTimersByTimeAsync(5_000);
  newest().end(1006);
  expect(states.at(-1)).toBe("polling");
  await lookAway();
  await vi.advanceTimersByTimeAsync(120_000);
  expect([states.at(-1), sockets.length > 3]).toEqual(["polling", true]);
});

test("LIVE1 a stream that ends before its run connects again", async () => {
  const { follower, sockets, states, open } = follow();
  follower.start();
  (await open("1")).end(1000);
  follower.notEnded();
  await vi.advanceTimersByTimeAsync(1_000);
  expect((await open("2")).url).toBe("1");
  expect([sockets.length, states.at(-1)]).toEqual([2, "live"]);
});

test("LIVE1 an API that makes no tickets, but answers, is polled", async () => {
  const { follower, states, refusals } = follow();
  refusals.push(...Array.from({ length: 3 }, () => new ApiError("POST /api/tickets", 429, "too_many_requests", "no")));
  follower.start();
  await vi.advanceTimersByTimeAsync(5_000);
  expect(states.at(-1)).toBe("polling");
});

test("LIVE1 a page that is opened in the background connects when it is shown", async () => {
  const { follower, sockets, page, open } = follow();
  page.isHidden = true;
  follower.start();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(sockets).toEqual([]);
  page.isHidden = false;
  follower.visibilityChanged();
  await open("1");
});

test("LIVE1 a page that is closed leaves no connection and no timer", async () => {
  const { follower, sockets, open } = follow();
  follower.start();
  const socket = await open("1");
  follower.stop();
  socket.end(1006);
  expect([socket.isClosed, vi.getTimerCount()]).toEqual([true, 0]);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(sockets.length).toBe(1);
});
