/**
 * The clock of Cloudflare, which local workerd does not have: it stands still while code executes, and moves when something
 * arrives from outside of the process, or a timer fires.
 *
 * Owns: the clock of this isolate, which all objects and the tests of a file share.
 */
import { afterAll, beforeAll, vi } from "vitest";

/** Lets the clock stand still during the tests of the file. `moves`: the events that move it. */
export function letClockStand(moves: "at timers" | "never"): void {
  let stop: () => void = () => {};
  beforeAll(() => {
    const now = Date.now.bind(Date);
    let at = now();
    vi.spyOn(Date, "now").mockImplementation(() => at);
    vi.spyOn(performance, "now").mockImplementation(() => at);
    // No timer fires while turns only read bodies: see `sendTurn`.
    if (moves === "never") return;
    const timer = setInterval(() => (at = now()), 1);
    stop = () => clearInterval(timer);
  });
  afterAll(() => {
    stop();
    vi.restoreAllMocks();
  });
}
