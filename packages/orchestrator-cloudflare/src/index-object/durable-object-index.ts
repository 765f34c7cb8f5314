/**
 * The index in Durable Objects, sharded by tenant and by time.
 *
 * Owns: the assignment of runs to shards, and the merge of the pages of several shards. A run uses no global object: the
 * shards of a tenant are found in a list of that tenant, which changes once per time range or full shard.
 */
import type { IndexRow } from "@holdfast/orchestrator";
import { HOST_LIMITS } from "@holdfast/protocol";
import * as v from "valibot";
import { FIELDS, checkOptions, count } from "../options.ts";
import type { DurableObjectNamespaceLike } from "../platform-types.ts";
import { type AsksPage, mergeAsks } from "./asks-table.ts";
import { countRuns } from "./index-counts.ts";
import type { UpsertResult, ShardPage } from "./index-shard.ts";
import type { IndexCommand, ShardRef } from "./index-object.ts";
import type { IndexCounts, RunCounts } from "./run-counts.ts";
import type { ApprovalPage, ApprovalQuery, Position, RunIndex, RunPage, RunQuery } from "./run-index.ts";
import { compareText } from "./text-order.ts";
import { UpsertBatches } from "./upsert-batches.ts";

export interface DurableObjectIndexOptions {
  /** The binding of the index's Durable Object class. */
  readonly binding: DurableObjectNamespaceLike;
  /** Runs per object. When an object is full, another one is started for the same time range. */
  readonly shardRowsMax?: number | undefined;
  /** The length of a time range whose runs share an object, ms. It must never change: stored rows would not be found. */
  readonly bucketMs?: number | undefined;
}

const BUCKET_MS = 30 * 86_400_000;
/** A row with its indexes takes about 700 bytes, so a full shard uses a tenth of the 10 GB limit of an object. */
const SHARD_ROWS_MAX = 1_000_000;
/** Time ranges that one page reads. */
const BUCKETS_PER_PAGE = 8;

const SEPARATOR = "\u0001";

const OPTIONS = v.strictObject({
  binding: FIELDS.namespace,
  shardRowsMax: v.optional(count),
  bucketMs: v.optional(count),
} satisfies Record<keyof DurableObjectIndexOptions, v.GenericSchema>);

/** @throws HoldfastError `INVALID_ARGUMENT` for invalid options (RUN7). */
export function durableObjectIndex(options: DurableObjectIndexOptions): RunIndex {
  checkOptions(OPTIONS, options, "durableObjectIndex");
  return new DurableObjectIndex(options);
}

/**
 * The keys of public URLs by binding. An index that has none yet is asked again after a while only: requests without
 * credentials cause the question. Not promises: on Workers a promise belongs to the request that made it.
 */
const urlKeys = new WeakMap<object, { readonly key: string | undefined; readonly at: number }>();
const NO_KEY_MS = 10_000;

class DurableObjectIndex implements RunIndex {
  readonly #batches: UpsertBatches;
  readonly #options: { readonly [K in keyof DurableObjectIndexOptions]-?: NonNullable<DurableObjectIndexOptions[K]> };

  constructor({ binding, shardRowsMax = SHARD_ROWS_MAX, bucketMs = BUCKET_MS }: DurableObjectIndexOptions) {
    this.#options = { binding, shardRowsMax, bucketMs };
    this.#batches = new UpsertBatches((rows) => this.#store(rows));
  }

  upsert(row: IndexRow): Promise<void> {
    const { tenantId = "", createdAt } = row;
    return this.#batches.upsert(`${this.#bucketOf(createdAt)}${SEPARATOR}${tenantId}`, row);
  }

  /** Stores rows of one tenant and one time range. */
  async #store(rows: readonly IndexRow[]): Promise<void> {
    const [first] = rows;
    if (first === undefined) return;
    const { tenantId, createdAt } = first;
    let left = rows;
    for (let split = 0; left.length > 0; split++) {
      const shard = { bucket: this.#bucketOf(createdAt), split };
      const results = await this.#upsertAll(tenantId, shard, left);
      if (results.includes("unlisted")) {
        await this.#send(tenantId, undefined, { command: "addShard", shard });
        if (tenantId !== undefined) await this.#send(undefined, undefined, { command: "addTenant", tenantId });
        await this.#send(tenantId, shard, { command: "listed" });
      }
      left = left.filter((_row, at) => results[at] === "full");
    }
  }

  async #upsertAll(
    tenantId: string | undefined,
    shard: ShardRef,
    rows: readonly IndexRow[],
  ): Promise<readonly UpsertResult[]> {
    const rowsMax = this.#options.shardRowsMax;
    const [row, ...more] = rows;
    // An object of an earlier version knows one row alone.
    if (row !== undefined && more.length === 0) {
      const command: IndexCommand = { command: "upsert", row, rowsMax };
      return [(await this.#send<{ result: UpsertResult }>(tenantId, shard, command)).result];
    }
    const command: IndexCommand = { command: "upsertAll", rows, rowsMax };
    return (await this.#send<{ results: readonly UpsertResult[] }>(tenantId, shard, command)).results;
  }

  async remove({ tenantId, id, createdAt }: Parameters<RunIndex["remove"]>[0]): Promise<void> {
    const bucket = this.#bucketOf(createdAt);
    const shards = await this.#shards(tenantId);
    // Always include the first shard: an update of the run may be in flight to a shard that is not listed yet.
    const splits = shards.filter((shard) => shard.bucket === bucket && shard.split > 0);
    const remove: IndexCommand = { command: "remove", id, createdAt };
    await Promise.all([{ bucket, split: 0 }, ...splits].map((shard) => this.#send(tenantId, shard, remove)));
  }

  async query(tenantId: string | undefined, query: RunQuery): Promise<RunPage> {
    const buckets = this.#bucketsFor(query, await this.#shards(tenantId));
    const runs: IndexRow[] = [];
    for (const [nth, shards] of buckets.entries()) {
      if (nth === BUCKETS_PER_PAGE) return { runs, next: this.#edgeOf(shards, query.order) };
      const wanted: RunQuery = { ...query, limit: query.limit - runs.length };
      const pages = await Promise.all(
        shards.map((shard) => this.#send<ShardPage>(tenantId, shard, { command: "query", query: wanted })),
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

  async approvals(tenantId: string | undefined, query: ApprovalQuery): Promise<ApprovalPage> {
    const shards = await this.#shards(tenantId);
    const newest = shards.toSorted((a, b) => b.bucket - a.bucket || b.split - a.split);
    const read = newest.slice(0, HOST_LIMITS.approvalShards);
    const pages = await Promise.all(
      read.map((shard) => this.#send<AsksPage>(tenantId, shard, { command: "asks", query })),
    );
    return mergeAsks(pages, query.limit);
  }

  counts(of: { readonly tenantId?: string | undefined } | "all"): Promise<IndexCounts> {
    const source = {
      tenants: () => this.#send<{ tenants: string[]; more: number }>(undefined, undefined, { command: "tenants" }),
      shards: (tenantId: string | undefined) => this.#shards(tenantId),
      counts: (tenantId: string | undefined, shard: ShardRef) =>
        this.#send<RunCounts>(tenantId, shard, { command: "counts" }),
    };
    return countRuns(source, of);
  }

  async urlKey(make: boolean): Promise<string | undefined> {
    const { binding } = this.#options;
    const known = urlKeys.get(binding);
    if (known?.key !== undefined || (!make && known !== undefined && Math.abs(Date.now() - known.at) < NO_KEY_MS))
      return known.key;
    const { key } = await this.#send<{ key?: string }>(undefined, undefined, { command: "urlKey", make });
    urlKeys.set(binding, { key, at: Date.now() });
    return key;
  }

  /** Returns the shards to read, grouped by time range, in the order of the query. */
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

  /** Returns the position from which the page after a page that stopped before this time range continues. */
  #edgeOf([shard]: readonly ShardRef[], order: RunQuery["order"]): Position {
    const { bucketMs } = this.#options;
    const start = (shard?.bucket ?? 0) * bucketMs;
    return order === "asc" ? { createdAt: start, id: "" } : { createdAt: start + bucketMs, id: "" };
  }

  #bucketOf(createdAt: number): number {
    return Math.floor(createdAt / this.#options.bucketMs);
  }

  async #shards(tenantId: string | undefined): Promise<readonly ShardRef[]> {
    return (await this.#send<{ shards: ShardRef[] }>(tenantId, undefined, { command: "shards" })).shards;
  }

  /** Sends a command to a shard, or to the tenant's list of shards if `shard` is `undefined`. */
  async #send<T>(tenantId: string | undefined, shard: ShardRef | undefined, command: IndexCommand): Promise<T> {
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
 * Merges the pages of shards with the same time range. If a shard stopped early, the page ends at that position: the
 * shard may have further runs between the later runs of other shards.
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

function compare(a: Position, b: Position): number {
  return a.createdAt - b.createdAt || compareText(a.id, b.id);
}
