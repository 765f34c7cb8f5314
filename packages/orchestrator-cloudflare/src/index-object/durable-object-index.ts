/**
 * The index in Durable Objects, sharded by tenant and by time.
 *
 * Owns: which shard a run is in, and putting the pages of several shards together. Nothing global is on the path of a
 * run: shards of one tenant are found by a list that changes once in a stretch of time.
 */
import type { IndexRow } from "@holdfast/orchestrator";
import type { DurableObjectNamespaceLike } from "../platform-types.ts";
import type { UpsertResult, ShardPage } from "./index-shard.ts";
import type { IndexCommand, ShardRef } from "./index-object.ts";
import type { Position, RunIndex, RunPage, RunQuery } from "./run-index.ts";

export interface DurableObjectIndexOptions {
  /** The binding of the index's Durable Object class. */
  readonly binding: DurableObjectNamespaceLike;
  /** Runs that one object holds before another is begun. */
  readonly shardRowsMax?: number;
  /** The stretch of time whose runs share an object, ms. Never change it: rows would not be found again. */
  readonly bucketMs?: number;
}

const BUCKET_MS = 30 * 86_400_000;
/** About 700 bytes each with its indexes: a tenth of the 10 GB that an object holds. */
const SHARD_ROWS_MAX = 1_000_000;
/** Stretches of time that one page looks through. */
const BUCKETS_PER_PAGE = 8;

const SEPARATOR = "\u0001";

export function durableObjectIndex(options: DurableObjectIndexOptions): RunIndex {
  return new DurableObjectIndex(options);
}

class DurableObjectIndex implements RunIndex {
  readonly #options: Required<DurableObjectIndexOptions>;

  constructor({ binding, shardRowsMax = SHARD_ROWS_MAX, bucketMs = BUCKET_MS }: DurableObjectIndexOptions) {
    this.#options = { binding, shardRowsMax, bucketMs };
  }

  async upsert(row: IndexRow): Promise<void> {
    const { tenantId, createdAt } = row;
    for (let split = 0; ; split++) {
      const shard = { bucket: this.#bucketOf(createdAt), split };
      const rowsMax = this.#options.shardRowsMax;
      const { result } = await this.#ask<{ result: UpsertResult }>(tenantId, shard, {
        command: "upsert",
        row,
        rowsMax,
      });
      if (result === "full") continue;
      if (result === "unlisted") {
        await this.#ask(tenantId, undefined, { command: "addShard", shard });
        await this.#ask(tenantId, shard, { command: "listed" });
      }
      return;
    }
  }

  async remove({ tenantId, id, createdAt }: Parameters<RunIndex["remove"]>[0]): Promise<void> {
    const bucket = this.#bucketOf(createdAt);
    const shards = await this.#shards(tenantId);
    // The first one always: what the run told may be on its way to a shard that is not there yet.
    const splits = shards.filter((shard) => shard.bucket === bucket && shard.split > 0);
    const remove: IndexCommand = { command: "remove", id, createdAt };
    await Promise.all([{ bucket, split: 0 }, ...splits].map((shard) => this.#ask(tenantId, shard, remove)));
  }

  async query(tenantId: string | undefined, query: RunQuery): Promise<RunPage> {
    const buckets = this.#bucketsFor(query, await this.#shards(tenantId));
    const runs: IndexRow[] = [];
    for (const [nth, shards] of buckets.entries()) {
      if (nth === BUCKETS_PER_PAGE) return { runs, next: this.#edgeOf(shards, query.order) };
      const wanted: RunQuery = { ...query, limit: query.limit - runs.length };
      const pages = await Promise.all(
        shards.map((shard) => this.#ask<ShardPage>(tenantId, shard, { command: "query", query: wanted })),
      );
      const page = merge(pages, wanted);
      runs.push(...page.runs);
      if (page.next !== undefined) return { runs, next: page.next };
      if (runs.length === query.limit && nth < buckets.length - 1) {
        const last = runs.at(-1);
        return { runs, next: last && { createdAt: last.createdAt, id: last.id } };
      }
    }
    return { runs, next: undefined };
  }

  /** The shards to look through, those of one stretch of time together, in the order of the query. */
  #bucketsFor({ order, after, createdAfter, createdBefore }: RunQuery, shards: readonly ShardRef[]): ShardRef[][] {
    const [from, to] = order === "asc" ? [after?.createdAt, undefined] : [undefined, after?.createdAt];
    const first = this.#bucketOf(Math.max(createdAfter ?? 0, from ?? 0));
    const last = this.#bucketOf(Math.min(createdBefore ?? Number.MAX_SAFE_INTEGER, to ?? Number.MAX_SAFE_INTEGER));
    const groups = new Map<number, ShardRef[]>();
    for (const shard of shards) {
      if (shard.bucket < first || shard.bucket > last) continue;
      groups.set(shard.bucket, [...(groups.get(shard.bucket) ?? []), shard]);
    }
    const sorted = [...groups].toSorted(([a], [b]) => (order === "asc" ? a - b : b - a));
    return sorted.map(([, group]) => group);
  }

  /** Where a page goes on that stops before this stretch of time. */
  #edgeOf([shard]: readonly ShardRef[], order: RunQuery["order"]): Position {
    const { bucketMs } = this.#options;
    const start = (shard?.bucket ?? 0) * bucketMs;
    return order === "asc" ? { createdAt: start, id: "" } : { createdAt: start + bucketMs, id: "" };
  }

  #bucketOf(createdAt: number): number {
    return Math.floor(createdAt / this.#options.bucketMs);
  }

  async #shards(tenantId: string | undefined): Promise<readonly ShardRef[]> {
    return (await this.#ask<{ shards: ShardRef[] }>(tenantId, undefined, { command: "shards" })).shards;
  }

  /** Asks a shard, or the tenant's list of shards. */
  async #ask<T>(tenantId: string | undefined, shard: ShardRef | undefined, command: IndexCommand): Promise<T> {
    const { binding } = this.#options;
    const place = shard === undefined ? "shards" : `${shard.bucket}.${shard.split}`;
    const stub = binding.get(binding.idFromName(`${place}${SEPARATOR}${tenantId ?? ""}`));
    const request = new Request("https://index.internal/", { method: "POST", body: JSON.stringify(command) });
    const answer = await stub.fetch(request);
    if (!answer.ok) throw new Error(`the index of runs answered ${answer.status}`);
    return (await answer.json()) as T;
  }
}

/**
 * The pages of shards that hold the same stretch of time. Where one stopped early, nothing that lies behind can be
 * shown yet: it may have runs in between.
 */
export function merge(pages: readonly ShardPage[], { limit, order }: Pick<RunQuery, "limit" | "order">): RunPage {
  const before = (a: Position, b: Position): boolean => (order === "asc" ? compare(a, b) < 0 : compare(a, b) > 0);
  let edge: Position | undefined;
  for (const { stoppedAt } of pages) {
    if (stoppedAt !== undefined && (edge === undefined || before(stoppedAt, edge))) edge = stoppedAt;
  }
  const all = pages.flatMap(({ runs }) => runs).toSorted((a, b) => (before(a, b) ? -1 : 1));
  const shown = all.filter((run) => edge === undefined || !before(edge, run)).slice(0, limit);
  const last = shown.at(-1);
  if (shown.length < all.length && shown.length === limit && last !== undefined)
    return { runs: shown, next: { createdAt: last.createdAt, id: last.id } };
  return { runs: shown, next: edge };
}

/** As SQLite compares: text by its UTF-8 bytes. */
function compare(a: Position, b: Position): number {
  if (a.createdAt !== b.createdAt) return a.createdAt - b.createdAt;
  const [x, y] = [new TextEncoder().encode(a.id), new TextEncoder().encode(b.id)];
  for (let i = 0; i < Math.min(x.length, y.length); i++) {
    if (x[i] !== y[i]) return (x[i] as number) - (y[i] as number);
  }
  return x.length - y.length;
}
