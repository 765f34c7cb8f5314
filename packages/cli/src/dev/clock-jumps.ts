/**
 * Notices that the clock of the machine jumped forward, as after a sleep of the machine.
 *
 * Owns: the comparison of two clocks. One jumps; the other stands still while the machine sleeps.
 */
interface Clocks {
  /** Ms since the epoch. */
  wall(): number;
  /** Ms since any moment. */
  steady(): number;
}

const EVERY_MS = 5_000;
/** Alarms may be late by this without a restart, ms. */
const JUMP_MS = 10_000;

const MACHINE: Clocks = { wall: () => Date.now(), steady: () => performance.now() };

/** Calls `onJump` with the size of each jump, ms, until the returned function is called. */
export function watchClock(onJump: (ms: number) => void, clocks: Clocks = MACHINE): () => void {
  const ahead = (): number => clocks.wall() - clocks.steady();
  let last = ahead();
  const timer = setInterval(() => {
    const now = ahead();
    const ms = now - last;
    if (ms > JUMP_MS) onJump(ms);
    // Small steps add up. A clock that was set back is compared with its new time.
    if (Math.abs(ms) > JUMP_MS) last = now;
  }, EVERY_MS);
  return () => clearInterval(timer);
}
