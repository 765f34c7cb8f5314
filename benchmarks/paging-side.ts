/**
 * `node paging-side.ts <pipe> <whole|paged> <inline|late> <steps> <characters>`: one replay of a long journal, in this process.
 *
 * Owns: the journal, which SQLite holds outside of the heap, and both sides of a pipe. It prints the time of the replay
 * and, if the process can collect garbage (`--expose-gc`), the largest heap of both sides after a collection.
 */
import { DatabaseSync } from "node:sqlite";
import { setTimeout as delay } from "node:timers/promises";
import { deserialize, serialize } from "node:v8";
import {
  JOURNAL_PREFIX,
  type ListOptions,
  RunHost,
  type RunStore,
  type WriteBatch,
  toTriggerInput,
} from "@holdfast/orchestrator";
import {
  type RpcBinding,
  type RpcCall,
  type RpcPort,
  type StepDispatcher,
  createHttpDispatcher,
  createInlineDispatcher,
  createServiceBindingDispatcher,
} from "@holdfast/orchestrator-cloudflare";
import { encodeValue, portOf } from "@holdfast/protocol";
import { workflow } from "@holdfast/workflows";
import { createStepHandler, workflowsEntrypoint } from "@holdfast/workflows/handler";

const [pipe = "inline", mode = "paged", written = "late", steps = "5000", chars = "8000"] = process.argv.slice(2);
const KEY = "a-key-that-both-sides-know";
const HEAP_EVERY_MS = 100;

const long = workflow({
  id: "long",
  run: async (_input, ctx) => {
    let total = 0;
    for (let n = 0; n < Number(steps); n++) {
      total += (await ctx.step("step", () => `${n}${"x".repeat(Number(chars))}`)).length;
    }
    await ctx.waitForSignal("go");
    return total;
  },
});

/** Rows as the storage of an object keeps them: serialized, outside of the heap. */
class SqliteStore implements RunStore {
  readonly #database = new DatabaseSync(":memory:");
  readonly #get;
  readonly #put;
  readonly #delete;

  constructor() {
    this.#database.exec("CREATE TABLE rows (key TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID");
    this.#get = this.#database.prepare("SELECT value FROM rows WHERE key = ?");
    this.#put = this.#database.prepare("INSERT OR REPLACE INTO rows VALUES (?, ?)");
    this.#delete = this.#database.prepare("DELETE FROM rows WHERE key = ?");
  }

  get(key: string): unknown {
    return read(this.#get.get(key));
  }

  *list(prefix: string, { after = prefix, limit = -1, reverse = false }: ListOptions = {}) {
    const rows = this.#database
      .prepare(`SELECT key, value FROM rows WHERE key > ? AND key < ? ORDER BY key ${reverse ? "DESC" : ""} LIMIT ?`)
      .iterate(after, `${prefix}~`, limit);
    for (const row of rows) yield [String(row["key"]), read(row)] as const;
  }

  commit({ puts, deletes }: WriteBatch): undefined {
    for (const [key, row] of puts) this.#put.run(key, serialize(row));
    for (const key of deletes) this.#delete.run(key);
  }

  /** Marks all outcomes as late, as if the run had executed over a pipe. */
  markLate(): void {
    const puts = new Map(
      [...this.list(JOURNAL_PREFIX)].map(([key, entry]) => [key, { ...Object(entry), quiet: true }]),
    );
    this.commit({ puts, deletes: new Set() });
  }
}

function read(row: Record<string, unknown> | undefined): unknown {
  return row === undefined ? undefined : deserialize(row["value"] as Uint8Array);
}

const inline = createInlineDispatcher({ workflows: [long] });

function dispatcherOf(name: string): StepDispatcher {
  if (name === "inline") return inline;
  if (name === "http") {
    const handler = createStepHandler({ workflows: [long], signingKeys: [KEY] });
    return createHttpDispatcher({ url: "https://steps.example", signingKey: KEY, fetch: handler });
  }
  if (name === "fetch") {
    const fetch = createStepHandler({ workflows: [long], signingKeys: "unsigned" });
    return createServiceBindingDispatcher({ binding: { fetch }, pipe: "fetch" });
  }
  const Service = workflowsEntrypoint(Object as unknown as abstract new () => object, { workflows: [long] });
  const service = new (class extends Service {})();
  // RPC copies what it passes.
  const binding: RpcBinding = {
    workflows: () => service.workflows(),
    execute: (start, call) => {
      const port = portOf(call);
      const copied: RpcPort = {
        ...port,
        readPage: async (after) => deserialize(serialize(await port.readPage(after))),
      };
      // A cast: each method of a port takes what its name says.
      const copying = ((method: keyof RpcPort, given: never) => copied[method](given)) as RpcCall;
      return service.execute(deserialize(serialize(start)), copying);
    },
  };
  return createServiceBindingDispatcher({ binding });
}

async function until(host: RunHost, status: string): Promise<void> {
  while (host.state.header?.status !== status) {
    if (host.state.header?.status === "paused") throw new Error(JSON.stringify(host.state.header.error));
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
}

function heap(): number {
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

let dispatcher: StepDispatcher = inline;

function hostOn(store: RunStore): RunHost {
  return new RunHost({
    store,
    clock: () => Date.now(),
    dispatcher: {
      start: (start, port) => dispatcher.start(start, port),
      readsPages: (...which) => mode === "paged" && (dispatcher.readsPages?.(...which) ?? false),
      workflows: () => [],
    },
  });
}

/** Executes the run until it waits, and drops it from memory. */
async function writeJournal(host: RunHost, store: SqliteStore): Promise<void> {
  const trigger = { runId: "r", workflowId: "long", input: encodeValue(null, "input"), tags: [], environment: "test" };
  host.handle(toTriggerInput({ ...trigger, triggeredBy: "api" }, "0".repeat(32)));
  await until(host, "waiting");
  if (written === "late") store.markLate();
  host.forget();
  // What the first execution leaves is collected in later turns.
  for (let turn = 0; turn < 3; turn++) {
    heap();
    await delay(10);
  }
}

/** Notes the largest heap. Collections take time, so a process measures either the heap or the time. */
function watchHeap(): () => number {
  const before = heap();
  let most = before;
  const sample = (): void => {
    most = Math.max(most, heap());
  };
  const sampling = globalThis.gc === undefined ? undefined : setInterval(sample, HEAP_EVERY_MS);
  return () => {
    clearInterval(sampling);
    return most - before;
  };
}

async function main(): Promise<void> {
  const store = new SqliteStore();
  const host = hostOn(store);
  await writeJournal(host, store);
  dispatcher = dispatcherOf(pipe);
  const heapEnds = watchHeap();
  const began = performance.now();
  const cpu = process.cpuUsage();
  host.handle({ type: "deliver", kind: "signal", name: "go", payload: encodeValue(null, "payload") });
  await until(host, "completed");
  const ms = performance.now() - began;
  const { user, system } = process.cpuUsage(cpu);
  const sample = { ms, cpuMs: (user + system) / 1_000, bytes: heapEnds() };
  if (process.send === undefined) console.log(sample);
  else process.send(sample, () => process.exit());
}

await main();
