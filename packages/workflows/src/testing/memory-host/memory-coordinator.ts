/**
 * The coordinators of a world in memory: gates, windows, schedules, events and topics.
 *
 * Owns: each object, its store and its alarm; and the choice of the machine of a kind. A coordinator belongs to no run: it lives
 * on when runs end, and crashes by itself.
 */
import {
  type CoordinatorHeader,
  CoordinatorHost,
  type CoordinatorMachine,
  type EventMessage,
  type SendEvent,
  type SendResult,
  decideEvent,
  eventList,
  eventMachine,
  gate,
  gateList,
  keyOf,
  scheduleList,
  scheduleMachine,
  topicMachine,
  windowMachine,
} from "@holdfast/orchestrator";
import { type Address, type WorkflowDescription, addressKey } from "@holdfast/protocol";
import type { Agenda, Doing, WorldObject } from "./agenda.ts";
import { ALARM_RETRY_MS, CommitFailed, SimulatedCrash } from "./faults.ts";
import { MemoryStore } from "./memory-store.ts";
import { Network, type NetworkOptions, afterCommits } from "./network.ts";

const MACHINES: readonly CoordinatorMachine[] = [
  eventList,
  eventMachine,
  gate,
  gateList,
  scheduleList,
  scheduleMachine,
  topicMachine,
  windowMachine,
];

/** The parts of the world that coordinators use. */
export interface CoordinatorWorld extends Omit<NetworkOptions, "store" | "moved"> {
  readonly workflows: readonly WorkflowDescription[];
  readonly agenda: Agenda;
  /** Called with every new coordinator. */
  readonly onCoordinator?: ((coordinator: MemoryCoordinator) => void) | undefined;
  /** Called after each commit of any coordinator. `true`: it crashes. */
  readonly crashesCoordinator?: ((coordinator: MemoryCoordinator) => boolean) | undefined;
}

/** Of alarms that are due at the same time, those of runs are first. */
const FIRST_ORDER = 1e9;

/** All coordinators of a world. */
export class MemoryCoordinators {
  readonly #world: CoordinatorWorld;
  readonly #byAddress = new Map<string, MemoryCoordinator>();

  constructor(world: CoordinatorWorld) {
    this.#world = world;
  }

  values(): Iterable<MemoryCoordinator> {
    return this.#byAddress.values();
  }

  /** The coordinator with this address. */
  get(to: Address): MemoryCoordinator {
    const key = addressKey(to);
    const found =
      this.#byAddress.get(key) ?? new MemoryCoordinator(to, this.#world, FIRST_ORDER + this.#byAddress.size);
    this.#byAddress.set(key, found);
    return found;
  }
}

export class MemoryCoordinator implements WorldObject {
  readonly address: Address;
  readonly order: number;
  readonly store: MemoryStore = new MemoryStore();
  readonly isPart = true;
  readonly doing: Doing = { bodies: [], isAtRest: true, isTimed: true };
  crashes = 0;
  readonly #world: CoordinatorWorld;
  #host: CoordinatorHost;

  constructor(address: Address, world: CoordinatorWorld, order: number) {
    this.address = address;
    this.order = order;
    this.#world = world;
    this.#watchStore();
    this.#host = this.#newHost();
    world.agenda.added(this);
    world.onCoordinator?.(this);
  }

  get header(): CoordinatorHeader | undefined {
    return this.#host.header;
  }

  /** Handles a message. The sender of one that dies with the object cannot know whether before or after its commit. */
  receive(message: object): SendResult | Promise<SendResult> {
    this.#world.agenda.moved(this);
    try {
      return afterCommits(this.store, this.#host.receive(this.#decided(message)));
    } catch (error) {
      if (!(error instanceof SimulatedCrash || error instanceof CommitFailed)) throw error;
      return { type: "unreachable" };
    }
  }

  /** Executes a command, again after a crash. */
  command(command: object): unknown {
    for (;;) {
      try {
        const reply = this.#host.command(command);
        return reply.type === "done" ? reply.body : reply;
      } catch (error) {
        if (!(error instanceof SimulatedCrash)) throw error;
      }
    }
  }

  /** Adds the decision to an event that a run sends, as the adapter does. */
  #decided(message: object): object {
    if (this.address.kind !== "event") return message;
    // A cast: only runs send messages to events.
    const sent = message as SendEvent;
    const workflows = this.#world.workflows.map(({ id, version, flow }) => ({ ...flow, id, version }));
    const found = keyOf(sent.event, workflows);
    const event = { ...sent.event, ...("key" in found ? { key: found.key } : {}) };
    return { ...sent, event, decision: decideEvent(event, workflows) } satisfies EventMessage;
  }

  fireAlarm(): void {
    const { clock } = this.#world;
    const { alarm } = this.store;
    this.#world.agenda.moved(this);
    if (alarm !== null && alarm > clock.now()) clock.jump(alarm - clock.now());
    this.store.takeAlarm();
    for (;;) {
      try {
        return this.#host.alarm();
      } catch (error) {
        if (error instanceof CommitFailed) return this.store.setAlarm(clock.now() + ALARM_RETRY_MS);
        if (!(error instanceof SimulatedCrash)) throw error;
      }
    }
  }

  /**
   * Drops the state in memory, and the answers to what it sent. `loses`: commits that are not durable are lost, if the store
   * may lose commits.
   */
  crash(loses = false): void {
    this.crashes += 1;
    this.store.restart(loses);
    this.#host = this.#newHost();
  }

  #watchStore(): void {
    this.store.clock = () => this.#world.clock.now();
    this.store.platformAlarm.onSet = () => this.#world.agenda.alarmSet(this);
    this.store.afterCommit = () => {
      this.#world.agenda.moved(this);
      if (this.#world.crashesCoordinator?.(this) !== true) return;
      this.crash();
      throw new SimulatedCrash();
    };
  }

  #newHost(): CoordinatorHost {
    const machine = MACHINES.find(({ kind }) => kind === this.address.kind);
    if (machine === undefined) throw new Error(`assertion: there is a machine for ${this.address.kind}`);
    const network = new Network({ ...this.#world, store: this.store, moved: () => {} });
    const host: CoordinatorHost = new CoordinatorHost({
      machine,
      self: this.address,
      store: this.store,
      clock: () => this.#world.clock.now(),
      send: (to, message, done) =>
        void network.deliver(to, message).then((result) => host === this.#host && done(result)),
      erase: () => {
        this.store.clear();
      },
    });
    return host;
  }
}
