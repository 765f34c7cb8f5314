/**
 * The object of a coordinator: executes the messages of other objects, the commands of the Worker, and alarms.
 *
 * Owns: one `CoordinatorHost` per object instance, its alarm, and the erasure of its rows.
 *
 * Invariants
 * - CB1 An object has the kind of its first request, which its header stores. An alarm finds it there.
 */
import {
  CoordinatorHost,
  type CoordinatorSelf,
  type RequestKey,
  type SendEvent,
  isAlarmLost,
  readHeader,
} from "@holdfast/orchestrator";
import { ApiRefusal } from "../refusal.ts";
import { type CoordinatorRequest, messengerOf } from "../run-object/messenger.ts";
import { eraseStorage } from "../run-object/erase-storage.ts";
import { decidingWorkflows } from "../run-object/declared-events.ts";
import { DurableObjectStore } from "../run-object/store.ts";
import { countThing } from "../telemetry/counters.ts";
import type { CoordinatorObjectDeps } from "./deps.ts";
import {
  type EventRequest,
  type WholeEvent,
  checkData,
  testEvent,
  withDecision,
  withDecisionOfRun,
} from "./event-commands.ts";
import { machineOf } from "./kinds.ts";

/** How long the answer to an event waits for its topic, ms. The topic gets the event in any case. */
const APPEND_WAIT_MS = 500;

type Messenger = ReturnType<typeof messengerOf>;

export class CoordinatorObject {
  readonly #deps: CoordinatorObjectDeps;
  readonly #clock: () => number;
  readonly #store: DurableObjectStore;
  #host: CoordinatorHost | undefined;
  #alarmChecked = false;
  /** Ends when the newest message to a topic was answered. */
  #appending: Promise<void> = Promise.resolve();
  /** The erasure in progress. */
  #erasing: Promise<void> | undefined;

  constructor(deps: CoordinatorObjectDeps) {
    this.#deps = deps;
    this.#clock = deps.clock ?? (() => Date.now());
    this.#store = new DurableObjectStore(deps.storage, logError, this.#clock);
  }

  async handle(request: CoordinatorRequest): Promise<Response> {
    await this.#erasing;
    const host = this.#open(request.self);
    // Newer code has this kind: the sender keeps its message, and sends it again.
    if (host === undefined) return Response.json({ type: "unreachable" });
    await this.#checkAlarm(host);
    if (request.self.kind === "event") return this.#handleEvent(host, request);
    if (request.ask === "message") return Response.json(host.receive(request.message));
    return Response.json(execute(host, request.command, request.key));
  }

  /** Adds what the event does, by the declarations of this version of the Worker (EVT2). */
  async #handleEvent(host: CoordinatorHost, request: CoordinatorRequest): Promise<Response> {
    const { dispatcher } = this.#deps;
    // Casts: the Worker sends requests of this form, and runs messages.
    const given = (request.ask === "message" ? request.message : request.command) as EventRequest | SendEvent;
    // An event that is stored is decided: no version decides it again, and no declaration refuses its repetition.
    const isDecided = given.type === "read" || (host.header !== undefined && given.type !== "replay");
    const workflows = dispatcher && !isDecided ? await decidingWorkflows(dispatcher, this.#clock()) : [];
    if (given.type === "send") return Response.json(host.receive(withDecisionOfRun(given, workflows)));
    if (given.type === "test" || given.type === "accept") await checkData(given.event, workflows);
    if (given.type === "test") return Response.json(testEvent(given.event, workflows));
    const whole = (): WholeEvent => execute(host, { type: "read", whole: true }) as WholeEvent;
    // An event has an id of its own, which recognises a repeated one.
    const key = given.type === "replay" && request.ask === "command" ? request.key : undefined;
    const body = execute(host, withDecision(given, workflows, whole), key);
    await this.#appended(given.type);
    return Response.json(body);
  }

  /**
   * Waits for a moment until the topic has the event: of two events that a sender sends one after the other, the first one
   * gets the lower number (EVT8).
   */
  async #appended(type: EventRequest["type"]): Promise<void> {
    if (type === "accept" || type === "replay") await Promise.race([this.#appending, scheduleAfter(APPEND_WAIT_MS)]);
  }

  #sendMessage(send: Messenger): Messenger {
    return (to, message, done) => {
      if (to.kind !== "topic") return send(to, message, done);
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#appending = promise;
      return send(to, message, (result) => {
        done(result);
        resolve();
      });
    };
  }

  async alarm(): Promise<void> {
    await this.#erasing;
    const self = readHeader(this.#store)?.self;
    const host = self && this.#open(self);
    if (host === undefined) return;
    this.#alarmChecked = true;
    this.#store.alarmFires(host.wantedAlarm);
    host.alarm();
    await this.#erasing;
  }

  #open(self: CoordinatorSelf): CoordinatorHost | undefined {
    if (this.#host !== undefined) return this.#host;
    const machine = machineOf(self.kind, this.#deps.kinds);
    this.#host =
      machine &&
      new CoordinatorHost({
        machine,
        self,
        store: this.#store,
        clock: this.#clock,
        held: this.#deps.hold,
        send: this.#sendMessage(messengerOf(this.#deps, () => self.tenantId)),
        count: (what, outcome) => countThing(self, what, outcome),
        erase: () => this.#erase(),
        onError: logError,
      });
    return this.#host;
  }

  /** Requests wait for the end of it. An alarm without rows does nothing. */
  #erase(): void {
    this.#erasing = eraseStorage(this.#deps.storage).finally(() => {
      this.#erasing = undefined;
    });
    this.#erasing.catch(logError);
  }

  /** Sets a lost alarm again at the first request of an instance, and later once it is overdue (DUR5). */
  async #checkAlarm(host: CoordinatorHost): Promise<void> {
    const isFirst = !this.#alarmChecked;
    this.#alarmChecked = true;
    const now = this.#clock();
    const wanted = host.wantedAlarm;
    if (wanted === null || (!isFirst && !isAlarmLost(wanted, now))) return;
    if (isAlarmLost(await this.#deps.storage.getAlarm(), now)) await this.#store.setAlarm(wanted);
  }
}

function logError(error: unknown): void {
  console.error("holdfast: the storage of a coordinator failed; it continues from its rows", error);
}

/** @throws ApiRefusal if the machine refuses the command. */
function execute(host: CoordinatorHost, command: object, key?: RequestKey): object {
  const reply = host.command(command, key);
  if (reply.type === "refused") throw new ApiRefusal(reply.code, reply.message);
  return reply.body;
}

function scheduleAfter(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
