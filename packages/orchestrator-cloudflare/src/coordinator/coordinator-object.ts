/**
 * The object of a coordinator: executes the messages of other objects, the commands of the Worker, and alarms.
 *
 * Owns: one `CoordinatorHost` per object instance, its alarm, and the erasure of its rows.
 *
 * Invariants
 * - CB1 An object has the kind of its first request, which its header stores. An alarm finds it there.
 */
import { CoordinatorHost, type CoordinatorSelf, isAlarmLost, readHeader } from "@holdfast/orchestrator";
import { ApiRefusal } from "../refusal.ts";
import { type CoordinatorRequest, messengerOf } from "../run-object/messenger.ts";
import { DurableObjectStore } from "../run-object/store.ts";
import type { CoordinatorObjectDeps } from "./deps.ts";
import { machineOf } from "./kinds.ts";

export class CoordinatorObject {
  readonly #deps: CoordinatorObjectDeps;
  readonly #clock: () => number;
  readonly #store: DurableObjectStore;
  #host: CoordinatorHost | undefined;
  #alarmChecked = false;
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
    if (!this.#alarmChecked) await this.#checkAlarm(host);
    if (request.ask === "message") return Response.json(host.receive(request.message));
    const reply = host.command(request.command);
    if (reply.type === "refused") throw new ApiRefusal(reply.code, reply.message);
    return Response.json(reply.body);
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
        send: messengerOf(this.#deps, () => self.tenantId),
        erase: () => this.#erase(),
        onError: logError,
      });
    return this.#host;
  }

  /** Requests wait for the end of it. An alarm without rows does nothing. */
  #erase(): void {
    const { storage } = this.#deps;
    this.#erasing = (async () => {
      await storage.deleteAll();
      await storage.deleteAlarm();
    })().finally(() => {
      this.#erasing = undefined;
    });
    this.#erasing.catch(logError);
  }

  /** Sets a lost alarm again at the first request of an instance (DUR5). */
  async #checkAlarm(host: CoordinatorHost): Promise<void> {
    this.#alarmChecked = true;
    const wanted = host.wantedAlarm;
    if (wanted === null || !isAlarmLost(await this.#deps.storage.getAlarm(), this.#clock())) return;
    await this.#store.setAlarm(wanted);
  }
}

function logError(error: unknown): void {
  console.error("holdfast: the storage of a coordinator failed; it continues from its rows", error);
}
