/**
 * Runs whose execution ended with the last workerd.
 *
 * Owns: their continuation at the start of the next one. By themselves they continue when their watchdog fires, after up to
 * 30 s: too long for somebody who waits for the changed code. Every message to a run without an execution starts one, and
 * the one to the index changes nothing else (DUR5).
 */

/** The number of runs that one request names. The watchdog wakes the others. */
const RUNS_MAX = 100;

/** A deployment with other tokens, or without an index, refuses this: then the watchdogs do it. */
export async function continueInterruptedRuns(url: string, token: string): Promise<void> {
  try {
    const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/json" };
    const listed = await fetch(`${url}/api/runs?status=running&limit=${RUNS_MAX}`, { headers });
    const { runs = [] } = (await listed.json()) as { readonly runs?: readonly { readonly id: string }[] };
    if (runs.length === 0) return;
    const body = JSON.stringify({ runIds: runs.map(({ id }) => id) });
    await (await fetch(`${url}/api/index/rebuild`, { method: "POST", headers, body })).text();
  } catch {
    // workerd ended again.
  }
}
