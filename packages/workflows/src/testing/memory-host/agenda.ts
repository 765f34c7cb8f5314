/**
 * What the objects of a world in memory do next.
 *
 * Owns: which object has the earliest alarm, which objects can still do something by themselves, and how much has happened. An
 * object states its changes, so nothing looks at objects that are at rest, however many there are.
 */
import { Heap } from "../heap.ts";

/** What an object does by itself. */
export interface Doing {
  /** The step bodies that execute now, with their attempts. */
  readonly bodies: readonly string[];
  /** Whether it does nothing more without an alarm or a message, if its commits are durable. */
  readonly isAtRest: boolean;
  /** Whether an alarm of it can be for more than a check that its execution lives. */
  readonly isTimed: boolean;
}

/** The parts of an object that its world uses. */
export interface WorldObject {
  /** Of objects whose alarms are due at the same time, the one with the lowest number is first. */
  readonly order: number;
  /** `losable`: the number of commits that are not durable. */
  readonly store: { readonly alarm: number | null; readonly losable: number };
  /** Whether the object is of the world: a test may have replaced it. */
  readonly isPart: boolean;
  readonly doing: Doing;
  fireAlarm(): void;
}

interface Alarm {
  readonly at: number;
  readonly object: WorldObject;
}

export class Agenda {
  /** Grows with each new object, commit, message and turn. */
  activity = 0;
  /** The number of runs that were created. */
  runs = 0;
  /** The alarms that were set. Those that were changed later are still there. */
  readonly #alarms = new Heap<Alarm>((a, b) => a.at < b.at || (a.at === b.at && a.object.order < b.object.order));
  /** The objects that may not be at rest. */
  readonly #lively = new Set<WorldObject>();

  /** A new object: its rows may be of an earlier one. */
  added(object: WorldObject): void {
    this.moved(object);
    this.alarmSet(object);
  }

  /** Each commit, message and turn of the object. */
  moved(object: WorldObject): void {
    this.activity += 1;
    this.#lively.add(object);
  }

  /** The object has set its alarm. */
  alarmSet(object: WorldObject): void {
    const at = object.store.alarm;
    if (at !== null) this.#alarms.add({ at, object });
  }

  /** Whether no commit can be lost any more. Forgets the objects that are at rest. */
  isDurable(): boolean {
    for (const one of this.#lively) {
      if (one.store.losable > 0) return false;
      if (one.doing.isAtRest) this.#lively.delete(one);
    }
    return true;
  }

  /** The step bodies in progress. */
  get bodies(): readonly string[] {
    return [...this.#lively].flatMap(({ doing, order }) => doing.bodies.map((body) => `${order} ${body}`));
  }

  /** Whether an alarm can change anything: whatever it is, it is not only a check of an execution. */
  get isTimed(): boolean {
    return this.#alarms.items.some(
      ({ at, object }) => at === object.store.alarm && object.isPart && object.doing.isTimed,
    );
  }

  /** The object with the earliest alarm, and its time. */
  next(): Alarm | undefined {
    for (;;) {
      const { first } = this.#alarms;
      if (first === undefined || (first.at === first.object.store.alarm && first.object.isPart)) return first;
      this.#alarms.takeFirst();
    }
  }
}

const agendas = new WeakMap<object, Agenda>();

/** The agenda of a world: all who have its map of runs share it. */
export function agendaOf(world: object): Agenda {
  const agenda = agendas.get(world) ?? new Agenda();
  agendas.set(world, agenda);
  return agenda;
}
