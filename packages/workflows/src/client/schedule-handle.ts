/**
 * A schedule, as operators see it.
 *
 * Owns: the routes of one schedule.
 */
import type { PreviewedTime, ScheduleRecord } from "@holdfast/protocol";
import { given } from "./options.ts";
import { type Transport, oneAct } from "./transport.ts";
import type { CallOptions } from "./types.ts";

/** The ticks of a range whose runs a backfill starts (SCH10). Times have an offset: `2027-01-31T00:00:00Z`. */
export interface Backfill {
  readonly from: string;
  /** No tick at this time or later. */
  readonly until: string;
  /** `queue`, the default: one run after the other. */
  readonly overlap?: "queue" | "skip" | "allow" | undefined;
  /** Runs a minute, at most 600. Default 60. */
  readonly rate?: number | undefined;
  readonly newestFirst?: boolean | undefined;
  /** Starts also what has run already, under other ids. */
  readonly again?: boolean | undefined;
  /** Only says what it would start. */
  readonly dryRun?: boolean | undefined;
}

export class ScheduleHandle {
  readonly id: string;
  readonly #transport: Transport;

  constructor(transport: Transport, id: string) {
    this.#transport = transport;
    this.id = id;
  }

  /**
   * Reads the schedule with its next times, and its newest ticks with what became of them.
   * @param options `ticks`: how many, 1 to 2,000. `before`: only ticks before this position.
   * @throws ApiError `not_found`
   */
  get(
    options: CallOptions & { readonly ticks?: number | undefined; readonly before?: number | undefined } = {},
  ): Promise<ScheduleRecord> {
    const { ticks, before, ...rest } = options;
    const query = new URLSearchParams();
    if (ticks !== undefined) query.set("limit", String(ticks));
    if (before !== undefined) query.set("before", String(before));
    return this.#record("GET", query.size === 0 ? "" : `?${query}`, rest);
  }

  /**
   * Changes fields of its declaration. `null` removes a field.
   * @throws ApiError `invalid_body`; `not_applicable`: the code declares it
   */
  update(fields: Readonly<Record<string, unknown>>, options: CallOptions = {}): Promise<ScheduleRecord> {
    return this.#record("PATCH", "", options, fields);
  }

  /** Skips its ticks until it is resumed, also after a deploy. */
  pause(reason?: string, options: CallOptions = {}): Promise<ScheduleRecord> {
    return this.#record("POST", "/pause", options, reason === undefined ? {} : { reason });
  }

  /** `catchUp`: the ticks of the pause count as missed. */
  resume({
    catchUp = false,
    ...options
  }: CallOptions & { readonly catchUp?: boolean | undefined } = {}): Promise<ScheduleRecord> {
    return this.#record("POST", "/resume", options, { catchUp });
  }

  /** Starts a run now, whatever else executes. `key`: the same one again starts no second run. Default: a random one. */
  async trigger({
    key = crypto.randomUUID(),
    ...options
  }: CallOptions & { readonly key?: string | undefined } = {}): Promise<{ readonly runId: string }> {
    return (await this.#send("POST", "/trigger", options, { key }, ["runId"])) as { readonly runId: string };
  }

  /** Starts the runs of past ticks. Returns how many, and the first ten. */
  async backfill(
    range: Backfill,
    options: CallOptions = {},
  ): Promise<{ readonly total: number; readonly times: readonly PreviewedTime[] }> {
    const answer = await this.#send("POST", "/backfill", options, range, ["total", "times"]);
    return answer as { readonly total: number; readonly times: readonly PreviewedTime[] };
  }

  /** Ends the backfill in progress. Runs that it started continue. */
  cancelBackfill(options: CallOptions = {}): Promise<ScheduleRecord> {
    return this.#record("DELETE", "/backfill", options);
  }

  /** Deletes the schedule. Its runs continue. */
  async delete(options: CallOptions = {}): Promise<void> {
    await this.#send("DELETE", "", options, undefined, [], true);
  }

  async #record(method: Method, action: string, options: CallOptions, body?: object): Promise<ScheduleRecord> {
    return (await this.#send(method, action, options, body, ["id", "ticks"])) as ScheduleRecord;
  }

  async #send(
    method: Method,
    action: string,
    options: CallOptions,
    body: object | undefined,
    answer: readonly string[],
    isGoneAfter?: true,
  ): Promise<unknown> {
    const { signal } = given(options, "call", "schedule");
    const path = `/api/schedules/${encodeURIComponent(this.id)}${action}`;
    return (
      await this.#transport.send({
        method,
        path,
        body,
        headers: oneAct(method),
        signal,
        answer,
        ...(isGoneAfter && { isGoneAfter }),
      })
    ).body;
  }
}

type Method = "GET" | "POST" | "PATCH" | "DELETE";
