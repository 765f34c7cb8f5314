/**
 * An event that was sent.
 *
 * Owns: the routes of one event, and the body of one that is sent.
 */
import type { EventRecord, EventsReplayed, ReplayedEvent } from "@holdfast/protocol";
import type { EventDefinition } from "../authoring/event.ts";
import { given } from "./options.ts";
import { type Transport, oneAct } from "./transport.ts";
import type { CallOptions } from "./types.ts";

/** An event type, or its name. */
export type NamedEvent<T> = string | EventDefinition<T>;

/** Options of an event that is tested. */
export interface EventOptions extends CallOptions {
  /** Default: that of the definition. */
  readonly key?: string | undefined;
  /** When it happened. For readers and filters: it decides no order. */
  readonly at?: Date | undefined;
  readonly source?: string | undefined;
}

export interface SendEventOptions extends EventOptions {
  /** The same id has no effect again, for 30 days. Default: a random one, so that the client may repeat the request. */
  readonly id?: string | undefined;
}

export interface ReplayOptions extends CallOptions {
  /** `missing`: only runs that were not started. `force`: all of them again, under new ids. */
  readonly mode: "missing" | "force";
  /** The ids of triggers. Default: all that match. */
  readonly triggers?: readonly string[] | undefined;
  /** Runs that wait for its key get it again. Default: no. */
  readonly waits?: boolean | undefined;
}

/** Options of a replay of many events. */
export interface ReplayEventsOptions extends CallOptions {
  readonly name: string;
  /** Events that were received at this time or later. */
  readonly from: Date;
  /** Only events that were received before. Default: all. */
  readonly until?: Date | undefined;
  /** Default `missing`. */
  readonly mode?: ReplayOptions["mode"] | undefined;
  readonly triggers?: readonly string[] | undefined;
  readonly waits?: boolean | undefined;
  /** Nothing starts: each event says what would. Default: no. */
  readonly dryRun?: boolean | undefined;
}

/** Reads each page of a replay when the caller needs it. */
export async function* replayEvents(
  transport: Transport,
  { signal, from, until, ...more }: ReplayEventsOptions,
): AsyncGenerator<ReplayedEvent, void> {
  const fields = { ...more, from: from.getTime(), until: until?.getTime() };
  for (let cursor: string | undefined; ;) {
    const body = { ...fields, cursor };
    const request = {
      method: "POST",
      path: "/api/events/replay",
      body,
      headers: oneAct(),
      signal,
      answer: ["events", "nextCursor"],
    } as const;
    const page = (await transport.send(request)).body as EventsReplayed;
    yield* page.events;
    if (page.nextCursor === null) return;
    cursor = page.nextCursor;
  }
}

/** Returns the fields of an event for a request. */
export function eventBody<T>(event: NamedEvent<T>, data: T, { key, at, source }: EventOptions): object {
  const name = typeof event === "string" ? event : event.name;
  const found = key ?? (typeof event === "string" ? undefined : event.keyOf?.(data));
  return { name, data, key: textOfKey(found ?? undefined), at: at?.getTime(), source };
}

/** A larger number stays one, so that the server refuses it: readers of JSON round it. */
function textOfKey(key: unknown): unknown {
  return typeof key === "boolean" || (typeof key === "number" && Math.abs(key) < 2 ** 53) ? `${key}` : key;
}

export class EventHandle {
  readonly id: string;
  readonly #transport: Transport;

  constructor(transport: Transport, id: string) {
    this.#transport = transport;
    this.id = id;
  }

  /**
   * Reads what it did, and why triggers did not match.
   * @throws ApiError `not_found`
   */
  get(options: CallOptions = {}): Promise<EventRecord> {
    return this.#send("GET", "", given(options, "call", "event"));
  }

  /** Starts its runs again, or those that are missing (EVT11). */
  replay(options: ReplayOptions): Promise<EventRecord> {
    const { signal, ...body } = given(options, "replay");
    return this.#send("POST", "/replay", { signal }, body);
  }

  async #send(method: "GET" | "POST", action: string, { signal }: CallOptions, body?: object): Promise<EventRecord> {
    const path = `/api/events/${encodeURIComponent(this.id)}${action}`;
    const answer = await this.#transport.send({
      method,
      path,
      body,
      headers: oneAct(method),
      signal,
      answer: ["id", "targets"],
    });
    return answer.body as EventRecord;
  }
}
