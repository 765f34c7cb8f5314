/**
 * Bodies of which the orchestrator learns before they are called (DUR11).
 *
 * Owns: when that is needed. After an execution was lost without progress, the next one announces its bodies until the
 * first of them ends: a body that blocks its process would otherwise never be known.
 */
import type { ExecutionReport, ExecutionStart } from "@holdfast/protocol";
import type { Platform } from "../replay/platform.ts";

export class Announcer {
  #active: boolean;
  readonly #announce: () => Promise<void>;

  /** `announce` resolves when the list of executing bodies has left the process. */
  constructor({ announcesBodies }: Pick<ExecutionStart, "announcesBodies">, announce: () => Promise<void>) {
    this.#active = announcesBodies === true;
    this.#announce = announce;
  }

  /** Returns the platform of the execution. */
  platform(given: Platform): Platform {
    if (!this.#active) return given;
    const callBody = async (call: () => Promise<unknown>): Promise<unknown> => {
      // Without an orchestrator the execution is replaced.
      if (this.#active) await this.#announce().catch(() => {});
      return call();
    };
    return { ...given, callBody };
  }

  /** Called with each report of the execution. */
  reported({ events }: ExecutionReport): void {
    if (events.some(({ type }) => type === "step.completed" || type === "step.failed")) this.#active = false;
  }
}
