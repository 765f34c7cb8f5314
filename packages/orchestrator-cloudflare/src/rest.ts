/**
 * Pauses in which others are answered.
 *
 * workerd reads sockets and fires timers only when nothing else of its process can continue. A loop of storage operations, of
 * RPC calls or of messages between objects never reaches that by itself.
 *
 * Owns: how long the code of this isolate continues without a pause, and the pause: a timer. Only for code that a request,
 * a call, a message or a response waits for: the timer of another promise may never fire.
 *
 * Invariants
 * - RE1 A timer that has not fired shows that no socket was read since it was set. So a process that was idle before waits
 *   for nothing, whatever the time of its last pause.
 * - RE2 The timer of a request or an object that is gone never fires. Then one more pause is made, and it ends the busy time.
 * - RE3 Of many that wait, few continue before sockets are read again. Each waits for a bounded number of timers.
 */

/** How long an isolate may be busy without a pause, ms. */
const BUSY_MS_MAX = 25;
/** How many that waited continue before sockets are read again. Their timers fire together, before their work takes time. */
const CONTINUED_MAX = 4;
/** The timers of one pause. */
const TIMERS_MAX = 8;

// Read at module load: test runners replace the globals with fakes.
const { setTimeout } = globalThis;

/** When the timer was set that has not fired, ms since 1970. `undefined`: there is none. */
let since: number | undefined;
/** How many have continued after a pause since then. */
let continued = 0;

/** Other hosts, such as Node in tests, read sockets between any two tasks. */
const isWorkerd = globalThis.navigator?.userAgent === "Cloudflare-Workers";

/** Returns what to wait for before more work: `undefined`, or a pause if the isolate was busy for long. */
export function pauseIfBusy(): Promise<void> | undefined {
  return isWorkerd && isBusy() ? pause() : undefined;
}

function isBusy(): boolean {
  if (since === undefined) {
    since = Date.now();
    continued = 0;
    setTimeout(() => {
      since = undefined;
    }, 0);
  }
  // The clock may be set back.
  return continued >= CONTINUED_MAX || Math.abs(Date.now() - since) >= BUSY_MS_MAX;
}

async function pause(): Promise<void> {
  for (let timers = 0; timers < TIMERS_MAX && isBusy(); timers++) {
    const before = since;
    await new Promise<void>((resolve) => {
      setTimeout(resolve, 0);
    });
    if (since === before) since = undefined;
  }
  continued += 1;
}
