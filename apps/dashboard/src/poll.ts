/**
 * Repeats a request while the page is visible.
 *
 * Owns: the pauses. A request begins after the one before it has ended; a hidden page asks nothing, and asks at once when it
 * is shown again. After failures the pause grows, with jitter.
 */
const PAUSE_MS_MAX = 60_000;

/** Returns the function that ends it. `ask` returns whether to continue. */
export function poll(everyMs: number, ask: (signal: AbortSignal) => Promise<boolean>): () => void {
  const ended = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let failures = 0;
  let busy = false;
  const round = async (): Promise<void> => {
    if (busy || document.hidden) return;
    busy = true;
    clearTimeout(timer);
    let again = true;
    try {
      again = await ask(ended.signal);
      failures = 0;
    } catch {
      failures++;
    }
    busy = false;
    if (again && !ended.signal.aborted) timer = setTimeout(() => void round(), pauseMs(everyMs, failures));
    else ended.abort();
  };
  document.addEventListener("visibilitychange", () => void round(), { signal: ended.signal });
  void round();
  return () => {
    ended.abort();
    clearTimeout(timer);
  };
}

function pauseMs(everyMs: number, failures: number): number {
  return Math.min(everyMs * 2 ** failures, PAUSE_MS_MAX) * (failures === 0 ? 1 : 0.75 + Math.random() / 2);
}
