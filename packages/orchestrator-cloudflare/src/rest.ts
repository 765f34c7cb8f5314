/**
 * Pauses in which others are answered.
 *
 * workerd reads sockets and fires timers only when nothing else of its process can continue. A loop of storage operations or
 * of RPC calls never reaches that by itself.
 *
 * Owns: how long the code of this isolate continues without a pause, and the pause: a timer. Only for code that a request,
 * a call or a response waits for.
 *
 * Invariants
 * - RE1 A timer that has not fired shows that no socket was read since it was set. So a process that was idle before waits
 *   for nothing, whatever the time of its last pause.
 * - RE2 The timer of a request or an object that is gone never fires. Then one more pause is made, and it ends the busy time.
 */

/** How long an isolate may be busy without a pause, ms. */
const BUSY_MS_MAX = 25;

// Read at module load: test runners replace the globals with fakes.
const { setTimeout } = globalThis;

/** When the timer was set that has not fired, ms since 1970. `undefined`: there is none. */
let since: number | undefined;

/** Returns what to wait for before more work: `undefined`, or a pause if the isolate was busy for long. */
export function pauseIfBusy(): Promise<void> | undefined {
  return isBusy() ? pause() : undefined;
}

function isBusy(): boolean {
  if (since === undefined) {
    since = Date.now();
    setTimeout(() => {
      since = undefined;
    }, 0);
  }
  // The clock may be set back.
  return Math.abs(Date.now() - since) >= BUSY_MS_MAX;
}

async function pause(): Promise<void> {
  let ms = 0;
  // The timers of all who wait fire one after the other, and some of them continue. The others wait longer each time.
  do {
    const before = since;
    const delay = ms++;
    await new Promise<void>((resolve) => {
      setTimeout(resolve, delay);
    });
    if (since === before) since = undefined;
  } while (isBusy());
}
