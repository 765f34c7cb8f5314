/**
 * The client of the HTTP API, for browsers, Workers, Node, Deno and Bun.
 *
 * Owns: the routes that do not belong to a single run: trigger, list, bulk actions.
 */
import type {
  AcceptedEvent,
  Approval,
  BulkAnswer,
  CountsAnswer,
  DeclaredSchedule,
  EventList,
  ReplayedEvent,
  DeploymentInfo,
  LimitChange,
  LimitList,
  LimitRecord,
  LimitSync,
  ListedRun,
  ListedEvent,
  ListedSchedule,
  PreviewedTime,
  ScheduleRecord,
  ScheduleSync,
  TestedEvent,
  TopicRecord,
  WorkflowDescription as WorkflowInfo,
} from "@holdfast/protocol";
import { toSegment } from "@holdfast/protocol";
import type { InputArguments } from "../authoring/types.ts";
import type { Workflow } from "../authoring/workflow.ts";
import { checkPlatform } from "../platform-check.ts";
import {
  EventHandle,
  type EventOptions,
  type NamedEvent,
  type ReplayEventsOptions,
  type SendEventOptions,
  replayEvents,
  eventBody,
} from "./event-handle.ts";
import { LimitHandle } from "./limit-handle.ts";
import { WindowHandle } from "./window-handle.ts";
import { ScheduleHandle } from "./schedule-handle.ts";
import { checkClientOptions, given } from "./options.ts";
import { RunHandle } from "./run-handle.ts";
import { type ApiRequest, type ClientOptions, Transport, oneAct } from "./transport.ts";
import type {
  ApprovalOptions,
  BulkOptions,
  CallOptions,
  Health,
  ListOptions,
  StartedRun,
  TriggerOptions,
} from "./types.ts";

/** The input of a workflow. */
export type InputOf<W> = W extends Workflow<infer Input, infer _Output> ? Input : unknown;
/** The output of a workflow. */
export type OutputOf<W> = W extends Workflow<infer _Input, infer Output> ? Output : unknown;

/** The id of a workflow, or its definition, which carries the types. */
type Named = string | { readonly id: string; readonly version?: string };

export class Client {
  readonly #transport: Transport;

  constructor(options: ClientOptions) {
    checkClientOptions(options);
    this.#transport = new Transport(options);
  }

  /**
   * Starts a run. The client may repeat the request: the idempotency key prevents a second run.
   * @throws ApiError `workflow_not_found`, `idempotency_conflict`, …
   */
  async trigger<W extends Named>(
    workflow: W,
    ...[input, triggerOptions = {}]: InputArguments<InputOf<W>, TriggerOptions>
  ): Promise<RunHandle<W extends string ? unknown : OutputOf<W>>> {
    const { signal, traceparent, ...options } = given(triggerOptions, "trigger");
    const { id, version } =
      typeof workflow === "string" ? { id: workflow, version: undefined } : (workflow as Named & object);
    const own = options.runId === undefined && options.idempotencyKey === undefined;
    const body = {
      workflowId: id,
      workflowVersion: version,
      idempotencyKey: own ? crypto.randomUUID() : undefined,
      ...options,
      input,
    };
    const headers = traceparent === undefined ? {} : { traceparent };
    const run = await this.#send<StartedRun<W extends string ? unknown : OutputOf<W>>>({
      method: "POST",
      path: "/api/runs",
      body,
      headers,
      signal,
      answer: ["id", "status"],
    });
    return new RunHandle(this.#transport, run.id, run);
  }

  /** Returns a handle of an existing run. `workflow`, if given, sets the type of its result. */
  run<W extends Named = Named>(id: string, _workflow?: W): RunHandle<OutputOf<W>> {
    return new RunHandle(this.#transport, id);
  }

  /**
   * Sends an event. The answer says what it does; that is stored (EVT1).
   * @throws ApiError `events_not_configured`, `invalid_body`
   */
  sendEvent<T>(event: NamedEvent<T>, data: NoInfer<T>, options: SendEventOptions = {}): Promise<AcceptedEvent> {
    const { signal, id = crypto.randomUUID(), ...more } = given(options, "sendEvent");
    const body = { ...eventBody(event, data, more), id };
    return this.#send({ method: "POST", path: "/api/events", body, signal, answer: ["eventId", "targets"] });
  }

  /** Returns which triggers an event would match, and why others do not. It has no effect (EVT11). */
  testEvent<T>(event: NamedEvent<T>, data: NoInfer<T>, options: EventOptions = {}): Promise<TestedEvent> {
    const { signal, ...more } = given(options, "testEvent");
    const body = eventBody(event, data, more);
    return this.#send({ method: "POST", path: "/api/events/test", body, signal, answer: ["matches", "unmatched"] });
  }

  /** Returns a handle of an event that was sent. */
  event(id: string): EventHandle {
    return new EventHandle(this.#transport, id);
  }

  /**
   * Iterates over the newest events, at most 1,000, the newest first. Reads each page when the caller needs it.
   * @param options `name`: only events of this name
   * @throws ApiError `events_not_configured`
   */
  async *events(options: CallOptions & { readonly name?: string | undefined } = {}): AsyncGenerator<ListedEvent, void> {
    const { signal, name } = options;
    for (let cursor: string | undefined; ;) {
      const page = await this.#send<EventList>({
        method: "GET",
        path: "/api/events",
        query: { name, cursor },
        signal,
        answer: ["events", "nextCursor"],
      });
      yield* page.events;
      if (page.nextCursor === null) return;
      cursor = page.nextCursor;
    }
  }

  /**
   * Replays the events of a name that were received in a time, of the newest 1,000 events, the oldest first. Yields what each
   * event starts (EVT11). Reads each page when the caller needs it, so a caller that stops early replays less.
   * @throws ApiError `events_not_configured`, `dispatcher_unreachable`
   */
  replayEvents(options: ReplayEventsOptions): AsyncGenerator<ReplayedEvent, void> {
    return replayEvents(this.#transport, given(options, "replayEvents"));
  }

  /**
   * Reads the events of a name and key, and the runs that wait for them.
   * @throws ApiError `not_found`: no event with this key was accepted, and no run waits for one
   */
  topic(name: string, key: string, options: CallOptions = {}): Promise<TopicRecord> {
    const { signal } = given(options, "call", "topic");
    const path = `/api/topics/${toSegment(name)}/${toSegment(key)}`;
    return this.#send({ method: "GET", path, signal, answer: ["name", "waiting"] });
  }

  /** Reads one page of the list. It may contain fewer runs than `limit` although more pages follow. */
  list({ signal, ...query }: ListOptions = {}): Promise<{ runs: ListedRun[]; nextCursor: string | null }> {
    return this.#send({ method: "GET", path: "/api/runs", query, signal, answer: ["runs", "nextCursor"] });
  }

  /** Iterates over all runs of the list. Reads each page when the caller needs it. */
  async *all(options: ListOptions = {}): AsyncGenerator<ListedRun, void> {
    for (let cursor = options.cursor; ;) {
      const page = await this.list({ ...options, ...(cursor === undefined ? {} : { cursor }) });
      yield* page.runs;
      if (page.nextCursor === null) return;
      cursor = page.nextCursor;
    }
  }

  /**
   * Iterates over the open asks of all runs, the earliest deadline first. Reads each page when the caller needs it.
   * @throws ApiError `index_not_configured`
   */
  async *approvals(options: ApprovalOptions = {}): AsyncGenerator<Approval, void> {
    const { signal, ...query } = given(options, "approvals");
    for (let cursor = query.cursor; ;) {
      const page = await this.#send<{ approvals: Approval[]; nextCursor: string | null }>({
        method: "GET",
        path: "/api/approvals",
        query: { ...query, cursor },
        signal,
        answer: ["approvals", "nextCursor"],
      });
      yield* page.approvals;
      if (page.nextCursor === null) return;
      cursor = page.nextCursor;
    }
  }

  /**
   * Counts the runs by workflow and status. The numbers are up to 15 s old.
   * @throws ApiError `index_not_configured`
   */
  counts(options: CallOptions = {}): Promise<CountsAnswer> {
    const { signal } = given(options, "call", "counts");
    return this.#send({ method: "GET", path: "/api/counts", signal, answer: ["workflows", "unread"] });
  }

  /** Cancels or retries up to a hundred runs. */
  bulk({ signal, ...body }: BulkOptions): Promise<BulkAnswer> {
    const headers = oneAct();
    return this.#send({ method: "POST", path: "/api/runs/bulk", body, headers, signal, answer: ["done"] });
  }

  /** Makes up to a hundred runs report to the index again. `restored`: they come from a back-up, and repeat their messages. */
  rebuildIndex(
    body: { readonly runIds?: readonly string[]; readonly objectIds?: readonly string[]; readonly restored?: true },
    options: CallOptions = {},
  ): Promise<{ told: number; unknown: number }> {
    const { signal } = given(options, "call", "rebuildIndex");
    return this.#send({ method: "POST", path: "/api/index/rebuild", body, signal, answer: ["told"] });
  }

  /**
   * Iterates over limits, by name and key: those at which a run waits, holds for a minute or longer, or that an operator
   * changed. Reads each page when the caller needs it.
   * @throws ApiError `limits_not_configured`
   */
  async *limits(options: CallOptions & { readonly name?: string } = {}): AsyncGenerator<LimitRecord, void> {
    const { signal, name } = options;
    for (let cursor: string | undefined; ;) {
      const page = await this.#send<LimitList>({
        method: "GET",
        path: "/api/limits",
        query: { name, cursor },
        signal,
        answer: ["limits", "nextCursor"],
      });
      yield* page.limits;
      if (page.nextCursor === null) return;
      cursor = page.nextCursor;
    }
  }

  /**
   * Applies the limits that the served code declares to those of the list, and voids those of later builds. Iterates over what
   * that changes. `dryRun`: only says what would change. Nothing is applied to a page that the caller does not read.
   * @throws ApiError `limits_not_configured`, `not_applicable` for a token with a tenant
   */
  async *syncLimits({
    dryRun = false,
    ...options
  }: CallOptions & { readonly dryRun?: boolean | undefined } = {}): AsyncGenerator<LimitChange, void> {
    const { signal } = given(options, "call", "syncLimits");
    for (let cursor: string | undefined; ;) {
      const page = await this.#send<LimitSync>({
        method: "POST",
        path: "/api/limits/sync",
        body: { dryRun, cursor },
        signal,
        answer: ["changes", "nextCursor"],
      });
      yield* page.changes;
      if (page.nextCursor === null) return;
      cursor = page.nextCursor;
    }
  }

  /** Returns a handle of a limit. `key`: absent if the limit has none. */
  limit(name: string, key?: string): LimitHandle {
    return new LimitHandle(this.#transport, name, key);
  }

  /** Returns a handle of the window in which a workflow with debounce or batch collects triggers. `key`: absent if it has none. */
  window(workflow: string | { readonly id: string }, key?: string): WindowHandle {
    return new WindowHandle(this.#transport, typeof workflow === "string" ? workflow : workflow.id, key);
  }

  /**
   * Makes active runs state what they hold again, after the storage of limits was lost. Returns how many were asked.
   * @throws ApiError `index_not_configured`
   */
  async rebuildLimits(options: CallOptions = {}): Promise<number> {
    const { signal } = given(options, "call", "rebuildLimits");
    let asked = 0;
    for (let cursor: string | undefined; ;) {
      const page = await this.#send<{ asked: number; nextCursor: string | null }>({
        method: "POST",
        path: "/api/limits/rebuild",
        body: { cursor },
        signal,
        answer: ["asked", "nextCursor"],
      });
      asked += page.asked;
      if (page.nextCursor === null) return asked;
      cursor = page.nextCursor;
    }
  }

  /**
   * Lists the schedules, with their next time and what became of the last one.
   * @throws ApiError `limits_not_configured`
   */
  async schedules(options: CallOptions = {}): Promise<readonly ListedSchedule[]> {
    const { signal } = given(options, "call", "schedules");
    const path = "/api/schedules";
    return (
      await this.#send<{ schedules: readonly ListedSchedule[] }>({ method: "GET", path, signal, answer: ["schedules"] })
    ).schedules;
  }

  /** Returns a handle of a schedule. */
  schedule(id: string): ScheduleHandle {
    return new ScheduleHandle(this.#transport, id);
  }

  /**
   * Creates a schedule. The same declaration again changes nothing.
   * @throws ApiError `schedule_exists`, `invalid_body`
   */
  createSchedule(declaration: DeclaredSchedule, options: CallOptions = {}): Promise<ScheduleRecord> {
    const { signal } = given(options, "call", "createSchedule");
    // The server checks the declaration, which may be JSON of a file.
    const { workflow } = Object(declaration) as DeclaredSchedule;
    const body = { ...declaration, workflow: Object(workflow).id ?? workflow };
    return this.#send({ method: "POST", path: "/api/schedules", body, signal, answer: ["id", "ticks"] });
  }

  /** Returns the next ten times of a declaration, with what the clock does then. It creates nothing. */
  async previewSchedule(
    times: Partial<DeclaredSchedule>,
    options: CallOptions = {},
  ): Promise<readonly PreviewedTime[]> {
    const { signal } = given(options, "call", "previewSchedule");
    const request = { method: "POST", path: "/api/schedules/preview", body: times, signal, answer: ["times"] } as const;
    return (await this.#send<{ times: readonly PreviewedTime[] }>(request)).times;
  }

  /** Applies the schedules that the served code declares, and voids those of later builds. `dryRun`: only says what would change. */
  syncSchedules({
    dryRun = false,
    ...options
  }: CallOptions & { readonly dryRun?: boolean | undefined } = {}): Promise<ScheduleSync> {
    const { signal } = given(options, "call", "syncSchedules");
    return this.#send({ method: "POST", path: "/api/schedules/sync", body: { dryRun }, signal, answer: ["changes"] });
  }

  /** Lists the workflows that the deployment serves. */
  async workflows(options: CallOptions = {}): Promise<WorkflowInfo[]> {
    const { signal } = given(options, "call", "workflows");
    return (
      await this.#send<{ workflows: WorkflowInfo[] }>({
        method: "GET",
        path: "/api/workflows",
        signal,
        answer: ["workflows"],
      })
    ).workflows;
  }

  /**
   * Returns whether the API is healthy; `false`: the deployment is misconfigured.
   * @throws ConnectionError if the API cannot be reached
   */
  async healthy(options: CallOptions = {}): Promise<boolean> {
    return (await this.health(given(options, "call", "healthy"))).ok;
  }

  /** Returns the answer of the health check, also that of a deployment that is misconfigured. Needs no credentials. */
  health(options: CallOptions = {}): Promise<Health> {
    const { signal } = given(options, "call", "health");
    return this.#send({ method: "GET", path: "/healthz", signal, expected: 503, answer: ["ok", "version"] });
  }

  /**
   * Describes the set-up of the deployment. Needs the scope `admin`.
   * @throws ApiError `forbidden`
   */
  deployment(options: CallOptions = {}): Promise<DeploymentInfo> {
    const { signal } = given(options, "call", "deployment");
    return this.#send({ method: "GET", path: "/api/deployment", signal, answer: ["version", "storage"] });
  }

  async #send<T>(request: ApiRequest): Promise<T> {
    return (await this.#transport.send(request)).body as T;
  }
}

/** Creates a client for one deployment. Sends no request. */
export function createClient(options: ClientOptions): Client {
  checkPlatform();
  return new Client(options);
}
