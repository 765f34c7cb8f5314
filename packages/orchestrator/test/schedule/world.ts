/**
 * A world of schedules, their list and their runs in memory, on a virtual clock.
 *
 * Owns: the stores, the clock, the alarms and the transport of messages. Faults are functions of the test.
 */
import type { Address, RunStatus } from "@holdfast/protocol";
import { CoordinatorHost } from "../../src/host/coordinator-host.ts";
import type { CoordinatorMachine } from "../../src/host/coordinator.ts";
import type { SendResult } from "../../src/host/outbox-sender.ts";
import type { ListOptions, RunStore, WriteBatch } from "../../src/host/store.ts";
import type { ChildTrigger, RunMessage } from "../../src/run/state/messages.ts";
import { readDeclaration } from "../../src/schedule/declaration.ts";
import { scheduleList } from "../../src/schedule/list-machine.ts";
import type { BackfillRequest, PlannedTimes, ScheduleCommand } from "../../src/schedule/messages.ts";
import { scheduleMachine } from "../../src/schedule/schedule-machine.ts";

export const START = Date.parse("2027-03-01T00:00:00Z");
export const MINUTE = 60_000;
export const HOUR = 3_600_000;
export const DAY = 86_400_000;

class Crash extends Error {}

export class TestStore implements RunStore {
  readonly rows = new Map<string, object>();
  alarm: number | null = null;
  rowsWritten = 0;
  commits = 0;
  /** Called before and after each commit: it may throw. */
  onCommit: (when: "before" | "after") => void = () => {};

  get(key: string): unknown {
    return structuredClone(this.rows.get(key));
  }

  *list(prefix: string, { after = "", limit = Infinity }: ListOptions = {}): Iterable<[string, unknown]> {
    const keys = [...this.rows.keys()].filter((key) => key.startsWith(prefix) && key > after).toSorted();
    for (const key of keys.slice(0, limit)) yield [key, this.get(key)];
  }

  commit({ puts, deletes, alarm }: WriteBatch): undefined {
    this.onCommit("before");
    for (const key of deletes) this.rows.delete(key);
    for (const [key, row] of puts) this.rows.set(key, structuredClone(row));
    if (alarm !== undefined) this.alarm = alarm;
    this.rowsWritten += puts.size + deletes.size;
    this.commits += 1;
    this.onCommit("after");
  }
}

export interface TestRun {
  readonly trigger: ChildTrigger;
  readonly startedAt: number;
  status: RunStatus;
  /** When it ends by itself. */
  endsAt: number;
  endsAs: RunStatus;
}

interface Pending {
  readonly at: number;
  readonly order: number;
  readonly act: () => void;
}

export type Fate = "arrives" | "is lost" | "loses its answer" | "is doubled" | number;

export class World {
  now = START;
  readonly runs = new Map<string, TestRun>();
  readonly stores = new Map<string, TestStore>();
  readonly #hosts = new Map<string, CoordinatorHost>();
  readonly #pending: Pending[] = [];
  #order = 0;
  /** How long runs take, and how they end. */
  runMs = 1_000;
  endsAs: RunStatus = "completed";
  /** Refuses the start of a run. */
  refuse: ((trigger: ChildTrigger) => string | undefined) | undefined;
  /** Whether runs can be reached. */
  reachable = true;
  fate: (to: Address, message: object) => Fate = () => "arrives";
  /** Alarms do not fire: the machine is off. */
  off = false;
  requests = 0;

  store(name: string): TestStore {
    const known = this.stores.get(name) ?? new TestStore();
    this.stores.set(name, known);
    return known;
  }

  host(kind: "schedule" | "schedules", name: string): CoordinatorHost {
    const key = `${kind}/${name}`;
    const known = this.#hosts.get(key);
    if (known !== undefined) return known;
    const machine = (kind === "schedule" ? scheduleMachine : scheduleList) as CoordinatorMachine;
    const store = this.store(key);
    const host = new CoordinatorHost({
      machine,
      self: { kind, name },
      store,
      clock: () => this.now,
      send: (to, message, done) => this.#send(to, message, done),
      erase: () => {
        store.rows.clear();
        store.alarm = null;
      },
      onError: (error) => {
        if (!(error instanceof Crash)) throw error;
        this.crash(key);
      },
    });
    this.#hosts.set(key, host);
    return host;
  }

  /** The object loses its memory. */
  crash(key: string): void {
    this.#hosts.delete(key);
  }

  static crash(): never {
    throw new Crash("the process died");
  }

  declare(fields: object): void {
    const config = readDeclaration({ id: "s", workflow: "w", ...fields }, "schedule");
    this.command({ type: "create", config, by: "me", environment: "production" }, config.id);
  }

  command(command: ScheduleCommand, id = "s"): Record<string, unknown> {
    const reply = this.#guarded(`schedule/${id}`, () => this.host("schedule", id).command(command));
    this.settle();
    if (reply === undefined) return {};
    return reply.type === "refused" ? { refused: reply.code, message: reply.message } : { ...reply.body };
  }

  /** Computes the times of a backfill as the Worker does. `meanwhile`: happens after each answer. */
  plan({ from, until }: BackfillRequest, meanwhile?: () => void): Record<string, unknown> {
    for (let plan: PlannedTimes | undefined; ;) {
      const { times = [], of } = plan ?? {};
      const known = { known: times.length, after: times.at(-1), of };
      const body = this.command({ type: "planBackfill", from, until, ...known });
      if ("refused" in body) return body;
      const next = body as unknown as PlannedTimes;
      plan = { ...next, times: [...times, ...next.times] };
      meanwhile?.();
      if (plan.isLast) return { ...plan };
    }
  }

  backfill(request: BackfillRequest, meanwhile?: () => void): Record<string, unknown> {
    const plan = this.plan(request, meanwhile);
    if ("refused" in plan) return plan;
    const { times, of } = plan as unknown as Pick<PlannedTimes, "times" | "of">;
    return this.command({ type: "backfill", request, times, of });
  }

  list(command: object): Record<string, unknown> {
    const reply = this.#guarded("schedules/list", () => this.host("schedules", "list").command(command));
    this.settle();
    return reply?.type === "done" ? { ...reply.body } : {};
  }

  read(id = "s"): ScheduleRecord {
    const { schedule } = this.command({ type: "read", limit: 2_000 }, id) as { schedule: ScheduleRecord };
    return schedule;
  }

  /** What became of the ticks, the oldest first: the minute after the start of the world, and the outcome. */
  outcomes(id = "s"): string[] {
    return this.read(id)
      .ticks.toReversed()
      .map(({ nominal, outcome, reason, code }) => `${(nominal - START) / MINUTE} ${reason ?? code ?? outcome}`);
  }

  /** Advances the clock, and fires what is due on the way, in order. */
  pass(ms: number): void {
    const until = this.now + ms;
    for (;;) {
      const next = this.#next();
      if (next === undefined || next.at > until) break;
      this.now = Math.max(this.now, next.at);
      next.act();
      this.settle();
    }
    this.now = until;
    this.settle();
  }

  /** Handles the messages that are due. */
  settle(): void {
    this.#endRuns();
    for (;;) {
      const due = this.#pending
        .filter(({ at }) => at <= this.now)
        .toSorted((a, b) => a.at - b.at || a.order - b.order)[0];
      if (due === undefined) return;
      this.#pending.splice(this.#pending.indexOf(due), 1);
      due.act();
    }
  }

  #next(): { at: number; act: () => void } | undefined {
    const messages = this.#pending.map(({ at }) => ({ at, act: () => {} }));
    const ends = [...this.runs.values()]
      .filter(({ status, endsAt }) => status === "running" && endsAt < Infinity)
      .map(({ endsAt }) => ({ at: endsAt, act: () => {} }));
    const alarms = this.off ? [] : [...this.stores].flatMap(([key, store]) => this.#alarm(key, store));
    return [...messages, ...ends, ...alarms].toSorted((a, b) => a.at - b.at)[0];
  }

  #alarm(key: string, store: TestStore): { at: number; act: () => void }[] {
    if (store.alarm === null) return [];
    return [{ at: Math.max(store.alarm, this.now), act: () => this.fireAlarm(key) }];
  }

  fireAlarm(key: string): void {
    const store = this.store(key);
    const { alarm } = store;
    store.alarm = null;
    const [kind = "", name = ""] = key.split("/");
    const fired = this.#guarded(key, () => this.host(kind as "schedule", name).alarm());
    // The platform repeats an alarm whose handler died.
    if (fired === undefined && store.alarm === null && alarm !== null && this.#crashed) store.alarm = this.now + 2_000;
    this.#crashed = false;
  }

  #crashed = false;

  #guarded<T>(key: string, act: () => T): T | undefined {
    try {
      return act();
    } catch (error) {
      if (!(error instanceof Crash)) throw error;
      this.crash(key);
      this.#crashed = true;
      return undefined;
    }
  }

  #endRuns(): void {
    for (const run of this.runs.values()) {
      if (run.status === "running" && run.endsAt <= this.now) run.status = run.endsAs;
    }
  }

  #send(to: Address, message: object, done: (result: SendResult) => void): void {
    this.requests += 1;
    const fate = this.fate(to, message);
    const copy = JSON.parse(JSON.stringify(message)) as object;
    const deliver = (answer: boolean): void => {
      const result = this.#receive(to, copy);
      if (answer) this.#later(0, () => done(result));
    };
    if (fate === "is lost") this.#later(1_000, () => done({ type: "unreachable" }));
    else if (fate === "loses its answer") {
      this.#later(0, () => deliver(false));
      this.#later(1_000, () => done({ type: "unreachable" }));
    } else if (fate === "is doubled") {
      this.#later(0, () => deliver(true));
      this.#later(5, () => deliver(false));
    } else this.#later(typeof fate === "number" ? fate : 0, () => deliver(true));
  }

  #later(ms: number, act: () => void): void {
    this.#pending.push({ at: this.now + ms, order: (this.#order += 1), act });
  }

  #receive({ kind, name }: Address, message: object): SendResult {
    if (kind === "run")
      return this.reachable ? this.#receiveAtRun(name, message as RunMessage) : { type: "unreachable" };
    const key = `${kind}/${name}`;
    const result = this.#guarded(key, () => this.host(kind as "schedule", name).receive(message));
    return result ?? { type: "unreachable" };
  }

  #receiveAtRun(id: string, message: RunMessage | { type: "probeRun" }): SendResult {
    const run = this.runs.get(id);
    switch (message.type) {
      case "probeRun":
        return { type: "acknowledged", answer: run?.status ?? "gone" };
      case "cancel":
        if (run?.status === "running") Object.assign(run, { endsAt: this.now + 500, endsAs: "cancelled" });
        return { type: "acknowledged" };
      case "trigger": {
        const code = this.refuse?.(message.trigger);
        if (code !== undefined) return { type: "refused", error: { name: "HoldfastError", code, message: "No." } };
        if (run !== undefined) return { type: "acknowledged" };
        const { now: startedAt, runMs, endsAs } = this;
        this.runs.set(id, {
          trigger: message.trigger,
          startedAt,
          status: "running",
          endsAt: startedAt + runMs,
          endsAs,
        });
        return { type: "acknowledged" };
      }
      default:
        return { type: "acknowledged" };
    }
  }
}

export interface ScheduleRecord {
  readonly status: string;
  readonly paused?: { readonly by: string; readonly reason?: string };
  readonly waiting: number;
  readonly nextFireAt?: number;
  readonly next: readonly { readonly nominal: number; readonly local: string; readonly note?: string }[];
  readonly counts: {
    readonly fired: number;
    readonly failed: number;
    readonly skipped: Readonly<Record<string, number>>;
  };
  readonly backfill?: { readonly done: number; readonly total: number };
  readonly ticks: readonly {
    readonly seq: number;
    readonly kind: string;
    readonly nominal: number;
    readonly fireAt: number;
    readonly at: number;
    readonly outcome: string;
    readonly reason?: string;
    readonly code?: string;
    readonly runId?: string;
    readonly byRunId?: string;
    readonly until?: number;
  }[];
}
