/**
 * What the adapter needs of Cloudflare, as structural types.
 *
 * Owns: the platform's edge. The real types assign to these (a type test proves it), and plain-Node tests pass
 * in-memory fakes; nothing here or in the public types depends on @cloudflare/workers-types.
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
}

export interface DurableObjectStubLike {
  fetch(request: Request): Promise<Response>;
}

/** A Durable Object binding. `Id` is whatever the platform makes of a name. */
export interface DurableObjectNamespaceLike<Id = unknown> {
  idFromName(name: string): Id;
  /** For rebuilding the index: objects by the ids that the platform lists. */
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

/** `ctx` of a Durable Object, as far as its sockets go. */
export interface SocketHostLike {
  // oxlint-disable-next-line typescript/no-explicit-any -- the platform's own type assigns to it
  acceptWebSocket(socket: any): void;
  getWebSockets(): HibernatingSocketLike[];
}

/** An R2 bucket, as far as large payloads need it. */
export interface BucketLike {
  put(key: string, value: string): Promise<unknown>;
  get(key: string): Promise<{ text(): Promise<string> } | null>;
  delete(keys: string[]): Promise<void>;
}
