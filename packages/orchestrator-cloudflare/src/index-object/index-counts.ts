/**
 * The numbers of the runs of several shards, perhaps of all tenants (OBS3).
 *
 * Owns: which shards are read, and the bounds on their number and on the time that they get. A shard that does not answer
 * is counted and left out: the numbers of the others are shown.
 */
import { HOST_LIMITS } from "@holdfast/protocol";
import type { ShardRef } from "./index-object.ts";
import { type IndexCounts, type RunCounts, sumOf } from "./run-counts.ts";

type Tenant = string | undefined;

/** The requests to the objects of the index. */
export interface CountSource {
  /** The tenants with runs, at most `metricsShards`, and the number of the others. */
  tenants(): Promise<{ readonly tenants: readonly string[]; readonly more: number }>;
  shards(tenantId: Tenant): Promise<readonly ShardRef[]>;
  counts(tenantId: Tenant, shard: ShardRef): Promise<RunCounts>;
}

/** @throws Error if no shard answers. */
export async function countRuns(source: CountSource, of: { readonly tenantId?: Tenant } | "all"): Promise<IndexCounts> {
  const readsMax = HOST_LIMITS.metricsShards;
  const { tenants, more }: { tenants: readonly Tenant[]; more: number } =
    of === "all" ? await withoutTenant(source) : { tenants: [of.tenantId], more: 0 };
  const lists = await allSettled(
    tenants.map(async (tenantId) => (await source.shards(tenantId)).map((shard) => ({ tenantId, shard }))),
  );
  // The newest runs change, so their shards are read first.
  const places = lists.done.flat().toSorted((a, b) => b.shard.bucket - a.shard.bucket);
  const reads = places.slice(0, readsMax).map(({ tenantId, shard }) => source.counts(tenantId, shard));
  const answers = await allSettled(reads);
  if (answers.done.length === 0 && lists.failed + answers.failed > 0) throw new Error("no shard of the index answered");
  const unread = more + lists.failed + (places.length - reads.length) + answers.failed;
  return { ...sumOf(answers.done), unread };
}

async function withoutTenant(source: CountSource): Promise<{ tenants: readonly Tenant[]; more: number }> {
  const { tenants, more } = await inTime(source.tenants());
  return { tenants: [undefined, ...tenants], more };
}

async function allSettled<T>(work: readonly Promise<T>[]): Promise<{ readonly done: T[]; readonly failed: number }> {
  const results = await Promise.allSettled(work.map(inTime));
  const done = results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  return { done, failed: results.length - done.length };
}

async function inTime<T>(work: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error("the index of runs is slow")), HOST_LIMITS.metricsWaitMs);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
