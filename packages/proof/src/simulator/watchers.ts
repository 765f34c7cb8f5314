/**
 * The oracles that watch a simulation, and their memory.
 *
 * Owns: what the oracles saw. If a process loses commits, the oracles see everything again without the lost part: what was
 * never durable had no effect outside (S4).
 */
import { BodyStarts } from "./oracles/body-starts.ts";
import { Budget } from "./oracles/budget.ts";
import { Creations } from "./oracles/children.ts";
import { Compensable } from "./oracles/compensable.ts";
import { Deaths } from "./oracles/deaths.ts";
import type { Finding } from "./oracles/finding.ts";
import { Races } from "./oracles/races.ts";
import { RecoveryTime } from "./oracles/recovery-time.ts";
import { Timers } from "./oracles/timers.ts";
import type { Watcher } from "./oracles/watcher.ts";

type Named = readonly (readonly [Finding["oracle"], Watcher])[];

interface Seen {
  readonly at: number;
  readonly show: (watcher: Watcher) => void;
  /** The run to whose process this belongs: it is lost together with a commit before it. */
  readonly runId: string | undefined;
  readonly isCommit: boolean;
}

export class Watchers {
  /** The longest time from the end of a fault to the next progress, ms, by kind of fault (DUR9). */
  readonly longest: Map<string, number> = new Map();
  readonly #clock: () => number;
  readonly #lateMs: number;
  /** The time of what the oracles see again; `undefined`: they see the present. */
  #then: number | undefined;
  #watchers: Named = this.#newWatchers();
  #seen: Seen[] = [];
  /** What was found before the oracles saw everything again. */
  readonly #found = new Map<string, Finding>();

  constructor(clock: () => number, lateMs: number) {
    this.#lateMs = lateMs;
    this.#clock = clock;
  }

  #newWatchers(): Named {
    const now = (): number => this.#then ?? this.#clock();
    return [
      ["body starts", new BodyStarts(now, () => this.#lateMs)],
      ["times", new Timers(now)],
      ["budget", new Budget()],
      ["children", new Creations()],
      ["compensation", new Compensable()],
      ["deaths", new Deaths()],
      ["races", new Races()],
      ["progress", new RecoveryTime(now, this.longest)],
    ];
  }

  /** Shows something to all oracles. `runId`: the run whose process takes it along if it loses the commits before it. */
  show(show: Seen["show"], runId?: string, isCommit = false): void {
    this.#seen.push({ at: this.#clock(), show, runId, isCommit });
    for (const [, watcher] of this.#watchers) show(watcher);
  }

  /** The process of a run died with its last commits. */
  lose(runId: string, commits: number): void {
    const own = this.#seen.flatMap((seen, place) => (seen.runId === runId && seen.isCommit ? [place] : []));
    const first = own.at(-commits) ?? Infinity;
    this.#seen = this.#seen.filter((seen, place) => place < first || seen.runId !== runId);
    for (const finding of this.#current()) this.#found.set(JSON.stringify(finding), finding);
    this.#watchers = this.#newWatchers();
    for (const { at, show } of this.#seen) {
      this.#then = at;
      for (const [, watcher] of this.#watchers) show(watcher);
    }
    this.#then = undefined;
  }

  #current(): Finding[] {
    return this.#watchers.flatMap(([oracle, { findings }]) => findings.map((text) => ({ oracle, text })));
  }

  get findings(): Finding[] {
    return [...this.#found.values(), ...this.#current()];
  }
}
