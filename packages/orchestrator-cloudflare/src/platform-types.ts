/**
 * The parts of the Cloudflare API that the adapter uses, as structural types.
 *
 * Owns: the boundary to the platform. The real types are assignable to these types (a type test proves it), and tests in
 * plain Node pass in-memory fakes. No public type depends on @cloudflare/workers-types.
 */

/** The synchronous key-value storage of an SQLite-backed Durable Object. */
export interface SyncKvStorageLike {
  get(key: string): unknown;
  put(key: string, value: unknown): void;
  delete(key: string): unknown;
  list(options?: SyncKvListOptions): Iterable<[string, unknown]>;
}

export interface SyncKvListOptions {
  prefix?: string;
  startAfter?: string;
  limit?: number;
  reverse?: boolean;
}

/** `ctx.storage` of an SQLite-backed Durable Object. */
export interface DurableObjectStorageLike {
  readonly kv: SyncKvStorageLike;
  transactionSync<T>(closure: () => T): T;
  getAlarm(): Promise<number | null>;
  setAlarm(scheduledTimeMs: number): Promise<void>;
  deleteAlarm(): Promise<void>;
  deleteAll(): Promise<void>;
  /** Resolves when all earlier writes are durable. Without it, no execution waits for its epoch (DUR10). */
  sync?(): Promise<void>;
}

/** The third argument of a Worker's `fetch`. */
export interface ExecutionContextLike {
  waitUntil(work: Promise<unknown>): void;
}

export interface DurableObjectStubLike {
  /** The method of the class that `holdfast` makes. A class of the deployer's own may lack it. */
  ask?(command: unknown): Promise<unknown>;
  fetch(request: Request): Promise<Response>;
}

/** A Durable Object binding. `Id` is the platform's type of object ids. */
export interface DurableObjectNamespaceLike<Id = unknown> {
  idFromName(name: string): Id;
  /** For the rebuild of the index, which addresses objects by the ids that the platform lists. */
  idFromString?(id: string): Id;
  get(id: Id): DurableObjectStubLike;
}

/** `ctx.storage.sql` of a Durable Object. */
export interface SqlStorageLike {
  exec(query: string, ...bindings: unknown[]): Iterable<Record<string, unknown>>;
}

/** A WebSocket that hibernates: it stays open while its object is out of memory. */
export interface HibernatingSocketLike {
  send(message: string): void;
  close(code?: number, reason?: string): void;
  serializeAttachment(value: unknown): void;
  deserializeAttachment(): unknown;
}

/** The methods of a Durable Object's `ctx` for sockets. */
export interface SocketHostLike {
  // oxlint-disable-next-line typescript/no-explicit-any -- the platform's own type is assignable to it
  acceptWebSocket(socket: any): void;
  getWebSockets(): HibernatingSocketLike[];
}

/** A rate-limiting binding. */
export interface RateLimitLike {
  limit(options: { key: string }): Promise<{ success: boolean }>;
}

/** The methods of an R2 bucket that large payloads need. */
export interface BucketLike {
  put(key: string, value: string): Promise<unknown>;
  get(key: string): Promise<{ text(): Promise<string> } | null>;
  delete(keys: string[]): Promise<void>;
}
