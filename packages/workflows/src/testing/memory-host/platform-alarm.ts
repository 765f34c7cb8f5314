/**
 * The alarm of an object, as workerd implements it.
 *
 * Owns: the model. The alarm suite in @holdfast/proof runs the same script against it and against real workerd.
 *
 * Invariants
 * - The time of the alarm in flight stays known while its handler runs. An alarm for that very time is stored and never
 *   fires. The model keeps the time until the next alarm fires: a handler may run for that long.
 */
export class PlatformAlarm {
  #stored: number | null = null;
  #scheduled: number | null = null;
  #inFlight: number | undefined;

  /** What the storage shows, ms since the epoch. */
  get stored(): number | null {
    return this.#stored;
  }

  /** When the platform calls the handler; `null`: never. */
  get scheduled(): number | null {
    return this.#scheduled;
  }

  /** The time of the alarm that is being handled. */
  get inFlight(): number | undefined {
    return this.#inFlight;
  }

  /** A past time is clamped to now. */
  set(at: number | null, now: number): void {
    const clamped = at === null ? null : Math.max(at, now);
    this.#stored = clamped;
    this.#scheduled = clamped === this.#inFlight ? null : clamped;
  }

  /** The handler is called: the alarm is gone unless the handler sets it. */
  fire(): void {
    this.#inFlight = this.#scheduled ?? undefined;
    this.#stored = null;
    this.#scheduled = null;
  }

  /** A fault: the platform forgets what it scheduled. The storage still shows it. */
  lose(): void {
    this.#scheduled = null;
  }
}
