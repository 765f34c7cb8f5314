/**
 * An API with fixed answers on a port of its own.
 *
 * Owns: sample runs in every status, one with hostile text in every field, and the record of requests.
 */
import { type IncomingMessage, type ServerResponse, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { readVersion } from "../src/version.ts";
import { NOW } from "./call.ts";

interface Seen {
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
  readonly authorization: string | undefined;
  readonly lastEventId: unknown;
}

type Answer = readonly [status: number, body: unknown];

export interface FakeApi extends AsyncDisposable {
  readonly url: string;
  readonly seen: Seen[];
  /** Answers in place of the usual ones: by `METHOD /path`, without the query. */
  readonly answers: Map<string, Answer | (() => Answer)>;
  /** The runs of the list, the newest first. */
  runs: readonly Record<string, unknown>[];
}

export const HOSTILE = "\u001b[31mred\u001b[0m\nnew line\u202eevil\u0007\u009b1m\u2066x";

export function sampleRun(id: string, status: string, more: object = {}): Record<string, unknown> {
  const ended = !["pending", "running", "waiting", "paused"].includes(status);
  return {
    id,
    workflowId: "order",
    workflowVersion: null,
    status,
    tags: ["vip"],
    environment: "production",
    triggeredBy: "ada",
    createdAt: NOW - 90_000,
    startedAt: NOW - 89_000,
    updatedAt: NOW - 1_000,
    ...(ended ? { endedAt: NOW - 4_000 } : {}),
    ...more,
  };
}

export function sampleRecord(id: string, status: string, more: object = {}): Record<string, unknown> {
  return {
    ...sampleRun(id, status),
    phase: "forward",
    pendingWaitpoints:
      status === "waiting"
        ? [{ id: "signal/0/approval", kind: "SIGNAL", meta: { name: "approval" }, wakeAt: NOW + 86_400_000 }]
        : [],
    invocationCount: 1,
    metadata: {},
    tenantMeta: null,
    input: { orderId: "o-1", cents: 4_200 },
    ...(status === "completed" ? { output: { parcel: "parcel-1" } } : {}),
    steps: [
      {
        name: "reserve",
        occurrence: 0,
        status: "completed",
        attempts: 1,
        startedAt: NOW - 89_000,
        endedAt: NOW - 88_960,
        output: { holdId: "hold-1" },
      },
      {
        name: "charge",
        occurrence: 0,
        status: "retrying",
        attempts: 2,
        startedAt: NOW - 80_000,
        retryAt: NOW + 5_000,
        error: { name: "Error", message: "card declined" },
      },
    ],
    streams: {},
    ...more,
  };
}

const ERROR = { category: "USER_ERROR", code: "DECLINED", name: "Error", message: "card declined", step: "charge" };

export const RUNS: readonly Record<string, unknown>[] = [
  sampleRun("01JX0000000000000000000001", "running"),
  sampleRun("order-2", "waiting", { tags: ["vip", "eu"] }),
  sampleRun("order-3", "failed", { error: ERROR }),
  sampleRun("order-4", "completed", { workflowVersion: "2", tags: [] }),
  sampleRun("order-5", "pending", { startedAt: undefined, createdAt: NOW - 3 * 86_400_000 }),
  sampleRun("order-6", "paused", {
    error: {
      ...ERROR,
      code: "NON_DETERMINISM",
      message: "entry 7 does not fit the code: the function requested step ship, the journal has step charge",
    },
  }),
];

/** The events of a run as Server-Sent Events. */
export function eventsOf(...events: readonly (readonly [type: string, data: unknown])[]): string {
  return events.map(([type, data], id) => `id: ${id}\nevent: ${type}\ndata: ${JSON.stringify(data)}\n\n`).join("");
}

export const JOURNAL: readonly Record<string, unknown>[] = [
  entry(1, "step.completed", "step", "reserve", { attempt: 1, startedAt: NOW - 89_000, value: { holdId: "hold-1" } }),
  entry(2, "step.retrying", "step", "charge", {
    attempt: 1,
    startedAt: NOW - 88_500,
    retryAt: NOW - 86_000,
    error: { name: "Error", message: "card declined" },
  }),
  entry(3, "step.completed", "step", "charge", { attempt: 2, startedAt: NOW - 86_000, value: { chargeId: "ch_1" } }),
  entry(4, "wait.opened", "signal", "approval", { wakeAt: NOW + 86_400_000 }),
  entry(5, "child.started", "child", "email", { runId: "child-1" }),
];

export function entry(seq: number, type: string, kind: string, name: string, more: object): Record<string, unknown> {
  return { seq, at: NOW - 88_000 + seq * 10, type, operation: { kind, occurrence: 0, name }, ...more };
}

export async function startFakeApi(): Promise<FakeApi> {
  const seen: Seen[] = [];
  const answers: FakeApi["answers"] = new Map();
  const server = createServer((request, response) => {
    void readBody(request).then((body) => {
      const { pathname, searchParams } = new URL(request.url ?? "/", "http://fake");
      const { method = "GET", headers } = request;
      const { authorization, "last-event-id": lastEventId } = headers;
      seen.push({ method, path: request.url ?? "/", body, authorization, lastEventId });
      const fixed = answers.get(`${method} ${pathname}`);
      const [status, answer] =
        (typeof fixed === "function" ? fixed() : fixed) ?? usual(method, pathname, searchParams, api);
      send(response, status, answer);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const api: FakeApi = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    answers,
    runs: RUNS,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return api;
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  let text = "";
  for await (const part of request) text += String(part);
  return text === "" ? undefined : JSON.parse(text);
}

function send(response: ServerResponse, status: number, body: unknown): void {
  if (typeof body === "string" && body.startsWith("id:")) {
    response.writeHead(status, { "Content-Type": "text/event-stream" });
    response.end(body);
    return;
  }
  response.writeHead(status, { "Content-Type": "application/json", "Holdfast-Version": readVersion() });
  response.end(body === undefined ? undefined : JSON.stringify(body));
}

function usual(method: string, path: string, query: URLSearchParams, api: FakeApi): readonly [number, unknown] {
  if (path === "/api/runs" && method === "GET") return [200, page(api.runs, query)];
  if (path === "/api/runs") return [201, sampleRecord("order-1", "waiting")];
  if (path === "/healthz") return [200, { ok: true, version: readVersion() }];
  if (path === "/api/workflows")
    return [
      200,
      {
        workflows: [
          { id: "order", description: "Reserves, charges, ships.", tags: ["shop"] },
          { id: "review", version: "2", timeoutMs: 3_600_000 },
        ],
      },
    ];
  const [, id = "", verb = ""] = /^\/api\/runs\/([^/]+)(?:\/(\w+))?/.exec(path) ?? [];
  const run = decodeURIComponent(id);
  if (run === "none") return [404, { error: "not_found", message: "There is no such run." }];
  if (run === "ended" && method === "POST") return [409, { error: "run_terminal", message: "The run has ended." }];
  if (method === "DELETE") return [204, undefined];
  if (verb === "journal") return [200, { entries: JOURNAL, nextAfter: null }];
  if (verb === "audit") return [200, { entries: [{ at: NOW, action: "trigger", by: "ada" }] }];
  if (verb === "signals" || verb === "events" || verb === "tokens")
    return [202, { delivery: "resolved", run: { id: run } }];
  if (verb === "resume") return [201, sampleRecord(`${run}-b`, "running", { resumedFrom: { runId: run } })];
  if (method === "POST") return [202, { run: sampleRecord(run, verb === "pause" ? "paused" : "cancelled") }];
  return [
    200,
    sampleRecord(
      run,
      run === "failed" ? "failed" : run === "waiting" ? "waiting" : "completed",
      run === "failed" ? { error: ERROR } : {},
    ),
  ];
}

function page(runs: FakeApi["runs"], query: URLSearchParams) {
  const from = Number(query.get("cursor") ?? 0);
  const limit = Number(query.get("limit") ?? 50);
  const matching = runs.filter(({ status }) => !query.has("status") || query.get("status") === status);
  const next = from + limit < matching.length ? String(from + limit) : null;
  return { runs: matching.slice(from, from + limit), nextCursor: next };
}
