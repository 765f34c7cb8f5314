/** tests: what each route shows to each combination of scopes (SEC7), by the table of shown fields */
import type { Acquire } from "@holdfast/orchestrator";
import { RUN_VIEWS, type RunView } from "@holdfast/protocol";
import { workflow } from "@holdfast/workflows";
import { describe, expect, test, vi } from "vitest";
import { ROUTES } from "../src/api/routes.ts";
import { PARTS, type Part, SHOWN_FIELDS } from "../src/api/answers/shown-fields.ts";
import { SCOPES, type Scope } from "../src/auth/principal.ts";
import {
  type StepDispatcher,
  type VerifyRequest,
  createInlineDispatcher,
  durableObjectIndex,
  errorValue,
} from "../src/index.ts";
import { askCoordinator } from "../src/run-object/messenger.ts";
import { FakeCoordinators } from "./fake-coordinators.ts";
import { FakeDeployment, FakeIndexNamespace } from "./fake-platform.ts";

const child = workflow({ id: "child", run: (url) => url });

const collects = workflow({ id: "collects", debounce: { wait: "1h" }, run: (input: unknown) => input });
const keyed = workflow({
  id: "keyed",
  batch: { key: "input", max: 9_999, wait: "1h" },
  run: (input: unknown) => input,
});

const ASK = {
  title: "Well?",
  details: "of any length",
  choices: [{ label: "Yes", value: null }],
  risk: "low",
} as const;

const shows = workflow({
  id: "shows",
  run: async (input, ctx) => {
    const [open, named] = [ctx.waitForToken({ public: true }), ctx.waitForToken({ tokenId: "named", ask: ASK })];
    ctx.metadata.set("url", open.url);
    ctx.metadata.set("id", open.tokenId);
    await ctx.step("mail", () => ({ text: `see ${open.url}?yes`, input, joined: `f${open.tokenId}0` }));
    await ctx.step("bad", { retry: { max: 1 } }, () => Promise.reject(new Error("of the author"))).catch(() => {});
    await ctx.invoke(child, open.url);
    await ctx.waitForSignal("go");
    return [open.url, await named.wait()];
  },
});

const SCHEDULE = {
  id: "shown",
  workflow: "child",
  cron: "0 0 * * *",
  input: "secret-input",
  overlap: "queue",
  queueMax: 2,
  spread: "50%",
} as const;

const BACKFILL = { from: "2020-01-01T00:00:00Z", until: "2020-01-02T00:00:00Z" };

/** Requests of a limit. */
function limitRequests(
  of: string,
  path: string,
): Record<string, () => { path: string; json?: object; method?: string }> {
  return {
    [`override${of}`]: () => ({ path, json: { max: 1 }, method: "PATCH" }),
    [`pause${of}`]: () => ({ path: `${path}/pause`, json: {} }),
    [`kickFrom${of}`]: () => ({ path: `${path}/kick`, json: { runId: "x" } }),
    [`read${of}`]: () => ({ path }),
  };
}

/** Requests of a window. */
function windowRequests(of: string, path: string): Record<string, () => { path: string; json?: object }> {
  return {
    [`read${of}`]: () => ({ path }),
    [`fire${of}`]: () => ({ path: `${path}/fire`, json: {} }),
    [`cancel${of}`]: () => ({ path: `${path}/cancel`, json: {} }),
  };
}

/** Requests by the id of the route. Each is sent to a run of its own that waits. */
const REQUESTS: Readonly<
  Record<string, (id: string, view: RunView) => { path: string; json?: object; method?: string }>
> = {
  triggerRun: (runId, view) => ({
    path: `/api/runs?view=${view}`,
    json: { runId, workflowId: "shows", input: "secret-input" },
  }),
  resumeRun: (id, view) => ({
    path: `/api/runs/${id}/resume?view=${view}`,
    json: { runId: `${id}-next`, resumeFromStep: "mail" },
  }),
  readRun: (id, view) => ({ path: `/api/runs/${id}?view=${view}${view === "result" ? "" : "&actions=true"}` }),
  readJournal: (id) => ({ path: `/api/runs/${id}/journal` }),
  readAudit: (id) => ({ path: `/api/runs/${id}/audit` }),
  followRun: (id) => ({ path: `/api/runs/${id}/stream` }),
  makeTicket: (id) => ({ path: "/api/tickets", json: { path: `/api/runs/${id}/stream` } }),
  listApprovals: () => ({ path: "/api/approvals" }),
  listRuns: () => ({ path: "/api/runs?limit=1" }),
  actOnManyRuns: (id) => ({ path: "/api/runs/bulk", json: { action: "retry", ids: [id] } }),
  rebuildIndex: (id) => ({ path: "/api/index/rebuild", json: { runIds: [id] } }),
  deleteRun: (id) => ({ path: `/api/runs/${id}`, method: "DELETE" }),
  deliverEvent: (id) => ({ path: `/api/runs/${id}/events`, json: { eventType: "e" } }),
  deliverSignal: (id) => ({ path: `/api/runs/${id}/signals`, json: { name: "other" } }),
  resolveToken: (id) => ({ path: `/api/runs/${id}/tokens/named`, json: { payload: null } }),
  cancelRun: (id) => ({ path: `/api/runs/${id}/cancel`, json: {} }),
  terminateRun: (id) => ({ path: `/api/runs/${id}/terminate`, json: { reason: "enough" } }),
  pauseRun: (id) => ({ path: `/api/runs/${id}/pause`, json: {} }),
  unpauseRun: (id) => ({ path: `/api/runs/${id}/unpause`, json: {} }),
  retryRun: (id) => ({ path: `/api/runs/${id}/retry`, json: {} }),
  listSchedules: () => ({ path: "/api/schedules" }),
  createSchedule: () => ({ path: "/api/schedules", json: SCHEDULE }),
  previewSchedule: () => ({ path: "/api/schedules/preview", json: { cron: "0 0 * * *" } }),
  syncSchedules: () => ({ path: "/api/schedules/sync", json: { dryRun: true } }),
  readSchedule: () => ({ path: "/api/schedules/shown" }),
  updateSchedule: () => ({ path: "/api/schedules/shown", json: { tags: ["x"] }, method: "PATCH" }),
  deleteSchedule: () => ({ path: "/api/schedules/shown", method: "DELETE" }),
  pauseSchedule: () => ({ path: "/api/schedules/shown/pause", json: {} }),
  resumeSchedule: () => ({ path: "/api/schedules/shown/resume", json: {} }),
  triggerSchedule: () => ({ path: "/api/schedules/shown/trigger", json: {} }),
  backfillSchedule: () => ({ path: "/api/schedules/shown/backfill", json: { ...BACKFILL, dryRun: true } }),
  cancelBackfill: () => ({ path: "/api/schedules/shown/backfill", method: "DELETE" }),
  listLimits: () => ({ path: "/api/limits" }),
  syncLimits: () => ({ path: "/api/limits/sync", json: { dryRun: true } }),
  rebuildLimits: () => ({ path: "/api/limits/rebuild", json: {} }),
  ...limitRequests("Limit", "/api/limits/shown"),
  ...limitRequests("LimitKey", "/api/limits/shown/key"),
  ...windowRequests("Window", "/api/windows/collects"),
  ...windowRequests("WindowKey", "/api/windows/keyed/k"),
  sendEvent: () => ({ path: "/api/events", json: EVENT }),
  testEvent: () => ({ path: "/api/events/test", json: { name: "shown", data: { secret: 1 } } }),
  readEvent: () => ({ path: "/api/events/shown" }),
  listEvents: () => ({ path: "/api/events" }),
  readTopic: () => ({ path: "/api/topics/shown/k" }),
  replayEvent: () => ({ path: "/api/events/shown/replay", json: { mode: "force", waits: true } }),
  replayEvents: () => ({ path: "/api/events/replay", json: { name: "shown", from: 0, mode: "force", waits: true } }),
  countRuns: () => ({ path: "/api/counts" }),
  listWorkflows: () => ({ path: "/api/workflows" }),
  deployment: () => ({ path: "/api/deployment" }),
};

const EVENT = { id: "shown", name: "shown", key: "k", source: "s", at: 1, data: { secret: 1 } };

/** The state that a route needs. */
const BEFORE: Readonly<Record<string, string>> = { unpauseRun: "pause", deleteRun: "cancel", resumeRun: "cancel" };

/** Routes after which a run is in another state. */
const CHANGES = new Set([...Object.keys(BEFORE), "resolveToken", "retryRun", "cancelRun", "terminateRun", "pauseRun"]);

const COMBINATIONS: Scope[][] = Array.from({ length: 2 ** SCOPES.length }, (_none, bits) =>
  SCOPES.filter((_scope, i) => (bits >> i) % 2 === 1),
);

const verifyRequest: VerifyRequest = ({ headers }) => ({
  subject: "ann",
  scopes: SCOPES.filter((scope) => headers.get("Scopes")?.includes(scope) ?? true),
});

class Deployment {
  /** Whether executions fail so that the engine pauses their runs. */
  #fails = false;
  #runs = 0;
  #shared: string | undefined;
  readonly #index = durableObjectIndex({ binding: new FakeIndexNamespace() });
  readonly #coordinators = new FakeCoordinators(() => ({})).binding;
  readonly api = new FakeDeployment(
    [shows, child, collects, keyed],
    {
      runIndex: this.#index,
      coordinatorDO: this.#coordinators,
      verifyRequest,
    },
    this.#dispatcher(),
    { runIndex: this.#index, coordinatorDO: this.#coordinators },
  );

  #dispatcher(): StepDispatcher {
    const inline = createInlineDispatcher({ workflows: [shows, child, collects, keyed] });
    return {
      ...inline,
      start: (start, port) => {
        if (!this.#fails) return inline.start(start, port);
        queueMicrotask(() => port.lost(errorValue("PROTOCOL_MISMATCH", "of the handler")));
        return { update: () => {}, abort: () => {} };
      },
    };
  }

  /** Makes the engine pause a run: its next execution fails. */
  async #breakRun(id: string): Promise<void> {
    this.#fails = true;
    this.api.evict(id);
    await this.api.fetch(`/api/runs/${id}/signals`, { json: { name: "go" } });
    const isPaused = (): boolean => JSON.stringify(this.api.storageOf(id).rows.get("record")).includes('"paused"');
    await vi.waitUntil(isPaused, { interval: 1 });
    this.#fails = false;
  }

  /** One run holds the limit of the requests, and one waits. */
  async #hold(): Promise<void> {
    const holds = ["x", "y"].flatMap((runId) => ["shown", "shown\u0002key"].map((gate) => ({ runId, gate })));
    for (const { runId, gate } of holds) {
      const acquire: Acquire = {
        type: "acquire",
        hold: { runId, incarnation: runId, seq: 1 },
        limit: "shown",
        mode: "run",
        place: { enqueuedAt: 1, priority: 1, group: "g" },
        onFull: "queue",
        settings: { rev: 1, max: 1 },
        workflowId: "of the author",
      };
      const request = { self: { kind: "gate" as const, name: gate }, ask: "message" as const, message: acquire };
      await askCoordinator(this.#coordinators, request);
    }
  }

  /** A schedule with a tick, and a backfill in progress. */
  async #schedule(): Promise<void> {
    await this.api.fetch("/api/schedules", { json: SCHEDULE });
    await this.api.fetch("/api/schedules/shown/trigger", { json: {} });
    await this.api.fetch("/api/schedules/shown/backfill", { json: { ...BACKFILL, until: "2020-02-01T00:00:00Z" } });
  }

  send(route: string, id: string, scopes: readonly Scope[], view: RunView = "record"): Promise<Response> {
    const { path, ...init } = REQUESTS[route]?.(id, view) ?? { path: "" };
    return this.api.fetch(path, { ...init, headers: { Scopes: scopes.join() } });
  }

  /** Returns the id of a run that is in the state that the route needs. Routes that change nothing share one. */
  async prepared(route: string): Promise<string> {
    if (route.includes("Limit")) await this.#hold();
    if (route.includes("Window"))
      for (const workflowId of ["collects", "keyed"])
        await this.api.fetch("/api/runs", { json: { workflowId, input: "k" } });
    if (route.includes("Schedule") || route === "cancelBackfill") await this.#schedule();
    if (/^re.*Events?$|^listEvents$|^readTopic$/.test(route)) await this.api.fetch("/api/events", { json: EVENT });
    if (route.endsWith("Events")) await vi.waitUntil(async () => (await this.#listedEvents()) === 1, { interval: 1 });
    if (this.#shared !== undefined && !CHANGES.has(route)) return this.#shared;
    const id = `run-${this.#runs++}`;
    await this.api.fetch("/api/runs", { json: { runId: id, workflowId: "shows", input: "secret-input" } });
    const waits = (): boolean => JSON.stringify(this.api.storageOf(id).rows.get("record")).includes("signal/0/go");
    await vi.waitUntil(waits, { interval: 1 });
    if (/^list|^count/.test(route)) await vi.waitUntil(() => this.#hasIndexed(), { interval: 1 });
    if (route === "retryRun") await this.#breakRun(id);
    const before = BEFORE[route];
    if (before !== undefined) await this.api.fetch(`/api/runs/${id}/${before}`, { json: {} });
    if (before === "cancel") await this.api.fetch(`/api/runs/${id}`, { headers: { Prefer: "wait=5" } });
    return (this.#shared = id);
  }

  async #listedEvents(): Promise<number> {
    const answer = await this.api.fetch("/api/events", { headers: { Scopes: SCOPES.join() } });
    return ((await answer.json()) as { readonly events: readonly object[] }).events.length;
  }

  /** Whether the index, which gets rows later, has the run as it waits, and its child as it ended. */
  async #hasIndexed(): Promise<boolean> {
    const answer = await this.api.fetch("/api/runs", { headers: { Scopes: SCOPES.join() } });
    const { runs } = (await answer.json()) as { readonly runs: readonly { readonly status: string }[] };
    return ["completed", "waiting"].every((status) => runs.some((run) => run.status === status));
  }

  /** The ids of the generated tokens of the runs that have not ended: those of other runs open nothing. */
  tokenIds(): string[] {
    const live = [...this.api.storages.values()].filter(({ rows }) =>
      /^(?:running|waiting|paused)$/.test(String((rows.get("record") as { status?: string } | undefined)?.status)),
    );
    const keys = live.flatMap(({ rows }) => [...rows.keys()]);
    return keys.flatMap((key) => /^token\/([0-9a-f]{32})$/.exec(key)?.[1] ?? []);
  }
}

async function textOf(response: Response, until = "event: waitpoint"): Promise<string> {
  if (response.headers.get("Content-Type") !== "text/event-stream") return response.text();
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  const decoder = new TextDecoder();
  let text = "";
  while (!text.includes(until)) text += decoder.decode((await reader.read()).value);
  await reader.cancel();
  return text;
}

/** Returns the fields of a JSON text or of the events of a stream, without the places in lists. */
function fieldsOf(text: string): string[] {
  const fields = new Set<string>();
  const add = (value: unknown, at: string): void => {
    if (Array.isArray(value)) value.forEach((one) => add(one, at));
    else if (typeof value !== "object" || value === null) fields.add(at);
    else for (const [key, one] of Object.entries(value)) add(one, at === "" ? key : `${at}.${key}`);
  };
  const events = text.startsWith("retry:") ? [...text.matchAll(/^data: (.*)$/gm)].map(([, data = ""]) => data) : [text];
  for (const event of events) if (event !== "") add(JSON.parse(event), "");
  return [...fields].toSorted();
}

function isShown(route: string, field: string, scopes: readonly Scope[]): boolean {
  const matches = (pattern: string): boolean => {
    const [start = "", end] = pattern.split("*");
    return end === undefined ? field === pattern : field.startsWith(start) && field.endsWith(end);
  };
  const [, ...parts] = SHOWN_FIELDS[route]?.find(([pattern]) => matches(pattern)) ?? ["", "none" as Part];
  return parts.every((part) => scopes.includes(PARTS[part]));
}

/** Not `/metrics`: its answer has no fields, and a suite of its own. A route whose answer has views is there for each. */
const WITH_SCOPE = ROUTES.flatMap(({ id, scope, answers }) => {
  if (scope === undefined || id === "readMetrics") return [];
  const hasViews = Object.values(answers).some((answer) => answer === "Run" || answer === "VisibleRun");
  return (hasViews ? RUN_VIEWS : (["record"] as const)).map((view) => ({ id, scope, view }));
});

describe("the table of shown fields", () => {
  test("SEC7 it has each route that needs a scope, and this test sends a request to each", () => {
    const ids = [...new Set(WITH_SCOPE.map(({ id }) => id))].toSorted();
    expect(WITH_SCOPE.length - ids.length).toBe(3 * (RUN_VIEWS.length - 1));
    expect(Object.keys(SHOWN_FIELDS).toSorted()).toEqual(ids);
    expect(Object.keys(REQUESTS).toSorted()).toEqual(ids);
  });

  test.each(WITH_SCOPE)("SEC7 $id shows each combination of scopes its fields of the $view", async (route) => {
    const { id, scope, view } = route;
    const deployment = new Deployment();
    const first = await deployment.send(id, await deployment.prepared(id), SCOPES, view);
    expect(first.status).toBeLessThan(300);
    const all = fieldsOf(await textOf(first));
    for (const scopes of COMBINATIONS) {
      const isAllowed = scopes.includes(scope);
      const answer = await deployment.send(id, isAllowed ? await deployment.prepared(id) : "run-0", scopes, view);
      const text = await textOf(answer);
      if (isAllowed) {
        const expected = answer.ok ? all.filter((field) => isShown(id, field, scopes)) : ["error", "message"];
        expect([scopes, fieldsOf(text)]).toEqual([scopes, expected]);
      } else expect([scopes, answer.status]).toEqual([scopes, 403]);
      if (!scopes.includes("read")) expect(text).not.toMatch(/secret-input|of the author|go"/);
      if (!scopes.includes("deliver"))
        for (const token of deployment.tokenIds()) expect([scopes, text.includes(token)]).toEqual([scopes, false]);
    }
  });

  test("SEC7 a child shows no ids in URLs of its parent's tokens", async () => {
    const deployment = new Deployment();
    const id = await deployment.prepared("readRun");
    const childId = [...deployment.api.storages.keys()].find((name) => name !== id && name.includes("child")) ?? "";
    const shown = async (scopes: string): Promise<unknown> => {
      const answer = await deployment.api.fetch(`/api/runs/${childId}`, { headers: { Scopes: scopes } });
      return ((await answer.json()) as { input: unknown }).input;
    };
    expect(await shown("read,deliver")).toContain(deployment.tokenIds()[0]);
    expect(await shown("read")).toMatch(/^\/public\/tokens\/.*\/\[hidden\]$/);
  });

  test("SEC7 a caller who may only trigger learns nothing of a new run, of another run, or of the workflows", async () => {
    const { api } = new Deployment();
    const headers = { Scopes: "trigger", Prefer: "wait=5" };
    const ask = async (path: string, json: object): Promise<unknown> =>
      (await api.fetch(path, { json, headers })).json();
    const created = { runId: "a", workflowId: "shows", input: "secret-input" };
    expect(await ask("/api/runs", created)).toEqual({ id: "a", status: "waiting" });
    const other = JSON.stringify(await ask("/api/runs", { ...created, workflowId: "child" }));
    expect(other).toContain("idempotency_conflict");
    expect(other).not.toContain("shows");
    expect(JSON.stringify(await ask("/api/runs", { workflowId: "unknown" }))).not.toMatch(/shows|child/);
    await api.fetch("/api/runs/a/cancel", { json: {} });
    await api.fetch("/api/runs/a", { headers: { Prefer: "wait=5" } });
    expect(JSON.stringify(await ask("/api/runs/a/resume", { resumeFromStep: "x" }))).not.toContain("mail");
    const byOther = JSON.stringify(await ask("/api/runs/a/resume", { workflowId: "child" }));
    expect(byOther).toContain("invalid_body");
    expect(byOther).not.toContain("shows");
    const seeds = { seedResults: { mail: 1 } };
    expect(await ask("/api/runs/a/resume", seeds)).toMatchObject({ error: "forbidden" });
    const unknown = { workflowId: "shows", resumeFromStep: "mail" };
    expect(await ask("/api/runs/unknown/resume", unknown)).toMatchObject({ error: "forbidden" });
  });
});

describe("failures of the step handler", () => {
  const page = "The step handler at 10.0.0.7:8080 answered 502: <html>proxy-3.internal</html>";

  function failing(code: "DISPATCH_REFUSED" | "DISPATCH_FAILED"): FakeDeployment {
    const runIndex = durableObjectIndex({ binding: new FakeIndexNamespace() });
    const dispatcher: StepDispatcher = {
      start: (_start, port) => {
        queueMicrotask(() => port.lost(errorValue(code, page)));
        return { update: () => {}, abort: () => {} };
      },
      workflows: () => [],
    };
    return new FakeDeployment([], { runIndex, verifyRequest }, dispatcher, { runIndex });
  }

  test.each(["DISPATCH_FAILED", "DISPATCH_REFUSED"] as const)(
    "SEC4 readers see that it failed with %s, and only operators see what the other side said",
    async (code) => {
      const api = failing(code);
      await api.fetch("/api/runs", { json: { runId: "r", workflowId: "any" } });
      await vi.waitUntil(() => JSON.stringify([...api.storageOf("r").rows]).includes("proxy-3"), { interval: 1 });
      // The list shows why the run is paused when the index has its row.
      if (code === "DISPATCH_REFUSED")
        await vi.waitUntil(async () => (await (await api.fetch("/api/runs")).text()).includes(code), { interval: 5 });
      const paths = ["/api/runs/r", "/api/runs/r/stream", "/api/runs", "/api/runs/r/journal"];
      for (const path of paths) {
        const read = await textOf(await api.fetch(path, { headers: { Scopes: "read,trigger,deliver" } }), code);
        expect([path, read]).toEqual([path, expect.not.stringMatching(/10\.0\.0\.7|proxy-3/)]);
        const operator = await textOf(await api.fetch(path, { headers: { Scopes: "read,operate" } }), code);
        const isDetail = !path.endsWith("journal") && (path !== "/api/runs" || code === "DISPATCH_REFUSED");
        expect([path, operator.includes("proxy-3")]).toEqual([path, isDetail]);
        if (isDetail) expect(read).toContain(code);
      }
      for (const action of ["signals", "pause", "retry", "terminate"]) {
        const json = { signals: { name: "s" }, terminate: { reason: "enough" } }[action] ?? {};
        for (const scopes of ["deliver,read", "operate"]) {
          const answer = await api.fetch(`/api/runs/r/${action}`, { json, headers: { Scopes: scopes } });
          expect(await answer.text()).not.toMatch(/10\.0\.0\.7|proxy-3/);
        }
      }
    },
  );
});
