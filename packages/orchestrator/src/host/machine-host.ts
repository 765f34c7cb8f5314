/**
 * The shell around a state machine, the same for each kind of object: decide, commit, apply, then perform effects.
 *
 * Owns: the machine's state in memory, and the order of these four.
 * Interface: a kind of object supplies a pure machine, and an `Actor` that performs its effects.
 *
 * Invariants
 * - R1 Effects are performed only after the commit. After a commit that throws, the state in memory is dropped.
 * - R2 The state changes only by `apply`, after the commit, through the same functions as loading (F1).
 */
import type { RunStore, StoreReader, WriteBatch } from "./store.ts";

/** The decision of a machine about one input. */
export interface Decision<Effect, Reply> {
  readonly batch: WriteBatch;
  readonly effects: readonly Effect[];
  readonly reply: Reply;
}

/** A pure machine. The same state and input give the same decision, and `decide` does not change the state. */
export interface Machine<State, Input, Effect, Reply> {
  load(store: StoreReader): State;
  decide(state: State, input: Input): Decision<Effect, Reply>;
  /** Changes the state as a committed batch says. */
  apply(state: State, batch: WriteBatch): void;
}

/** The impure part of an object: it performs effects and follows the machine's state. */
export interface Actor<State, Effect, Header> {
  perform(effect: Effect): void;
  /** Called after the state was read from the store. */
  loaded(state: State): void;
  /** Called after a batch was committed and applied and its effects were performed. `before`: the previous header. */
  committed(batch: WriteBatch, before: Header): void;
  /** Called before the state in memory is dropped. The actor must drop everything that depends on it. */
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
   * Decides, commits, applies, and performs the effects.
   * @throws The error of the commit. Nothing was stored and no effect was performed then.
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
      // The machine decided from this state; the next input decides from stored rows (R1).
      this.forget();
      throw error;
    }
  }

  /** Drops the state in memory, as an eviction does. */
  forget(): void {
    this.#actor.dropped();
    this.#state = undefined;
  }
}

function isEmpty({ puts, deletes, alarm }: WriteBatch): boolean {
  return puts.size === 0 && deletes.size === 0 && alarm === undefined;
}
