/**
 * The faults of a scenario, at their occasions.
 *
 * Owns: the number of occasions so far. A fault names its occasion by its position.
 */
import type { Faults } from "@holdfast/workflows/testing";
import type { FrameFault, TurnFault } from "./pipes.ts";
import { COMMIT_FAULTS, type Fault, type Scenario } from "./scenario.ts";

export interface FaultEvents {
  /** A fault happens. */
  readonly happens: (fault: Fault) => void;
  /** An execution of this run fell silent. */
  readonly silent: (runId: string) => void;
}

export class FaultPlan {
  /** No more faults happen. */
  disabled: boolean = false;
  /** Whether the execution that starts is remote. */
  remote: boolean = false;
  /** The number of commits, messages, index updates, alarms and executions so far. */
  readonly #occasions = { commit: 0, message: 0, index: 0, alarm: 0, start: 0, turn: 0, frame: 0 };
  readonly #scenario: Scenario;
  readonly #events: FaultEvents;

  constructor(scenario: Scenario, events: FaultEvents) {
    this.#scenario = scenario;
    this.#events = events;
  }

  /** Returns the fault of the next commit. */
  atCommit(): Fault["type"] | undefined {
    return this.#next("commit", ({ type }) => COMMIT_FAULTS.has(type))?.type;
  }

  /** Returns the fault of the next request of the pipe of turns. */
  atTurn(): TurnFault | undefined {
    const fault = this.#next("turn", ({ type }) => type === "turn");
    return fault?.type === "turn" ? fault.fault : undefined;
  }

  /** Returns the fault of the next upgrade or frame. */
  atFrame(): FrameFault | undefined {
    const fault = this.#next("frame", ({ type }) => type === "frame");
    return fault?.type === "frame" ? fault.fault : undefined;
  }

  /** The faults between the parts of the world. */
  get faults(): Faults {
    return {
      message: () => {
        const fault = this.#next("message", (one) => one.type === "message");
        return fault?.type === "message" ? fault.fault : undefined;
      },
      index: () => {
        const fault = this.#next("index", (one) => one.type === "index");
        return fault?.type === "index" ? fault.fault : undefined;
      },
      alarm: () => {
        const fault = this.#next("alarm", (one) => one.type === "alarm");
        return fault?.type === "alarm" ? (fault.fault ?? "twice") : undefined;
      },
      start: () => {
        const fault = this.#next("start", (one) => one.type === "start");
        return fault?.type === "start" ? fault.fault : undefined;
      },
      silent: ({ runId }) => this.#events.silent(runId),
      remote: () => {
        const { remote } = this.#scenario;
        this.remote = remote === "always" || (remote === "by turns" && this.#occasions.start % 2 === 0);
        return this.remote;
      },
    };
  }

  /** Counts an occasion for faults, and returns the scenario's fault for it, if any. */
  #next(
    occasion: "commit" | "message" | "index" | "alarm" | "start" | "turn" | "frame",
    fits: (fault: Fault) => boolean,
  ): Fault | undefined {
    this.#occasions[occasion] += 1;
    if (this.disabled) return undefined;
    const at = this.#occasions[occasion] - 1;
    const fault = this.#scenario.faults.find((one) => one.at === at && fits(one));
    if (fault !== undefined) this.#events.happens(fault);
    return fault;
  }
}
