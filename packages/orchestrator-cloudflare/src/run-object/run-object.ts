/**
 * The run's object: carries out what the Worker asks, and answers it.
 *
 * Owns: one `RunHost` for each object instance.
 */
import {
  FORMAT_VERSION,
  type JournalEntry,
  type RunRecord,
  LIMITS,
  type StepDispatcher,
  type WorkflowDescription,
  errorValue,
  isTerminal,
} from "@holdfast/protocol";
import {
  AUDIT_PREFIX,
  type AuditRow,
  type ChildTrigger,
  type ChunkRow,
  type Input,
  JOURNAL_PREFIX,
  type Reply,
  type ResumePlan,
  type RunHeader,
  RunHost,
  type RunMessage,
  type SendResult,
  type WriteBatch,
  chunkPrefix,
  describeEntry,
  describeRun,
  expiryOf,
  journalKey,
  nextAlarm,
  planResume,
  readInput,
  readJournal,
  summarizeRun,
  toTriggerInput,
} from "@holdfast/orchestrator";
import { ApiRefusal } from "../refusal.ts";
import { eventStream } from "../feed/event-stream.ts";
import { RunFeed } from "../feed/run-feed.ts";
import { RunSockets } from "../feed/run-sockets.ts";
import { DurableObjectStore } from "./store.ts";
import { runObjectName } from "./names.ts";
import { LargeRows } from "./large-rows.ts";
import type { DurableObjectStorageLike, HibernatingSocketLike } from "../platform-types.ts";
import { sendMessage } from "./messages.ts";
import type { RunIndex } from "../index-object/run-index.ts";
import { type RunObjectDeps, retentionMsOf } from "./deps.ts";
import { type Telemetry, eventsOf } from "../telemetry/telemetry.ts";
import { KEY_RESERVED, type RunCommand } from "./commands.ts";

/** How long an alarm stays in flight for the run that it woke, so that an object that dies then is woken again soon. */
const ALARM_HOLD_MS_MAX = 1_000;

/** In the object that is named by an idempotency key: the run that the key stands for, if it has an id of its own. */
const RESERVED_KEY = "reserved";

type CommandOf<C extends RunCommand["command"]> = RunCommand & { command: C };

export class RunObject {
  readonly #host: RunHost;
  readonly #store: DurableObjectStore;
  readonly #clock: () => number;
  readonly #watchers = new Set<() => void>();
  #readers = 0;
  #alarmChecked = false;
  readonly #sockets: RunSockets | undefined;
  readonly #large: LargeRows | undefined;
  readonly #storage: DurableObjectStorageLike;
  readonly #dispatcher: StepDispatcher;
  readonly #runIndex: RunIndex | undefined;
  readonly #telemetry: Telemetry | undefined;

  constructor(deps: RunObjectDeps) {
    const { storage, dispatcher, runDO, runIndex, sockets, bucket, retention, clock = () => Date.now() } = deps;
    this.#storage = storage;
    this.#dispatcher = dispatcher;
    this.#runIndex = runIndex;
    this.#telemetry = deps.telemetry;
    this.#clock = clock;
    this.#store = new DurableObjectStore(storage, logError);
    this.#large = bucket && new LargeRows(this.#store, bucket);
    this.#sockets = sockets && new RunSockets(sockets, this.#store, () => this.#host.state.header);
    this.#host = new RunHost({
      store: this.#store,
      dispatcher,
      clock,
      onCommit: (batch, before) => {
        for (const watcher of this.#watchers) watcher();
        this.#sockets?.changed();
        const large = this.#largeOfEnded();
        if (large !== undefined) void large.moveOut(this.#header()).catch(logMoveError);
        if (this.#telemetry !== undefined) this.#observe(batch, before);
      },
      onError: logError,
      tellIndex:
        runIndex === undefined
          ? undefined
          : (row, done) => {
              runIndex.upsert(row).then(
                () => done(true),
                () => done(false),
              );
            },
      retentionMs: (header) => retentionMsOf(retention, header.workflowId),
      send:
        runDO === undefined
          ? undefined
          : (to, message, done) => {
              void sendMessage(runDO, this.#nameOf(to), message).then(done);
            },
    });
  }

  /** Tells what was committed. Whoever is told cannot hold up the run. */
  #observe(batch: WriteBatch, before: RunHeader | undefined): void {
    const { header } = this.#host.state;
    const { event, ended } = this.#telemetry ?? {};
    if (header === undefined) return;
    try {
      if (event !== undefined) for (const one of eventsOf(before, header, batch)) event(one);
      if (ended === undefined || !isTerminal(header.status) || header.status === before?.status) return;
      ended(header, readJournal(this.#host.state)).catch(logTelemetryError);
    } catch (error) {
      logTelemetryError(error);
    }
  }

  /**
   * An alarm that was lost (a spending limit, a copy of the storage without it) is set again by whoever asks next: once
   * for each time that the object is loaded (DUR5).
   */
  async #checkAlarm(): Promise<void> {
    this.#alarmChecked = true;
    const { header } = this.#host.state;
    const wanted = header && nextAlarm(header);
    if (typeof wanted === "number" && (await this.#storage.getAlarm()) === null) await this.#storage.setAlarm(wanted);
  }

  /** The object of another run of the same tenant. */
  #nameOf(runId: string): string {
    return runObjectName(this.#host.state.header?.tenantId, runId);
  }

  async handle(command: RunCommand): Promise<Response> {
    if (!this.#alarmChecked) await this.#checkAlarm();
    const large = this.#largeOfEnded();
    if (large === undefined) return this.#carryOut(command);
    void large.moveOut(this.#header()).catch(logMoveError);
    // A run that is resumed hands on everything; who follows reads on.
    const needs = { everything: command.command === "planResume", goesOn: command.command === "follow" };
    return large.withRows(needs, () => this.#carryOut(command));
  }

  /** Once the run has ended, and where there is a bucket. */
  #largeOfEnded(): LargeRows | undefined {
    const { header } = this.#host.state;
    return header !== undefined && isTerminal(header.status) ? this.#large : undefined;
  }

  async #carryOut(command: RunCommand): Promise<Response> {
    switch (command.command) {
      case "trigger":
        return this.#trigger(command);
      case "reserveKey":
        return Response.json(this.#reserveKey(command.runId));
      case "releaseKey":
        if (this.#reservedFor() === command.runId) this.#storage.kv.delete(RESERVED_KEY);
        return Response.json({});
      case "read":
        return this.#read(command.waitMs);
      case "follow":
        return this.#follow(command);
      case "audit":
        return this.#audit();
      case "journal":
        return this.#journal(command);
      case "planResume":
        return this.#planResume(command);
      case "noteResumed":
        return this.#answer({ type: "noteResumed", runId: command.runId, by: command.by });
      case "deliver":
        return this.#answer(inputOf(command));
      case "resolveToken":
        return this.#answer(inputOf(command));
      case "cancel":
        return this.#answer(inputOf(command));
      case "operate":
        return this.#answer({ type: command.operation, by: command.by });
      case "delete":
        return this.#delete(command.by);
      case "reindex":
        return this.#answer({ type: "reindex" });
      case "message":
        return Response.json(this.#receive(command.message));
      case "workflows":
        return Response.json({ workflows: await this.#dispatcher.workflows() });
    }
  }

  /** The alarm: settles what is due, and holds on for a moment while the run goes on. */
  async alarm(): Promise<void> {
    this.#alarmChecked = true;
    this.#host.handle({ type: "alarm" });
    const { header } = this.#host.state;
    if (header === undefined) return;
    if ((expiryOf(header) ?? Infinity) <= this.#clock()) return this.#erase(header, "retention");
    const due = Math.min(...header.waits.map((wait) => wait.wakeAt ?? Infinity), header.retryAt ?? Infinity);
    await this.#untilQuiet(Math.min(ALARM_HOLD_MS_MAX, Math.max(due - this.#clock(), 0)));
  }

  async #trigger({ trigger, waitMs }: CommandOf<"trigger">): Promise<Response> {
    const { workflowId, workflowVersion } = trigger;
    const reserved = this.#reservedFor();
    if (reserved !== undefined) return Response.json({ runId: reserved }, { status: KEY_RESERVED });
    const described = this.#dispatcher.describe?.(workflowId, workflowVersion);
    if (described === null && this.#host.state.header === undefined)
      throw await this.#unknownWorkflow(workflowId, workflowVersion);
    const reply = this.#host.handle(toTriggerInput(withDefaults(trigger, described), randomSeed()));
    if (reply.type === "refused") throw refusal(reply);
    if (waitMs > 0) await this.#untilQuiet(waitMs);
    return Response.json(this.#describe(this.#header()), { status: reply.type === "created" ? 201 : 200 });
  }

  /** The run that an idempotency key stands for (RUN2): the first that was asked for with it. */
  #reserveKey(runId: string): { readonly runId: string; readonly fresh: boolean } {
    const taken = this.#host.state.header?.id ?? this.#reservedFor();
    if (taken === undefined) this.#storage.kv.put(RESERVED_KEY, { v: FORMAT_VERSION, runId });
    return { runId: taken ?? runId, fresh: taken === undefined };
  }

  #reservedFor(): string | undefined {
    return (this.#storage.kv.get(RESERVED_KEY) as { readonly runId: string } | undefined)?.runId;
  }

  async #unknownWorkflow(workflowId: string, version: string | undefined): Promise<ApiRefusal> {
    const served = await this.#dispatcher.workflows();
    const names = served.map(
      (one) => JSON.stringify(one.id) + (one.version === undefined ? "" : ` (version ${one.version})`),
    );
    const which = version === undefined ? "" : ` in version ${JSON.stringify(version)}`;
    return new ApiRefusal(
      "workflow_not_found",
      `No workflow ${JSON.stringify(workflowId)}${which} is served here. Served are: ${names.slice(0, 50).join(", ") || "none"}.`,
    );
  }

  async #read(waitMs: number): Promise<Response> {
    await this.#until((header) => isTerminal(header.status), waitMs);
    return Response.json(this.#describe(this.#header()));
  }

  /** The run's events, from the cursor on, for as long as the reader stays or the run goes on (STR2). */
  #follow({ cursor, fromNow }: CommandOf<"follow">): Response {
    const header = this.#header();
    if (this.#readers >= LIMITS.streamReaders) {
      throw new ApiRefusal(
        "too_many_readers",
        `${LIMITS.streamReaders} readers follow this run already. Try again in a moment, or read its record.`,
      );
    }
    const feed = new RunFeed(this.#store, cursor);
    if (fromNow) feed.skip(header);
    this.#readers += 1;
    return eventStream({
      read: () => {
        const { header: current } = this.#host.state;
        // Deleted while it was read.
        return current === undefined ? { events: [], over: true } : feed.read(current);
      },
      changed: (ms) => this.#changed(ms),
      closed: () => {
        this.#readers -= 1;
      },
    });
  }

  /** A reader that follows the run by a socket. */
  openSocket(cursor: string | undefined, fromNow: boolean): Response {
    if (this.#sockets === undefined) {
      throw new ApiRefusal(
        "sockets_not_configured",
        "Pass sockets (ctx) to the run's object, or follow without Upgrade.",
      );
    }
    return this.#sockets.open(this.#header(), cursor, fromNow);
  }

  acknowledged(socket: HibernatingSocketLike): void {
    this.#sockets?.acknowledged(socket);
  }

  /** What callers did, the oldest first. */
  #audit(): Response {
    const { createdAt, triggeredBy } = this.#header();
    const rows = [...this.#store.list(AUDIT_PREFIX)].map(([, row]) => row as AuditRow);
    const entries = rows.toSorted((a, b) => a.at - b.at).map(({ v: _version, ...row }) => row);
    return Response.json({ entries: [{ at: createdAt, action: "trigger", by: triggeredBy }, ...entries] });
  }

  #journal({ after, limit }: CommandOf<"journal">): Response {
    this.#header();
    const rows = [...this.#store.list(JOURNAL_PREFIX, { after: journalKey(after), limit: limit + 1 })];
    const entries = rows.slice(0, limit).map(([, row]) => row as JournalEntry);
    const budget = { chars: LIMITS.jsonChars };
    const nextAfter = rows.length > limit ? entries.at(-1)?.seq : undefined;
    return Response.json({
      entries: entries.map((entry) => describeEntry(entry, budget)),
      nextAfter: nextAfter ?? null,
    });
  }

  #planResume({ request }: CommandOf<"planResume">): Response {
    const header = this.#header();
    const { state } = this.#host;
    const inherited = planResume(header, readJournal(state), request);
    if ("type" in inherited) throw refusal(inherited);
    const { workflowId, workflowVersion, environment, tags, tenantMeta, timeoutMs } = header;
    const input = readInput(state, header);
    const plan: ResumePlan = {
      inherited,
      workflowId,
      workflowVersion,
      input,
      environment,
      tags,
      tenantMeta,
      timeoutMs,
    };
    return Response.json(plan);
  }

  /** A message of another run. A child of a workflow that is not served here is refused for good. */
  #receive(message: RunMessage): SendResult {
    if (message.type !== "trigger") return this.#host.receive(message, randomSeed());
    const { workflowId, workflowVersion } = message.trigger;
    const described = this.#dispatcher.describe?.(workflowId, workflowVersion);
    if (described === null && this.#host.state.header === undefined) {
      const text = `No workflow ${JSON.stringify(workflowId)} is served here.`;
      return { type: "refused", error: errorValue("WORKFLOW_NOT_FOUND", text) };
    }
    return this.#host.receive({ ...message, trigger: withDefaults(message.trigger, described) }, randomSeed());
  }

  /** Deletes the run with all its rows (VER3). */
  async #delete(by: string): Promise<Response> {
    const header = this.#header();
    const reply = this.#host.handle({ type: "delete" });
    if (reply.type === "refused") throw refusal(reply);
    await this.#erase(header, by);
    return new Response(null, { status: 204 });
  }

  /** The index forgets first: a run that it lists is there. */
  async #erase(header: RunHeader, by: string): Promise<void> {
    const { id, tenantId, createdAt } = header;
    await this.#runIndex?.remove({ id, tenantId, createdAt });
    await this.#large?.remove(header);
    this.#sockets?.close(1000, "The run was deleted.");
    await this.#storage.deleteAlarm();
    await this.#storage.deleteAll();
    this.#host.forget();
    // The audit went with the run: that it was deleted, and by whom, is in the log.
    console.log(JSON.stringify({ message: "run deleted", runId: id, tenantId, by }));
  }

  /** Applies an input and answers with what became of the run. */
  #answer(input: Input): Response {
    this.#header();
    const reply = this.#host.handle(input);
    if (reply.type === "refused") throw refusal(reply);
    const run = summarizeRun(this.#header());
    const body = reply.type === "delivered" ? { delivery: reply.delivery, run } : { run };
    return Response.json(body, { status: 202 });
  }

  #header(): RunHeader {
    const { header } = this.#host.state;
    if (header === undefined) throw new ApiRefusal("not_found", "There is no such run.");
    return header;
  }

  #describe(header: RunHeader): RunRecord {
    const { state } = this.#host;
    const rows = [...this.#store.list(JOURNAL_PREFIX, { limit: LIMITS.recordSteps + 1 })];
    const journal = rows.map(([, row]) => row as JournalEntry);
    const openChunks = (op: string): number => state.openStreams.get(op)?.chunks ?? this.#countChunks(header, op);
    const current = { ...header, updatedAt: state.lastAt };
    return describeRun(current, readInput(state, header), journal, this.#host.stepsInProgress(), openChunks);
  }

  /** How many chunks of an open stream are stored: the newest row tells. */
  #countChunks(header: RunHeader, op: string): number {
    const place = header.streams.findIndex((stream) => stream.op === op);
    const prefix = chunkPrefix(place, header.streams[place]?.generation ?? 0);
    for (const [, row] of this.#store.list(prefix, { reverse: true, limit: 1 })) {
      const { first, chunks } = row as ChunkRow;
      return first + chunks.length;
    }
    return 0;
  }

  /** Resolves when the run is no longer running, or after `ms`. */
  #untilQuiet(ms: number): Promise<void> {
    return this.#until((header) => header.status !== "running", ms);
  }

  /** Resolves when the run is as wanted, or after `ms`. */
  async #until(wanted: (header: RunHeader) => boolean, ms: number): Promise<void> {
    const met = (): boolean => {
      const { header } = this.#host.state;
      return header === undefined || wanted(header);
    };
    const end = performance.now() + ms;
    for (let left = ms; left > 0 && !met(); left = end - performance.now()) await this.#changed(left);
  }

  /** Resolves at the next commit, or after `ms`. */
  #changed(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#watchers.delete(done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      this.#watchers.add(done);
    });
  }
}

/** A command that is an input under another name. */
function inputOf({ command, ...rest }: CommandOf<"deliver" | "resolveToken" | "cancel">): Input {
  return { ...rest, type: command } as Input;
}

/** What the workflow's own definition says where the trigger says nothing (RUN4, RUN6). */
function withDefaults(trigger: ChildTrigger, described: WorkflowDescription | null | undefined): ChildTrigger {
  return {
    ...trigger,
    workflowVersion: trigger.workflowVersion ?? described?.version,
    tags: [...new Set([...(described?.tags ?? []), ...trigger.tags])],
    timeoutMs: trigger.timeoutMs ?? described?.timeoutMs,
  };
}

function refusal(reply: Reply & { type: "refused" }): ApiRefusal {
  return new ApiRefusal(reply.code, reply.message);
}

function randomSeed(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function logMoveError(error: unknown): void {
  console.error("holdfast: a large payload could not be moved to the bucket; it stays in the run's object", error);
}

function logTelemetryError(error: unknown): void {
  console.error("holdfast: telemetry failed; the run does not care", error);
}

function logError(error: unknown): void {
  console.error("holdfast: the run's storage failed; the run goes on from its journal", error);
}
