/**
 * Operations that the function lets go (WAIT11): the losers of races, and waits whose signal has aborted.
 *
 * Owns: the races without a winner, and their events. The journal decides a race: its winner is the member whose outcome
 * is delivered first. The orchestrator closes waits in the commit of that outcome; steps are withdrawn here.
 *
 * Invariants
 * - RC1 A race is reported before the members that open with it, so no outcome of two members is journaled unnoticed. It is
 *   reported again before members that open later (RES3): a race that has a winner is not stored. So is a release.
 */
import { type ExecutionEvent, encodeValue, fromErrorValue, toErrorValue } from "@holdfast/protocol";
import type { Bodies } from "./bodies.ts";
import { type OpenOperation, releasedError } from "./operation.ts";
import type { Operations } from "./operations.ts";

export interface RacesHost {
  readonly operations: Operations;
  readonly bodies: Bodies;
  /** Requests another round of the scheduler. */
  wake(): void;
}

interface Race {
  readonly members: readonly OpenOperation[];
  readonly cancelLosers: boolean;
  decided: boolean;
  reported: boolean;
}

export class Races {
  readonly #host: RacesHost;
  readonly #racesOf = new Map<OpenOperation, Race[]>();
  /** The races that are not reported, or have members that are not announced. */
  #fresh: Race[] = [];
  /** Waits whose signal has aborted, with the encoded reasons. */
  #aborted: { readonly operation: OpenOperation; readonly value: string }[] = [];
  /** The operation of each promise that the function got. */
  readonly operationOf: WeakMap<object, OpenOperation> = new WeakMap();

  constructor(host: RacesHost) {
    this.#host = host;
  }

  /** Returns a promise of an operation for the function, which may pass it to a race. */
  promiseOf<P extends object = Promise<never>>(operation: OpenOperation, promise: P = operation.promise as never): P {
    this.operationOf.set(promise, operation);
    return promise;
  }

  open(members: readonly OpenOperation[], cancelLosers: boolean): void {
    const race = { members, cancelLosers, decided: false, reported: false };
    this.#fresh.push(race);
    if (members.some(({ settled }) => settled)) this.#decide(race);
    else for (const one of members) this.#racesOf.set(one, [...(this.#racesOf.get(one) ?? []), race]);
    this.#host.wake();
  }

  /** Decides the races of an operation whose outcome was delivered. */
  settled(operation: OpenOperation): void {
    for (const race of this.#racesOf.get(operation) ?? []) this.#decide(race);
    this.#racesOf.delete(operation);
  }

  /** Withdraws the steps that lost. */
  #decide(race: Race): void {
    if (race.decided) return;
    race.decided = true;
    const { operations, bodies } = this.#host;
    for (const loser of race.members) {
      if (loser.settled || loser.request.type !== "step") continue;
      const error = releasedError(loser.id);
      if (!bodies.withdraw(loser.id, error)) operations.withdraw(loser, error);
    }
  }

  /** Lets a wait go when its signal aborts. The outcome in the journal decides whether this was in time. */
  releaseOnAbort(operation: OpenOperation, signal: AbortSignal): void {
    const release = (): void => {
      this.#aborted.push({ operation, value: encodeReason(signal.reason) });
      this.#host.wake();
    };
    if (signal.aborted) return release();
    signal.addEventListener("abort", release);
    const stop = (): void => signal.removeEventListener("abort", release);
    operation.promise.then(stop, stop);
  }

  /** Returns the events of new releases and races. `opening`: the operations that are announced with them. */
  takeEvents(opening: ReadonlySet<OpenOperation>): ExecutionEvent[] {
    const isLate = (one: OpenOperation): boolean => this.#host.operations.isLate(one);
    const aborted = this.#aborted.filter(({ operation }) => !isLate(operation));
    const races = this.#fresh.filter(({ members, reported }) => !reported || members.some((one) => opening.has(one)));
    for (const race of races) race.reported = true;
    this.#aborted = this.#aborted.filter(({ operation }) => isLate(operation));
    this.#fresh = this.#fresh.filter(({ members }) => members.some(isLate));
    return [
      ...races.filter(({ members }) => members.some(({ settled }) => !settled)).map(eventOf),
      ...aborted
        .filter(({ operation }) => !operation.settled)
        .map(({ operation, value }): ExecutionEvent => ({ type: "wait.released", ...placeOf(operation), value })),
    ];
  }
}

/** The event that opens the wait may follow: it has the place again. */
function placeOf(operation: OpenOperation): ReturnType<OpenOperation["about"]> {
  const { reported } = operation.place;
  const about = operation.about();
  operation.place.reported = reported;
  return about;
}

function eventOf({ members, cancelLosers }: Race): ExecutionEvent {
  const ops = members.map(({ id }) => id);
  return { type: "race.opened", ops, ...(cancelLosers ? { cancelLosers } : {}) };
}

/** A reason that is no value, such as a DOMException, is journaled as an error. */
function encodeReason(reason: unknown): string {
  try {
    return encodeValue(reason, "The reason");
  } catch {
    return encodeValue(fromErrorValue(toErrorValue(reason)), "The reason");
  }
}
