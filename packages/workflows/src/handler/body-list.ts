/**
 * The list of executing bodies that an orchestrator follows over a pipe which keeps the order of its messages.
 *
 * Owns: the list as it was sent last. A message contains only the changes since then, so its size does not grow with the
 * number of bodies that execute (REP6).
 */
import type { BodiesChanged, OperationId, RpcPort, StepInProgress } from "@holdfast/protocol";

export class BodyList {
  #sent = new Map<OperationId, StepInProgress>();

  send(port: RpcPort, executing: readonly StepInProgress[]): Promise<void> {
    return port.bodies(this.#changesTo(executing));
  }

  #changesTo(executing: readonly StepInProgress[]): BodiesChanged {
    const before = this.#sent;
    this.#sent = new Map(executing.map((body) => [body.op, body]));
    const began = executing.filter(({ op, attempt, progress }) => {
      const old = before.get(op);
      return old?.attempt !== attempt || old.progress !== progress;
    });
    const ended = [...before.keys()].filter((op) => !this.#sent.has(op));
    return { began, ended };
  }
}
