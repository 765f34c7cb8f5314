/**
 * A model of the alarm of a Durable Object in workerd.
 *
 * Owns: the model. The alarm suite in @holdfast/proof runs the same script with the model and with real workerd.
 *
 * Invariants
 * - The time of the alarm in flight stays known while its handler runs. An alarm for the same time is stored and never
 *   fires. The model keeps this time until the next alarm fires, because a handler may run that long.
 */
export class PlatformAlarm {
  #stored: number | null = null;
  #scheduled: number | null = null;
  #inFlight: number | undefined;
  #lost = false;
  /** Called when the alarm was set. */
  onSet: () => void = () => {};

  /** The alarm in the storage, ms since the epoch. */
  get stored(): number | null {
    return this.#stored;
  }

  /** The time when the platform calls the handler; `null`: never. */
  get scheduled(): number | null {
    return this.#scheduled;
  }

  /** The time of the alarm whose handler runs. */
  get inFlight(): number | undefined {
    return this.#inFlight;
  }

  /** Whether a fault lost the alarm in the storage. */
  get lost(): boolean {
    return this.#lost;
  }

  /** Sets the alarm. A past time is replaced by `now`. */
  set(at: number | null, now: number): void {
    const clamped = at === null ? null : Math.max(at, now);
    this.#stored = clamped;
    this.#lost = false;
    this.#scheduled = clamped === this.#inFlight ? null : clamped;
    this.onSet();
  }

  /** Moves the alarm into flight and clears it. The handler may set it again. */
  fire(): void {
    this.#inFlight = this.#scheduled ?? undefined;
    this.#stored = null;
    this.#scheduled = null;
  }

  /** Sets the alarm in a process that has just begun: none is in flight there. */
  restart(stored: number | null): void {
    this.#inFlight = undefined;
    this.set(stored, -Infinity);
  }

  /** Simulates a fault: the platform loses the scheduled call. The storage still contains the alarm. */
  lose(): void {
    this.#lost = true;
    this.#scheduled = null;
  }
}
