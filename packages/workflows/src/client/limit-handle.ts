/**
 * A limit, for one key, as operators see it.
 *
 * Owns: the routes of one limit.
 */
import { type LimitRecord, toSegment } from "@holdfast/protocol";
import { given } from "./options.ts";
import { type Transport, oneAct } from "./transport.ts";
import type { CallOptions } from "./types.ts";

export class LimitHandle {
  readonly name: string;
  readonly key: string | undefined;
  readonly #transport: Transport;

  constructor(transport: Transport, name: string, key: string | undefined) {
    this.#transport = transport;
    this.name = name;
    this.key = key;
  }

  /**
   * Reads who holds and who waits.
   * @throws ApiError `not_found`: nobody holds or waits, and no setting was changed
   */
  get(options: CallOptions = {}): Promise<LimitRecord> {
    return this.#send("GET", "", options);
  }

  /** Sets `max` in place of that of the code, until it is cleared. `null`: that of the code applies again. */
  setMax(max: number | null, options: CallOptions = {}): Promise<LimitRecord> {
    return this.#send("PATCH", "", options, { max });
  }

  /** Admits nobody. Who holds continues. */
  pause(options: CallOptions = {}): Promise<LimitRecord> {
    return this.#send("POST", "/pause", options, { paused: true });
  }

  unpause(options: CallOptions = {}): Promise<LimitRecord> {
    return this.#send("POST", "/pause", options, { paused: false });
  }

  /** Cancels a run that waits or holds here, and gives its place to the next at once. */
  kick(runId: string, options: CallOptions = {}): Promise<LimitRecord> {
    return this.#send("POST", "/kick", options, { runId });
  }

  async #send(
    method: "GET" | "POST" | "PATCH",
    action: string,
    options: CallOptions,
    body?: object,
  ): Promise<LimitRecord> {
    const { signal } = given(options, "call", "limit");
    const place = [this.name, ...(this.key === undefined ? [] : [this.key])].map(toSegment).join("/");
    const path = `/api/limits/${place}${action}`;
    const answer = await this.#transport.send({
      method,
      path,
      body,
      headers: oneAct(method),
      signal,
      answer: ["name", "holders"],
    });
    return answer.body as LimitRecord;
  }
}
