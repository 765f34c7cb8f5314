/**
 * An in-memory implementation of the adapter's structural types: storage, namespace, alarms.
 */
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import {
  createInlineDispatcher,
  handleDurableObjectAlarm,
  handleDurableObjectRequest,
  handleRunIndexRequest,
  handleWorkerRequest,
} from "../src/index.ts";
import { checkAnswer, checkHeaders } from "./openapi-check.ts";
import type {
  DurableObjectNamespaceLike,
  DurableObjectStorageLike,
  RunObjectDeps,
  SqlStorageLike,
  StepDispatcher,
  SyncKvListOptions,
  WorkerDeps,
} from "../src/index.ts";

type Workflows = Parameters<typeof createInlineDispatcher>[0]["workflows"];

export class FakeStorage implements DurableObjectStorageLike {
  rows = new Map<string, unknown>();
  alarmAt: number | null = null;
  writes = 0;
  /** The turns of the event loop in which something was written: the writes of a turn are one commit. */
  commits = 0;
  #commitIsOpen = false;
  alarmsSet = 0;
  /** The number of calls of `get` and `list`, and of rows that `list` returned. */
  readonly reads = { gets: 0, lists: 0, rowsListed: 0 };
  readonly kv = {
    get: (key: string): unknown => {
      this.reads.gets += 1;
      return structuredClone(this.rows.get(key));
    },
    put: (key: string, value: unknown): void => {
      this.#write();
      this.rows.set(key, structuredClone(value));
    },
    delete: (key: string): boolean => {
      this.#write();
      return this.rows.delete(key);
    },
    list: ({ prefix = "", startAfter, limit = Infinity, reverse = false }: SyncKvListOptions = {}): Iterable<
      [string, unknown]
    > => {
      // As workerd does.
      if (limit < 1) throw new TypeError("List limit must be positive.");
      const keys = [...this.rows.keys()].filter(
        (key) => key.startsWith(prefix) && (startAfter === undefined || key > startAfter),
      );
      keys.sort();
      if (reverse) keys.reverse();
      const listed = keys.slice(0, limit);
      this.reads.lists += 1;
      this.reads.rowsListed += listed.length;
      return listed.map((key): [string, unknown] => [key, structuredClone(this.rows.get(key))]);
    },
  };

  #write(): void {
    this.writes += 1;
    if (this.#commitIsOpen) return;
    this.#commitIsOpen = true;
    this.commits += 1;
    setImmediate(() => {
      this.#commitIsOpen = false;
    });
  }

  transactionSync<T>(closure: () => T): T {
    const before = new Map(this.rows);
    try {
      return closure();
    } catch (error) {
      this.rows = before;
      throw error;
    }
  }

  async getAlarm(): Promise<number | null> {
    return this.alarmAt;
  }

  async setAlarm(at: number): Promise<void> {
    this.#write();
    this.alarmsSet += 1;
    this.alarmAt = at;
  }

  async deleteAlarm(): Promise<void> {
    this.alarmAt = null;
  }

  async deleteAll(): Promise<void> {
    this.rows.clear();
    this.alarmAt = null;
  }
}

/** The SQL storage of an object, with a count of returned rows. */
export class FakeSql implements SqlStorageLike {
  readonly #database = new DatabaseSync(":memory:");
  readonly #prepared = new Map<string, StatementSync>();
  rowsRead = 0;

  #prepare(query: string): StatementSync {
    const prepared = this.#prepared.get(query) ?? this.#database.prepare(query);
    this.#prepared.set(query, prepared);
    return prepared;
  }

  *#iterate(query: string, bindings: unknown[]): Iterable<Record<string, unknown>> {
    for (const row of this.#prepare(query).iterate(...(bindings as SQLInputValue[]))) {
      this.rowsRead += 1;
      yield row;
    }
  }

  exec(query: string, ...bindings: unknown[]): Iterable<Record<string, unknown>> {
    if (query.startsWith("SELECT")) return this.#iterate(query, bindings);
    this.#prepare(query).run(...(bindings as SQLInputValue[]));
    return [];
  }

  /** The query plan of SQLite. */
  plan(query: string, ...bindings: unknown[]): string {
    const rows = this.#database.prepare(`EXPLAIN QUERY PLAN ${query}`).all(...(bindings as SQLInputValue[]));
    return rows.map(({ detail }) => String(detail)).join("; ");
  }
}

/** The Durable Objects of an index. */
export class FakeIndexNamespace implements DurableObjectNamespaceLike<string> {
  readonly shards = new Map<string, FakeSql>();
  /** Replaces or delays an answer. */
  breaks: (() => Promise<Response | undefined>) | undefined;

  idFromName(name: string): string {
    return name;
  }

  get(name: string): { fetch: (request: Request) => Promise<Response> } {
    return {
      fetch: async (request) => {
        const broken = await this.breaks?.();
        if (broken !== undefined) return broken;
        const sql = this.shards.get(name) ?? new FakeSql();
        this.shards.set(name, sql);
        return handleRunIndexRequest(request, { storage: { sql } });
      },
    };
  }
}

/** Turns of the event loop. Taken before a test replaces the timers. */
const nextTurn = globalThis.setImmediate;
const TURNS_OF_AN_ANSWER = 10;

const URL_KEYS = ["a-key-of-public-urls"];

/** A deployment: a Worker, and objects that are created at their first request. */
export class FakeDeployment {
  readonly storages = new Map<string, FakeStorage>();
  readonly #dispatcher: StepDispatcher;
  readonly #deps: Partial<WorkerDeps>;

  readonly #objectDepsMore: Partial<RunObjectDeps>;

  constructor(
    workflows: Workflows,
    deps: Partial<WorkerDeps> = {},
    dispatcher?: StepDispatcher,
    objectDeps: Partial<RunObjectDeps> = {},
  ) {
    this.#objectDepsMore = objectDeps;
    this.#dispatcher = dispatcher ?? createInlineDispatcher({ workflows });
    this.#deps = { verifyRequest: () => true, urlKeys: URL_KEYS, ...deps };
  }

  readonly runDO: DurableObjectNamespaceLike<string> = {
    idFromName: (name) => name,
    get: (name) => ({ fetch: (request) => handleDurableObjectRequest(request, this.#objectDeps(name)) }),
  };

  #objectDeps(name: string): Parameters<typeof handleDurableObjectRequest>[1] {
    const storage = this.storages.get(name) ?? new FakeStorage();
    this.storages.set(name, storage);
    const { urlKeys } = this.#deps;
    return { storage, dispatcher: this.#dispatcher, runDO: this.runDO, urlKeys, ...this.#objectDepsMore };
  }

  fetch(path: string, init: RequestInit & { json?: unknown } = {}): Promise<Response> {
    const { json, ...rest } = init;
    const headers = new Headers(rest.headers);
    if (json !== undefined && !headers.has("Content-Type")) headers.set("Content-Type", "application/json");
    const given: RequestInit = json === undefined ? rest : { method: "POST", body: JSON.stringify(json), ...rest };
    const sent = typeof given.body === "string" && !isForm(headers) ? given.body : undefined;
    return this.handle(new Request(`https://flows.example${path}`, { ...given, headers }), sent);
  }

  /** `sent`: the JSON of the body. */
  async handle(request: Request, sent?: string): Promise<Response> {
    const { method, url } = request;
    const response = await handleWorkerRequest(request, { runDO: this.runDO, ...this.#deps });
    // An answer takes time on its way, so what a run does at once is done when the caller sends the next request.
    for (let turn = 0; turn < TURNS_OF_AN_ANSWER; turn++) await new Promise(nextTurn);
    await checkAnswer(new Request(url, { method }), response, sent);
    checkHeaders(response);
    return response;
  }

  /** Drops the memory of a run's object like an eviction. Its storage stays. */
  evict(runId: string): void {
    const { rows, alarmAt } = this.storageOf(runId);
    const fresh = new FakeStorage();
    fresh.rows = rows;
    fresh.alarmAt = alarmAt;
    this.storages.set(runId, fresh);
  }

  storageOf(runId: string): FakeStorage {
    const storage = this.storages.get(runId);
    if (storage === undefined) throw new Error(`assertion: nothing ever asked for ${runId}`);
    return storage;
  }

  alarm(runId: string): Promise<void> {
    this.storageOf(runId).alarmAt = null;
    return handleDurableObjectAlarm(this.#objectDeps(runId));
  }
}

function isForm(headers: Headers): boolean {
  return headers.get("Content-Type")?.startsWith("application/x-www-form-urlencoded") ?? false;
}

/** Returns a token of a caller that is long enough. */
export function tokenOf(name: string): string {
  return `${name}-token-of-a-test`;
}

/** Returns the status and body of an answer. */
export async function answerOf(response: Response): Promise<{ status: number; body: Record<string, unknown> }> {
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}
