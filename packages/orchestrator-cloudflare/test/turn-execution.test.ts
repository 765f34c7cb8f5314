/** tests: the requests of one execution around its first turn, over a pipe that the test answers (DUR11, PIPE2) */
import { type ExecutionPort, type ExecutionStart, PROTOCOL_VERSION, type TurnRequest } from "@holdfast/protocol";
import { expect, test } from "vitest";
import { ConnectedTurns, type Opened } from "../src/dispatch/connected-turns.ts";
import { Connections } from "../src/dispatch/connections.ts";
import { PipeError } from "../src/dispatch/pipe-error.ts";
import type { PostTurn, TurnCarrier } from "../src/dispatch/turn-carrier.ts";
import { TurnExecution } from "../src/dispatch/turn-execution.ts";
import type { SocketEvents } from "../src/dispatch/turn-connection.ts";
import type { SenderTime } from "../src/dispatch/turn-sender.ts";

const START: ExecutionStart = {
  protocol: PROTOCOL_VERSION,
  run: { id: "r", createdAt: 0, seed: "0".repeat(32) },
  workflowId: "w",
  epoch: 1,
  now: 0,
  paused: false,
  journal: [],
  input: "null",
} as unknown as ExecutionStart;

/** A handler without the session until a start arrives. */
class Handler {
  readonly requests: TurnRequest[] = [];
  readonly sessions = new Set<string>();
  /** Requests that fail before they arrive. */
  failures = 0;
  /** Answers that are lost. */
  lostAnswers = 0;

  readonly post: PostTurn = async (request) => {
    if (this.failures-- > 0) throw new PipeError("no answer");
    this.requests.push(request);
    if (this.lostAnswers-- > 0) {
      this.sessions.add(request.session);
      throw new PipeError("the answer was lost");
    }
    const { session, start } = request;
    if (start !== undefined) this.sessions.add(session);
    const type = this.sessions.has(session) ? "idle" : "unknown_session";
    return { session, instance: "one", upMs: 1_000_000, type };
  };

  get starts(): number {
    return this.requests.filter(({ start }) => start !== undefined).length;
  }
}

/** Lets all promises that are due settle. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function begin(carrier: TurnCarrier, time?: SenderTime): { live: TurnExecution; losses: unknown[] } {
  const losses: unknown[] = [];
  const port = {
    report: () => ({ accepted: false, reason: "superseded" }),
    lost: (error: unknown) => losses.push(error),
  };
  const live = new TurnExecution(START, port as unknown as ExecutionPort, carrier, time);
  return { live, losses };
}

test("DUR11 a ping before the first turn asks no handler that has no session yet, and the first answer answers it", async () => {
  const handler = new Handler();
  const { live, losses } = begin({ post: handler.post });
  let answers = 0;
  live.ping(() => (answers += 1));
  await settled();
  expect(handler.requests.map(({ aside, start }) => [aside, start !== undefined])).toEqual([[undefined, true]]);
  expect([answers, losses]).toEqual([1, []]);
});

test.each(["refused", "failed"])(
  "CAN1 PIPE2 an execution that is aborted while an upgrade is open starts nowhere after it is %s",
  async (end) => {
    const handler = new Handler();
    const { promise, resolve, reject } = Promise.withResolvers<Opened>();
    const carrier = new ConnectedTurns(handler.post, {
      open: () => promise,
      connections: new Connections(),
      url: "https://steps.example",
      max: 1,
      after: 0,
      name: "The step handler",
    });
    const { live } = begin(carrier);
    await settled();
    live.abort({ type: "superseded" });
    await settled();
    if (end === "refused") resolve("refused");
    else reject(new Error("no network"));
    await settled();
    expect(handler.requests.map(({ abort }) => abort?.type)).toEqual(["superseded"]);
  },
);

/** A carrier over a socket that the test has: nothing that is sent over it arrives. */
function overSocket(handler: Handler, ended = false) {
  const upgrades: SocketEvents[] = [];
  const carrier = new ConnectedTurns(handler.post, {
    open: async (_session, events) => {
      upgrades.push(events);
      if (ended) events.closed(true);
      return { socket: { send: () => {}, close: () => {} }, key: undefined };
    },
    connections: new Connections(),
    url: "https://steps.example",
    max: 1,
    after: 0,
    name: "The step handler",
  });
  return { upgrades, carrier };
}

test("CAN1 PIPE5 a start on a connection that ends after the abort is not repeated", async () => {
  const handler = new Handler();
  const { upgrades, carrier } = overSocket(handler);
  const { live } = begin(carrier);
  await settled();
  live.abort({ type: "superseded" });
  await settled();
  expect(handler.requests).toEqual([]);
  upgrades[0]?.closed(true);
  await settled();
  expect(handler.requests.map(({ abort }) => abort?.type)).toEqual(["superseded"]);
});

test("PIPE5 a connection that the other side ended before its first frame is not the last one", async () => {
  const handler = new Handler();
  const { upgrades, carrier } = overSocket(handler, true);
  const { live } = begin(carrier);
  await settled();
  live.update({ now: 1, entries: [] });
  await settled();
  expect([upgrades.length, handler.requests.length]).toEqual([2, 2]);
});

test("CAN1 an execution that is aborted during the pause before its first turn is repeated starts nowhere", async () => {
  const handler = new Handler();
  handler.failures = 1;
  const { promise, resolve } = Promise.withResolvers<void>();
  const { live } = begin({ post: handler.post }, { now: () => 0, pause: () => promise });
  await settled();
  live.abort({ type: "superseded" });
  resolve();
  await settled();
  expect(handler.starts).toBe(0);
});

test("DUR11 a first turn whose answer was lost is repeated only to the instance that began it", async () => {
  const handler = new Handler();
  handler.lostAnswers = 1;
  begin({ post: handler.post }, { now: () => 0, pause: async () => {} });
  await settled();
  const sent = handler.requests.map(({ start, instance }) => [start !== undefined, instance]);
  expect(sent).toEqual([
    [true, undefined],
    [false, undefined],
    [true, "one"],
  ]);
});
