/**
 * The shell around a state machine, the same for every kind of object: decide, commit, apply, then act.
 *
 * Owns: the machine's state in memory, and the order of the four.
 * Tells its neighbours: a kind of object gives it a pure machine and what acts on its decisions (`Actor`).
 *
 * Invariants
 * - R1 Effects are performed only after the commit; a commit that throws leaves nothing in memory.
 * - R2 The state changes only by `apply`, after the commit, through the same functions as loading (F1).
 */
import type { RunStore, StoreReader, WriteBatch } from "./store.ts";

/** What a machine decides about one input. */
export interface Decision<Effect, Reply> {
  readonly batch: WriteBatch;
  readonly effects: readonly Effect[];
  readonly reply: Reply;
}

/** A pure machine: the same state and input give the same decision, and `decide` does not change the state. */
export interface Machine<State, Input, Effect, Reply> {
  load(store: StoreReader): State;
  decide(state: State, input: Input): Decision<Effect, Reply>;
  /** Takes a committed batch over. */
  apply(state: State, batch: WriteBatch): void;
}

/** What acts for a machine. */
export interface Actor<State, Effect, Header> {
  perform(effect: Effect): void;
  /** The state was read from the store. */
  loaded(state: State): void;
  /** A batch was committed and applied, and its effects were performed. `before`: the header until then. */
  committed(batch: WriteBatch, before: Header): void;
  /** The state in memory was dropped: so must be all that was built on it. */
  dropped(): void;
}

export class MachineHost<State extends { header: unknown }, Input, Effect, Reply> {
  readonly #store: RunStore;
  readonly #machine: Machine<State, Input, Effect, Reply>;
  readonly #actor: Actor<State, Effect, State["header"]>;
  #state: State | undefined;

  constructor(
    store: RunStore,
    machine: Machine<State, Input, Effect, Reply>,
    actor: Actor<State, Effect, State["header"]>,
  ) {
    this.#store = store;
    this.#machine = machine;
    this.#actor = actor;
  }

  /** The state, read from the store if it is not in memory. */
  get state(): State {
    if (this.#state === undefined) {
      this.#state = this.#machine.load(this.#store);
      this.#actor.loaded(this.#state);
    }
    return this.#state;
  }

  /** The state, if it is in memory. */
  get loadedState(): State | undefined {
    return this.#state;
  }

  /**
   * Decides, commits and acts.
   * @throws What the commit throws: nothing has happened then.
   */
  handle(input: Input): Reply {
    const { state } = this;
    const { batch, effects, reply } = this.#machine.decide(state, input);
    if (isEmpty(batch)) {
      for (const effect of effects) this.#actor.perform(effect);
      return reply;
    }
    this.#commit(batch);
    const before: State["header"] = state.header;
    this.#machine.apply(state, batch);
    for (const effect of effects) this.#actor.perform(effect);
    this.#actor.committed(batch, before);
    return reply;
  }

  #commit(batch: WriteBatch): void {
    try {
      this.#store.commit(batch);
    } catch (error) {
      // The state in memory may be ahead of the store (R1).
      this.forget();
      throw error;
    }
  }

  /** Drops everything that is only in memory, as an eviction does. */
  forget(): void {
    this.#actor.dropped();
    this.#state = undefined;
  }
}

function isEmpty({ puts, deletes, alarm }: WriteBatch): boolean {
  return puts.size === 0 && deletes.size === 0 && alarm === undefined;
}
