/**
 * Follows a run and its children, live (CLI3).
 *
 * Owns: the order in which events are printed, and what is followed. A child is followed from its start, indented under its
 * parent; at most `CHILDREN_MAX` at once, and of the others only start and end are shown. An outage of the server ends
 * nothing: each run continues after its last event.
 */
import type { Client, RunEvent, RunSummary } from "@holdfast/workflows/client";
import { mayReturn } from "../exit.ts";
import { pause } from "../io.ts";
import { fieldsOf } from "../output/entry-text.ts";
import { safe, safeJson, Text } from "../output/safe-text.ts";
import type { Session } from "../session.ts";
import { RunLines } from "./lines.ts";

const CHILDREN_MAX = 32;
const RETRY_MS = 500;
/** A child of an ended run that does not exist this long after its start will not: it was deleted. */
const CREATION_MS_MAX = 10_000;

export interface FollowOptions {
  readonly from: "start" | "now";
  readonly children: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** A run that another one started. */
interface Child {
  readonly startedAt: number;
  readonly hasParentEnded: () => boolean;
}

export class Follower {
  readonly #session: Session;
  readonly #client: Client;
  readonly #options: FollowOptions;
  #outage = false;
  #active = 0;
  /** Lines are written one after another, whichever run they belong to. */
  #writing: Promise<void> = Promise.resolve();

  constructor(session: Session, client: Client, options: FollowOptions) {
    this.#session = session;
    this.#client = client;
    this.#options = options;
  }

  /** Follows a run to its end. Returns its last summary. */
  async follow(id: string, depth: number = 0, child?: Child): Promise<RunSummary | undefined> {
    const lines = new RunLines(this.#session.out.paint, depth);
    const children: Promise<unknown>[] = [];
    let last: RunSummary | undefined;
    const hasParentEnded = (): boolean => last?.endedAt !== undefined;
    for await (const event of this.#events(id, child)) {
      if (event.type === "run") last = event.data;
      await this.#print(id, event, lines);
      const started = this.#childOf(event);
      if (started === undefined) continue;
      children.push(this.#followChild(started.runId, depth + 1, { startedAt: started.at, hasParentEnded }));
    }
    await Promise.all(children);
    return last;
  }

  #childOf(event: RunEvent): { readonly runId: string; readonly at: number } | undefined {
    if (!this.#options.children || event.type !== "waitpoint" || event.data.type !== "child.started") return undefined;
    const { runId } = fieldsOf(event.data);
    return runId === undefined || this.#active >= CHILDREN_MAX ? undefined : { runId, at: event.data.at };
  }

  async #followChild(id: string, depth: number, child: Child): Promise<void> {
    this.#active++;
    try {
      await this.follow(id, depth, child);
    } finally {
      this.#active--;
    }
  }

  /** The events of a run, across connections and restarts of the server. */
  async *#events(id: string, child: Child | undefined): AsyncGenerator<RunEvent> {
    const { signal, from } = this.#options;
    let lastEventId: string | undefined;
    for (let seen = child !== undefined; ;) {
      try {
        for await (const event of this.#client.run(id).stream({ from, lastEventId, signal })) {
          seen = true;
          this.#outage = false;
          lastEventId = event.id;
          yield event;
        }
        return;
      } catch (error) {
        if (signal?.aborted === true || this.#session.io.signal.aborted) throw error;
        // A child may be reported before it is created, and may be deleted before its parent.
        const absent = child !== undefined && (error as { readonly code?: string }).code === "not_found";
        if (absent && (lastEventId !== undefined || this.#isDeleted(child))) return;
        if (!(seen && mayReturn(error)) && !absent) throw error;
        if (!absent) this.#reportOutage();
        await pause(RETRY_MS, this.#session.io.signal);
      }
    }
  }

  #isDeleted({ startedAt, hasParentEnded }: Child): boolean {
    return hasParentEnded() && this.#session.io.now() - startedAt > CREATION_MS_MAX;
  }

  #reportOutage(): void {
    if (!this.#outage) this.#session.notes.say(safe`The server does not answer at the moment. Waiting for it.`);
    this.#outage = true;
  }

  #print(run: string, event: RunEvent, lines: RunLines): Promise<void> {
    const { out, io } = this.#session;
    const texts = out.isTable
      ? lines.of(event, io.now())
      : out.format === "id"
        ? []
        : [new Text(safeJson({ run, ...event }, out.format === "json" ? 2 : undefined))];
    this.#writing = this.#writing.then(async () => {
      for (const text of texts) await out.line(text);
    });
    return this.#writing;
  }
}
