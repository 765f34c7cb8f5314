/**
 * Valid messages of an execution, their mutations, and dispatchers over each pipe whose other side sends given messages.
 */
import {
  type ExecutionEvent,
  type ExecutionPort,
  type RpcPort,
  type StepDispatcher,
  type TurnRequest,
  portOf,
} from "@holdfast/protocol";
import { createHttpDispatcher, createServiceBindingDispatcher } from "../src/index.ts";
import { KEY, URL_OF_HANDLER } from "./handler-network.ts";

export type Message =
  | { readonly type: "report"; readonly report: unknown }
  | { readonly type: "bodies"; readonly began: unknown; readonly ended: unknown }
  | { readonly type: "page"; readonly after: unknown }
  | { readonly type: "lost"; readonly error: unknown };

const AT = 1_767_225_600_000;
const ERROR = {
  name: "Error",
  message: "no funds",
  code: "E1",
  data: "[1]",
  original: "[1]",
  stack: "Error: no funds",
};
const STEP = { nth: 1, attempt: 1, startedAt: AT, progress: "[1]", quiet: true, after: 0, use: 0 } as const;
const RETRY = { max: 3, backoff: "exponential", initialMs: 1_000, maxDelayMs: 60_000 } as const;

/** A valid event of each type, after those that it needs. */
const EVENTS: readonly (readonly ExecutionEvent[])[] = [
  [{ type: "step.started", op: "step/0/a", nth: 1, startedAt: AT }],
  [
    {
      type: "step.wants",
      op: "step/0/a",
      nth: 1,
      attempt: 1,
      limit: { name: "l", max: 1, key: { given: "[1]" }, fair: { key: "input.a" } },
    },
  ],
  [{ type: "step.completed", op: "step/0/a", value: "[1]", compensable: true, shielded: true, ...STEP }],
  [{ type: "step.failed", op: "step/0/a", error: ERROR, retry: RETRY, retryAfterMs: 5, ...STEP }],
  [{ type: "step.failed", op: "step/0/a", error: ERROR, retry: null, ...STEP }],
  [{ type: "inherited", op: "step/0/a", nth: 1, from: "step/1/a", compensable: true }],
  [{ type: "wait.opened", op: "sleep/0/sleep", nth: 1, afterMs: 60_000 }],
  [{ type: "wait.opened", op: "sleep/0/sleep", nth: 1, wakeAt: AT * 2 }],
  [
    { type: "wait.opened", op: "signal/0/go", nth: 1, match: '[{"a":1},1]' },
    { type: "parked", seq: 1, now: AT },
  ],
  [{ type: "wait.opened", op: "token/0/token", nth: 1, tokenId: "t-1", public: true }],
  [
    { type: "wait.opened", op: "signal/0/go", nth: 1 },
    { type: "wait.released", op: "signal/0/go", nth: 1, value: "[1]" },
  ],
  [
    { type: "race.opened", ops: ["signal/0/a", "signal/0/b"], cancelLosers: true },
    { type: "wait.opened", op: "signal/0/a", nth: 1 },
  ],
  [
    {
      type: "child.started",
      op: "run/0/kid",
      nth: 1,
      workflowId: "kid",
      workflowVersion: "1",
      input: "[1]",
      tags: ["a"],
      idempotencyKey: "k",
      detached: false,
    },
  ],
  [{ type: "metadata.changed", op: "metadata/0/k", nth: 1, change: { type: "set", key: "k", value: "[1]" } }],
  [{ type: "metadata.changed", op: "metadata/0/k", nth: 1, change: { type: "append", key: "k", value: "[1]" } }],
  [{ type: "metadata.changed", op: "metadata/0/k", nth: 1, change: { type: "increment", key: "k", by: 1 } }],
  [{ type: "metadata.changed", op: "metadata/0/k", nth: 1, change: { type: "remove", key: "k" } }],
  [
    { type: "stream.started", op: "stream/0/s", nth: 1 },
    { type: "stream.chunks", op: "stream/0/s", nth: 1, first: 0, chunks: ["[1]"] },
  ],
  [{ type: "run.unwinding", op: "unwind/0/run", nth: 1, cause: "failure", error: ERROR, step: "step/0/a" }],
  [{ type: "cleanup.started" }, { type: "cleanup.timed_out" }, { type: "unparked" }],
  [{ type: "run.completed", output: "[1]" }],
  [{ type: "run.failed", error: ERROR, step: "step/0/a" }],
  [{ type: "run.unwound" }],
  [{ type: "run.diverged", error: ERROR }],
];

export const VALID: readonly Message[] = [
  ...EVENTS.map((events): Message => ({ type: "report", report: { epoch: 1, asked: 3, events } })),
  { type: "bodies", began: [{ op: "step/0/a", attempt: 1, startedAt: AT, progress: "[1]" }], ended: [] },
  { type: "page", after: 0 },
  { type: "lost", error: { name: "HoldfastError", message: "gone", code: "DISPATCH_REFUSED" } },
];

/** Eleven MiB: over every limit of a value. */
const HUGE = `["${"x".repeat(11 * 2 ** 20)}"]`;
const EXTRA = { toString: "no function", __proto__: null, deep: { op: "x" }, many: [1] };
const INSTEAD: readonly unknown[] = [null, "x", -1, 1e300, {}, [null], HUGE];
/** What only a call in memory or RPC can carry. */
const NOT_IN_JSON: readonly unknown[] = [Number.NaN, Infinity];
const LARGE_FIELDS: ReadonlySet<string> = new Set(["value", "output", "message", "match", "input", "op", "chunks"]);

export interface Mutation {
  readonly what: string;
  readonly message: Message;
}

/** Each mutation of each field of a message: dropped, replaced, or with another field beside it. */
export function* mutationsOf(message: Message, inJson: boolean): Generator<Mutation> {
  for (const { path, made } of changes(message, inJson ? INSTEAD : [...INSTEAD, ...NOT_IN_JSON], inJson)) {
    if (path !== "type") yield { what: `${message.type} ${path}`, message: made as Message };
  }
}

function* changes(
  value: unknown,
  instead: readonly unknown[],
  inJson: boolean,
): Generator<{ readonly path: string; readonly made: unknown }> {
  if (typeof value !== "object" || value === null) return;
  const rebuild = (name: string, part: unknown): unknown =>
    Array.isArray(value) ? value.with(Number(name), part) : { ...value, [name]: part };
  if (!Array.isArray(value)) yield { path: "with another field", made: { ...value, extra: EXTRA } };
  for (const [name, part] of Object.entries(value)) {
    if (!Array.isArray(value))
      yield {
        path: `${name} dropped`,
        made: Object.fromEntries(Object.entries(value).filter(([key]) => key !== name)),
      };
    for (const other of instead) {
      if (other === HUGE && inJson && !LARGE_FIELDS.has(name)) continue;
      yield { path: `${name} = ${other === HUGE ? "11 MiB" : JSON.stringify(other)}`, made: rebuild(name, other) };
    }
    for (const { path, made } of changes(part, instead, inJson))
      yield { path: `${name}.${path}`, made: rebuild(name, made) };
  }
}

/** Makes a dispatcher over a pipe. The other side sends the message of the run, and then nothing. */
export type Pipe = (messageOf: (runId: string) => Message) => StepDispatcher;

async function sendTo(port: RpcPort, message: Message): Promise<void> {
  if (message.type === "report") await port.report(message.report as never);
  else if (message.type === "bodies") await port.bodies(message as never);
  else if (message.type === "page") await port.readPage(message.after as never);
  else await port.lost(message.error as never);
}

export const PIPES: Readonly<Record<string, Pipe>> = {
  "a dispatcher of one's own": (messageOf) => ({
    workflows: () => [],
    start(start, port: ExecutionPort) {
      const message = messageOf(start.run.id);
      queueMicrotask(() => {
        if (message.type === "report") void port.report(message.report as never);
        else if (message.type === "lost") port.lost(message.error as never);
        else if (message.type === "page") void port.readPage?.(message.after as never);
      });
      return {
        update: () => {},
        abort: () => {},
        stepsInProgress: () => (message.type === "bodies" ? (message.began as never) : []),
      };
    },
  }),
  RPC: (messageOf) =>
    createServiceBindingDispatcher({
      binding: {
        workflows: async () => ({ protocol: 1, workflows: [] }),
        async execute(start, call) {
          await sendTo(portOf(call), messageOf(start.run.id));
          while ((await call("next")).type !== "release");
        },
      },
    }),
  lines: (messageOf) => ({
    ...createServiceBindingDispatcher({
      pipe: "fetch",
      binding: {
        async fetch(request) {
          const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
          void answerInLine(request, writable, messageOf);
          return new Response(readable);
        },
      },
    }),
    workflows: () => [],
  }),
  turns: (messageOf) => ({
    ...createHttpDispatcher({
      url: URL_OF_HANDLER,
      signingKey: KEY,
      fetch: async (request) => Response.json(answerOf((await request.json()) as TurnRequest, messageOf)),
    }),
    workflows: () => [],
  }),
};

async function answerInLine(
  request: Request,
  writable: WritableStream<Uint8Array>,
  messageOf: (runId: string) => Message,
): Promise<void> {
  const writer = writable.getWriter();
  const reader = request.body?.getReader();
  if (reader === undefined) return;
  const decoder = new TextDecoder();
  let text = "";
  while (!text.includes("\n")) text += decoder.decode((await reader.read()).value, { stream: true });
  const { start } = JSON.parse(text.slice(0, text.indexOf("\n"))) as { start: { run: { id: string } } };
  // The orchestrator closes the line when the message is invalid, also while it is written.
  await writer.write(new TextEncoder().encode(`${JSON.stringify(messageOf(start.run.id))}\n`)).catch(() => {});
  while (!(await reader.read()).done);
  await writer.close().catch(() => {});
}

function answerOf({ session, start }: TurnRequest, messageOf: (runId: string) => Message): object {
  if (start === undefined) return { session, type: "idle" };
  const message = messageOf(start.run.id);
  if (message.type === "report") return { session, number: 1, inProgress: [], ...message };
  if (message.type === "bodies") return { session, type: "busy", inProgress: message.began };
  return { session, ...message };
}
