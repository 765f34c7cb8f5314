/**
 * The requests of the local server to the API that it runs.
 *
 * Owns: what they ask. None of them may fail the server: a deployment may have other tokens, or no index, and workerd may
 * end at any moment.
 */

/** The number of runs that one request names. */
const RUNS_MAX = 100;
const TIMEOUT_MS = 5_000;

export class LocalApi {
  readonly #url: string;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(url: string, token: string) {
    this.#url = url;
    this.#headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/json" };
  }

  /** Returns the ids of the served workflows; none if they cannot be read. */
  async workflows(): Promise<readonly string[]> {
    const { workflows = [] } = await this.#ask<{ workflows?: readonly Identified[] }>("/api/workflows");
    return workflows.map(({ id }) => id);
  }

  /**
   * Continues runs whose execution ended with the last workerd. By themselves they continue when their watchdog fires, after
   * up to 30 s: too long for somebody who waits for the changed code. Every message to a run without an execution starts one,
   * and the one about the index changes nothing else (DUR5).
   */
  async continueInterrupted(): Promise<void> {
    const { runs = [] } = await this.#ask<{ runs?: readonly Identified[] }>(
      `/api/runs?status=running&limit=${RUNS_MAX}`,
    );
    if (runs.length > 0) await this.#ask("/api/index/rebuild", { runIds: runs.map(({ id }) => id) });
  }

  async #ask<T extends object>(path: string, body?: object): Promise<Partial<T>> {
    try {
      const response = await fetch(this.#url + path, {
        headers: this.#headers,
        signal: AbortSignal.timeout(TIMEOUT_MS),
        ...(body === undefined ? {} : { method: "POST", body: JSON.stringify(body) }),
      });
      return (await response.json()) as T;
    } catch {
      return {};
    }
  }
}

interface Identified {
  readonly id: string;
}
