/**
 * The run's object: executes the commands of the Worker and answers them.
 *
 * Owns: one `RunHost` per object instance, the notifications after its commits, its alarm, and the deletion of the run.
 */
import {
  type Deferral,
  type Input,
  type Reply,
  type RunHeader,
  RunHost,
  type RunMessage,
  type WriteBatch,
  alarmOf,
  type ErasureWrite,
  erasureOf,
  isExpired,
  isAlarmLost,
  keyObjectOf,
  shownHeader,
  toTriggerInput,
} from "@holdfast/orchestrator";
import { DEFAULT_LIMITS, HOST_LIMITS, isTerminal } from "@holdfast/protocol";
import { randomHex } from "@holdfast/protocol/transport";
import { type Answer, jsonAnswer } from "../answer.ts";
import { RunSockets } from "../feed/run-sockets.ts";
import { StreamReaders } from "../feed/stream-readers.ts";
import type { HibernatingSocketLike } from "../platform-types.ts";
import { ApiRefusal } from "../refusal.ts";
import { count } from "../telemetry/counters.ts";
import { admission } from "./admission.ts";
import { askGates } from "./ask-limits.ts";
import { Answers } from "./answers.ts";
import { type CallersView, type CommandOf, NOTHING, type RunCommand, type RunRequest, skippedFor } from "./commands.ts";
import { collectTrigger } from "./collect.ts";
import { type RunObjectDeps, retentionMsOf } from "./deps.ts";
import { eraseStorage } from "./erase-storage.ts";
import { KeyReservation } from "./key-reservation.ts";
import { LargeRows, rowsNeeded } from "./large-rows.ts";
import { runObjectName } from "./names.ts";
import { neighboursOf, releaseKey, reserveKey } from "./neighbours.ts";
import { orNotStarted, putCollected, startedBy } from "./not-started.ts";
import { observe } from "./observe.ts";
import {
  describing,
  listWorkflows,
  listedWorkflow,
  notServed,
  refusalOfTick,
  refuseUnserved,
} from "./served-workflows.ts";
import { DurableObjectStore } from "./store.ts";
import { TokenIds } from "./token-ids.ts";
import { newUnique } from "./unique.ts";
import { UsedTickets } from "./used-tickets.ts";
import { Watchers } from "./watchers.ts";

/** How long the alarm handler waits for the run that it woke, ms. If the object dies then, the platform repeats the alarm. */
const ALARM_HOLD_MS_MAX = 1_000;

export class RunObject {
  readonly #deps: RunObjectDeps;
  readonly #clock: () => number;
  readonly #host: RunHost;
  readonly #store: DurableObjectStore;
  readonly #answers: Answers;
  readonly #watchers: Watchers;
  readonly #readers: StreamReaders;
  readonly #sockets: RunSockets | undefined;
  readonly #large: LargeRows | undefined;
  readonly #key: KeyReservation;
  readonly #tokenIds: TokenIds;
  readonly #tickets: UsedTickets;
  #alarmChecked = false;
  /** The erasure in progress. */
  #erasing: Promise<void> | undefined;

  constructor(deps: RunObjectDeps) {
    const { limits = DEFAULT_LIMITS } = deps;
    this.#deps = deps;
    this.#clock = deps.clock ?? (() => Date.now());
    const header = (): RunHeader | undefined => shownHeader(this.#host.state);
    const store = new DurableObjectStore(deps.storage, logStoreError, this.#clock);
    this.#store = store;
    this.#key = new KeyReservation(deps.storage.kv);
    this.#large = deps.bucket && new LargeRows(store, deps.bucket);
    this.#watchers = new Watchers(header);
    this.#tokenIds = new TokenIds(store);
    this.#tickets = new UsedTickets(this.#clock);
    const hide = (text: string): string => this.#tokenIds.hide(text);
    const source = { store, header, hide, inProgress: () => this.#host.stepsInProgress() };
    this.#readers = new StreamReaders(source, this.#watchers, limits.streamReaders);
    this.#sockets = deps.sockets && new RunSockets(deps.sockets, source, limits.streamReaders);
    this.#host = new RunHost({
      store,
      dispatcher: deps.dispatcher,
      clock: this.#clock,
      limits,
      held: deps.hold,
      defer: () => this.#defer(),
      describe: describing(deps.dispatcher, this.#clock),
      retentionMs: ({ workflowId }) => retentionMsOf(deps.retention, workflowId),
      onCommit: (batch, before) => this.#committed(batch, before),
      onProgress: () => this.#notifyReaders(),
      onError: logStoreError,
      ...neighboursOf(deps, () => header()?.tenantId),
    });
    this.#answers = new Answers(this.#host, store, limits);
  }

  #committed(batch: WriteBatch, before: RunHeader | undefined): void {
    this.#notifyReaders();
    this.#notePlace(before);
    this.#moveLargeRows();
    observe(this.#deps.telemetry ?? {}, this.#host.state, batch, before, this.#clock());
  }

  /** Records whether the run executes (DUR13). */
  #notePlace(before: RunHeader | undefined): void {
    const { header = before } = this.#host.state;
    if (this.#deps.executionsMax === undefined || header === undefined) return;
    const runs = header.status === "running";
    admission.note(placeOf(header), runs && header.dispatch?.retryAt === undefined, this.#clock());
    if (!runs) admission.leave(placeOf(header));
  }

  /** Why no execution may begin because of an alarm: too many runs of this isolate execute (DUR13). */
  #defer(): Deferral | undefined {
    const { executionsMax } = this.#deps;
    const { header } = this.#host.state;
    if (executionsMax === undefined || header === undefined) return undefined;
    const now = this.#clock();
    const dueAt = alarmOf(this.#host.state, now) ?? now;
    const delayMs = admission.delayOf(placeOf(header), dueAt, executionsMax, now);
    if (delayMs === undefined) return undefined;
    const message = `This process executes ${executionsMax} runs, which is its limit (EXECUTIONS_MAX). The run waits for a place.`;
    return { delayMs, code: "EXECUTIONS_MAX", message };
  }

  #notifyReaders(): void {
    this.#watchers.notify();
    this.#sockets?.changed();
  }

  /** Starts the move of large rows to the bucket, if the run has ended. `undefined`: no rows can be in the bucket. */
  #moveLargeRows(): LargeRows | undefined {
    const { header, newer } = this.#host.state;
    if (this.#large === undefined || header === undefined || newer !== undefined) return undefined;
    if (!isTerminal(header.status)) return undefined;
    void this.#large.moveOut(header).catch(logMoveError);
    return this.#large;
  }

  async handle(request: RunRequest): Promise<Answer | Response> {
    const { view = NOTHING, ...command } = request;
    await this.#checkAlarm();
    // The clock was set back: any request, also a read, sets the timers again that are too far away (WAIT1).
    if (this.#host.state.lastAt > this.#clock()) this.#host.handle({ type: "settle" });
    const large = this.#moveLargeRows();
    if (large === undefined) return orNotStarted(this.#deps, view, () => this.#execute(command, view));
    // A follower keeps reading after the answer.
    const keepsReading = command.ask === "follow" && command.headersOnly !== true;
    return large.withRows({ rows: rowsNeeded(command), keepsReading }, () => this.#execute(command, view));
  }

  async #execute(command: RunCommand, view: CallersView): Promise<Answer | Response> {
    switch (command.ask) {
      case "input":
        return command.input.type === "reindex" && command.input.restored === true
          ? this.#restore(command.input, view)
          : this.#apply(command.input, view);
      case "trigger":
        return this.#trigger(command, view);
      case "read":
        await this.#watchers.ended(command.waitMs);
        return this.#json(this.#answers.run(command, view, this.#clock()), view);
      case "follow":
        return this.#tickets.use(command.ticket, () => this.#follow(command, view));
      case "journal":
        return this.#json(this.#answers.journal(command, view), view);
      case "why":
        return this.#json(this.#answers.why(view, this.#clock()), view);
      case "audit":
        return this.#json(this.#answers.audit(), view);
      case "publicToken":
        return jsonAnswer(this.#answers.publicToken(command, this.#clock()));
      case "planResume":
        return jsonAnswer(this.#answers.plan(command, view));
      case "delete":
        return this.#delete(command.by);
      case "message":
        return this.#receive(command.message);
      case "workflows":
        return jsonAnswer({ workflows: await listWorkflows(this.#deps.dispatcher) });
      case "collected":
        putCollected(this.#deps.storage.kv, command);
        return jsonAnswer({});
      case "reserveKey":
        return jsonAnswer(this.#key.reserve(command.runId, this.#host.state.header?.id));
      case "releaseKey":
        // A table would stay, and with it a file on a disk (SEC8).
        if (this.#key.release(command.runId)) await this.#deps.storage.deleteAll();
        return jsonAnswer({});
    }
  }

  async #follow(command: CommandOf<"follow">, view: CallersView): Promise<Response> {
    const answer = await this.#readers.open(() => this.#answers.header(), command, view);
    if (command.headersOnly !== true) this.#countReader();
    return answer;
  }

  #countReader(): void {
    count("holdfast_feed_readers_total", this.#host.state.header?.tenantId);
  }

  /**
   * Opens a socket that follows the run.
   * @throws ApiRefusal `sockets_not_configured`, `not_found`, `too_many_readers`, `unauthorized` for a used ticket
   */
  openSocket({ cursor, fromNow, ticket }: CommandOf<"follow">, view: CallersView): Promise<Response> {
    const sockets = this.#sockets;
    if (sockets === undefined) {
      throw new ApiRefusal(
        "sockets_not_configured",
        "This deployment has no sockets. Pass sockets (ctx) to the run's object, or follow the run without Upgrade.",
      );
    }
    return this.#tickets.use(ticket, () => {
      const answer = sockets.open(this.#answers.header(), cursor, fromNow, view);
      this.#countReader();
      return answer;
    });
  }

  acknowledged(socket: HibernatingSocketLike): void {
    this.#sockets?.acknowledged(socket);
  }

  /** Settles due timers, and waits for a moment while the run executes. */
  async alarm(): Promise<void> {
    this.#alarmChecked = true;
    const due = alarmOf(this.#host.state, this.#clock());
    this.#store.alarmFires(due);
    if (due !== null && this.#clock() - due > HOST_LIMITS.lateTimerMs && this.#deps.hold !== true)
      count("holdfast_late_timers_total", this.#host.state.header?.tenantId);
    this.#host.handle({ type: "alarm" });
    this.#notePlace(undefined);
    const { header, newer } = this.#host.state;
    if (header === undefined || newer !== undefined || this.#deps.hold === true) return;
    if (isExpired(header, this.#clock())) return this.#erase(header, "retention");
    // Nothing executes before this time.
    if (header.dispatch?.retryAt !== undefined) return;
    // The next alarm fires only after this one has returned.
    await this.#watchers.parkedOrDue(ALARM_HOLD_MS_MAX, () => {
      const now = this.#clock();
      return (alarmOf(this.#host.state, now) ?? Infinity) - now;
    });
  }

  /**
   * Sets a lost alarm again at the first request of an instance, and later once it is overdue (DUR5). It can be lost by a
   * spending limit, a copy of the storage without it, or a time that the platform ignored. A clock that steps forward leaves it.
   */
  async #checkAlarm(): Promise<void> {
    const isFirst = !this.#alarmChecked;
    this.#alarmChecked = true;
    const now = this.#clock();
    const wanted = alarmOf(this.#host.state, now);
    if (wanted === null || (!isFirst && !isAlarmLost(wanted, now))) return;
    if (isAlarmLost(await this.#deps.storage.getAlarm(), now)) await this.#store.setAlarm(wanted);
  }

  /** Applies an input and answers with the state of the run. */
  #apply(input: Input, view: CallersView): Answer {
    this.#answers.header();
    const reply = this.#host.handle(input);
    if (reply.type === "refused") throw refusal(reply, view);
    const run = this.#answers.summary(view);
    const body = reply.type === "delivered" ? { delivery: reply.delivery, run } : { run };
    return this.#json(body, view, 202);
  }

  /** The run comes from a back-up. What it has outside of its rows may be missing there: its key and its alarm (DUR14). */
  async #restore(input: Input, view: CallersView): Promise<Answer> {
    const answer = this.#apply(input, view);
    const { runDO, storage } = this.#deps;
    const { id, tenantId, ...header } = this.#answers.header();
    const keyId = keyObjectOf({ id, ...header });
    if (keyId !== undefined && runDO !== undefined) await reserveKey(runDO, runObjectName(tenantId, keyId), id);
    // The platform ignores the time that the storage has, also if its schedule, a file of its own, lacks the alarm.
    await storage.deleteAlarm();
    await storage.sync?.();
    const wanted = alarmOf(this.#host.state, this.#clock());
    if (wanted !== null) await this.#store.setAlarm(wanted);
    return answer;
  }

  /** Answers with a body that shows no ids of tokens to callers who may not see them (SEC7). */
  #json(body: object, { tokenIds }: CallersView, status = 200): Answer {
    const answer = jsonAnswer(body, status);
    return tokenIds ? answer : { ...answer, text: this.#tokenIds.hide(answer.text ?? "") };
  }

  async #trigger(command: CommandOf<"trigger">, view: CallersView): Promise<Answer> {
    const { trigger, byKey, waitMs, shows } = command;
    const unique = await newUnique(this.#deps, trigger);
    await this.#erasing?.catch(() => {});
    const keyHolder = this.#key.holderFor({ byKey });
    if (keyHolder !== undefined) return jsonAnswer(keyHolder);
    const isNew = this.#host.state.header === undefined;
    const about = isNew ? await refuseUnserved(this.#deps.dispatcher, trigger, view, this.#clock()) : {};
    const collected = isNew ? await collectTrigger(this.#deps, command, about.listed) : undefined;
    if (collected !== undefined) return jsonAnswer(collected, 202);
    const given = { ...toTriggerInput(trigger, randomHex(16), unique), ...about };
    const asked = await askGates(this.#deps, given, isNew ? this.#host.plan(given) : undefined, this.#clock);
    if (asked.type === "skipped") return skippedFor(asked.holder);
    const reply = this.#host.handle(asked.input);
    if (reply.type !== "created") asked.giveBack();
    if (reply.type === "refused" && reply.code === "workflow_not_found")
      throw await notServed(this.#deps.dispatcher, reply.message, view);
    if (reply.type === "refused") throw refusal(reply);
    if (waitMs > 0) await this.#watchers.parked(waitMs);
    // Stacks are in the record and the journal only, which the caller has requested (SEC4).
    const run = this.#answers.run({ shows }, { ...view, stacks: false }, this.#clock());
    return this.#json(run, view, reply.type === "created" ? 201 : 200);
  }

  async #receive(message: RunMessage): Promise<Answer> {
    const trigger = message.type === "trigger" ? message.trigger : undefined;
    const unique = trigger && (await newUnique(this.#deps, trigger));
    const about = trigger && (await listedWorkflow(this.#deps.dispatcher, trigger, this.#clock()));
    await this.#erasing?.catch(() => {});
    const isTick = trigger?.schedule !== undefined && this.#host.state.header === undefined;
    const tick = isTick ? await refusalOfTick(this.#deps.dispatcher, trigger, this.#clock()) : undefined;
    const refused = this.#key.refusalOf(message) ?? tick;
    const result = refused ?? this.#host.receive(message, randomHex(16), { unique, ...about });
    startedBy(this.#deps.storage.kv, message, result, this.#clock());
    return jsonAnswer(result);
  }

  /** Deletes the run with all its rows (VER3). */
  async #delete(by: string): Promise<Answer> {
    const header = this.#answers.header();
    const reply = this.#host.handle({ type: "delete" });
    if (reply.type === "refused") throw refusal(reply);
    await this.#erase(header, by);
    return { status: 204, headers: {}, text: null };
  }

  /** Erases the run. Triggers wait for the end of it: they create another run. */
  #erase(header: RunHeader, by: string): Promise<void> {
    this.#erasing ??= this.#eraseNow(header, by).finally(() => {
      this.#erasing = undefined;
    });
    return this.#erasing;
  }

  async #eraseNow(header: RunHeader, by: string): Promise<void> {
    for (const write of erasureOf(header)) await this.#performErasure(write, header);
    this.#host.erased(header);
    const { id, tenantId } = header;
    // The audit is deleted with the run, so the log records the deletion and its caller.
    console.log(JSON.stringify({ message: "run deleted", runId: id, tenantId, by }));
  }

  async #performErasure(write: ErasureWrite, header: RunHeader): Promise<void> {
    const { id, tenantId, createdAt } = header;
    const { runIndex, storage, runDO } = this.#deps;
    switch (write.type) {
      case "remove from the index":
        return runIndex?.remove({ id, tenantId, createdAt });
      case "release the key":
        return runDO && releaseKey(runDO, runObjectName(tenantId, write.keyId), id);
      case "remove large rows":
        return this.#large?.remove(header);
      case "delete the rows":
        this.#sockets?.close(1000, "The run was deleted.");
        return eraseStorage(storage);
    }
  }
}

/** Only readers of the run see who answered before (SEC7). */
function refusal({ code, message, details }: Reply & { type: "refused" }, { run } = NOTHING): ApiRefusal {
  return new ApiRefusal(code, message, details?.by !== undefined && !run ? undefined : details);
}

function logMoveError(error: unknown): void {
  console.error("holdfast: a large payload could not be moved to the bucket; it stays in the run's object", error);
}

function logStoreError(error: unknown): void {
  console.error("holdfast: the run's storage failed; the run continues from its journal", error);
}

/** The key of the run's place in the queue of DUR13. */
function placeOf({ tenantId, id }: RunHeader): string {
  return runObjectName(tenantId, id);
}
