/**
 * The Durable Object of the index: a shard of a tenant's runs, or the list of a tenant's shards.
 *
 * Owns: the commands that `durableObjectIndex` sends, and the secret key of public URLs, which the list of the runs without
 * a tenant stores (SEC8). The object is reachable only through its binding.
 */
import type { IndexRow } from "@holdfast/orchestrator";
import { HOST_LIMITS } from "@holdfast/protocol";
import { randomHex } from "@holdfast/protocol/transport";
import * as v from "valibot";
import { Misconfigured, depsCheck, isFunction, withMethods } from "../options.ts";
import type { SqlStorageLike } from "../platform-types.ts";
import { IndexShard } from "./index-shard.ts";
import type { ApprovalQuery, RunQuery } from "./run-index.ts";

export type IndexCommand =
  | { readonly command: "upsert"; readonly row: IndexRow; readonly rowsMax: number }
  | { readonly command: "upsertAll"; readonly rows: readonly IndexRow[]; readonly rowsMax: number }
  | { readonly command: "remove"; readonly id: string; readonly createdAt: number }
  | { readonly command: "query"; readonly query: RunQuery }
  | { readonly command: "counts" }
  | { readonly command: "asks"; readonly query: ApprovalQuery }
  /** To a shard: the tenant's list contains it. */
  | { readonly command: "listed" }
  /** To the tenant's list. */
  | { readonly command: "addShard"; readonly shard: ShardRef }
  | { readonly command: "shards" }
  /** To the list of the runs without a tenant, which also lists the tenants. */
  | { readonly command: "addTenant"; readonly tenantId: string }
  | { readonly command: "tenants" }
  /** To the list of the runs without a tenant: returns the key of public URLs, and with `make` makes one if it has none. */
  | { readonly command: "urlKey"; readonly make: boolean };

/** A shard contains the runs of one time range. When it is full, a shard with the next `split` follows. */
export interface ShardRef {
  readonly bucket: number;
  readonly split: number;
}

export interface RunIndexObjectDeps {
  readonly storage: { readonly sql: SqlStorageLike };
  /** The id of the object. With it, the numbers of `/metrics` outlive an instance in the memory of the isolate. */
  readonly id?: string | undefined;
  /** For tests: the time, ms since the epoch. */
  readonly clock?: () => number;
}

const checkIndexDeps: (deps: RunIndexObjectDeps) => void = depsCheck(
  v.strictObject({
    storage: v.looseObject({ sql: withMethods<SqlStorageLike>("exec") }),
    id: v.optional(v.string()),
    clock: v.optional(isFunction),
  } satisfies Record<keyof RunIndexObjectDeps, v.GenericSchema>),
  "deps",
);

/** Handles commands of runs and of the Worker. Never throws. */
export async function handleRunIndexRequest(request: Request, deps: RunIndexObjectDeps): Promise<Response> {
  try {
    checkIndexDeps(deps);
    return Response.json(execute((await request.json()) as IndexCommand, deps));
  } catch (error) {
    if (error instanceof Misconfigured) return error.toResponse();
    console.error("holdfast: the index of runs failed", error);
    return Response.json({ error: "internal_error", message: "The index of runs failed." }, { status: 500 });
  }
}

function execute(command: IndexCommand, { storage: { sql }, id, clock = Date.now }: RunIndexObjectDeps): unknown {
  switch (command.command) {
    case "upsert":
      return { result: new IndexShard(sql, command.rowsMax, id).upsert(command.row, clock()) };
    case "upsertAll": {
      const shard = new IndexShard(sql, command.rowsMax, id);
      return { results: command.rows.map((row) => shard.upsert(row, clock())) };
    }
    case "remove":
      new IndexShard(sql, Infinity, id).remove(command.id, command.createdAt, clock());
      return {};
    case "query":
      return new IndexShard(sql, Infinity, id).query(command.query);
    case "counts":
      return new IndexShard(sql, Infinity, id).counts(clock());
    case "asks":
      return new IndexShard(sql, Infinity, id).asks(command.query);
    case "listed":
      new IndexShard(sql, Infinity, id).list();
      return {};
    case "addShard":
      openList(sql).exec("INSERT OR IGNORE INTO shards VALUES (?, ?)", command.shard.bucket, command.shard.split);
      return {};
    case "shards":
      return { shards: [...openList(sql).exec("SELECT bucket, split FROM shards ORDER BY bucket, split")] };
    case "addTenant":
      openTenants(sql).exec("INSERT OR IGNORE INTO tenants VALUES (?)", command.tenantId);
      return {};
    case "tenants":
      return listTenants(openTenants(sql));
    case "urlKey":
      return { key: urlKeyOf(sql, command.make) };
  }
}

function urlKeyOf(sql: SqlStorageLike, make: boolean): unknown {
  sql.exec("CREATE TABLE IF NOT EXISTS secrets (name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID");
  if (make) sql.exec("INSERT OR IGNORE INTO secrets VALUES ('url key', ?)", randomHex(32));
  const [row] = sql.exec("SELECT value FROM secrets WHERE name = 'url key'");
  return row?.["value"];
}

function openList(sql: SqlStorageLike): SqlStorageLike {
  sql.exec(
    "CREATE TABLE IF NOT EXISTS shards (bucket INTEGER, split INTEGER, PRIMARY KEY (bucket, split)) WITHOUT ROWID",
  );
  return sql;
}

function openTenants(sql: SqlStorageLike): SqlStorageLike {
  sql.exec("CREATE TABLE IF NOT EXISTS tenants (id TEXT PRIMARY KEY) WITHOUT ROWID");
  return sql;
}

function listTenants(sql: SqlStorageLike): { readonly tenants: readonly unknown[]; readonly more: number } {
  const tenants = [...sql.exec("SELECT id FROM tenants ORDER BY id LIMIT ?", HOST_LIMITS.metricsShards)];
  const [all] = sql.exec("SELECT COUNT(*) AS tenants FROM tenants");
  return { tenants: tenants.map(({ id }) => id), more: (all?.["tenants"] as number) - tenants.length };
}
