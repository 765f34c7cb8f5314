/**
 * Counts the work of a fixed set of runs on each pipe: rows, commits, reads, alarms, messages and bytes.
 * A frame of a connection is a message. The counts do not depend on
 * the machine: a higher count is a regression, and a lower one should be recorded.
 *
 * benchmarks/counts.json has the expected counts; `UPDATE_COUNTS=1 pnpm test:node benchmarks` writes them again.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { type WorkflowContext, workflow } from "@holdfast/workflows";
import { expect, test } from "vitest";
import { Counter, PIPES } from "../../packages/orchestrator-cloudflare/test/counted-pipes.ts";
import { FakeDeployment } from "../../packages/orchestrator-cloudflare/test/fake-platform.ts";

const FILE = new URL("../counts.json", import.meta.url);
const RUN = "r";
/** The pipe is idle when this many polls have seen no message. */
const IDLE_POLLS = 12;
/** Messages between objects arrive in turns of their own, or in that of another write. */
const COMMITS_VARY: ReadonlySet<string> = new Set(["a child"]);
/** Counts are taken so often again before they are written. */
const UPDATES = 4;
/** Ids that contain random numbers may be one digit longer or shorter. */
const BYTES_OFF_MAX = 0.02;

const child = workflow({ id: "child", run: (input: number, ctx) => ctx.step("double", () => input * 2) });

const ten = Array.from({ length: 10 }, (_, i) => i);

/** A stack contains paths of this machine, so its size differs. */
function failure(message: string): Error {
  return Object.assign(new Error(message), { stack: `Error: ${message}` });
}

const RUNS: Readonly<Record<string, (ctx: WorkflowContext) => Promise<unknown>>> = {
  "10 steps in a row": async (ctx) => {
    for (const i of ten) await ctx.step("step", () => i);
  },
  "10 steps in parallel": (ctx) => ctx.parallel(ten, (i) => ctx.step(`step-${i}`, () => i)),
  "a wait for a signal": async (ctx) => {
    await ctx.step("before", () => 1);
    await ctx.waitForSignal("go");
    await ctx.step("after", () => 2);
  },
  "a child": (ctx) => ctx.invoke(child, 21),
  "a step that is tried again": (ctx) =>
    ctx.step("flaky", { retry: { max: 3, initial: "1h", backoff: "fixed" } }, ({ attempt }) => {
      if (attempt < 2) throw failure("not yet");
      return attempt;
    }),
  "two steps that are undone": async (ctx) => {
    for (const name of ["reserve", "charge"]) await ctx.step(name, { compensate: () => {} }, () => name);
    throw failure("no");
  },
};

const workflows = [
  child,
  ...Object.entries(RUNS).map(([title, run]) => workflow({ id: title, run: (_input, ctx) => run(ctx) })),
];

interface Counts {
  readonly rowsWritten: number;
  /** Turns of the event loop with writes: each is one sync of the disk. */
  readonly commits: number;
  readonly alarmsSet: number;
  readonly gets: number;
  readonly lists: number;
  readonly rowsListed: number;
  readonly messages: number;
  readonly bytes: number;
}

interface Header {
  readonly status: string;
  readonly waits: readonly { readonly kind: string }[];
  readonly retryAt?: number;
}

/** A deployment whose time advances only to the next retry. */
class CountedRun {
  readonly #counter = new Counter();
  readonly #api: FakeDeployment;
  #now = 1_800_000_000_000;
  #signalled = false;
  #seen = -1;
  #idlePolls = 0;

  constructor(pipe: string) {
    this.#api = new FakeDeployment([], {}, PIPES[pipe]?.(this.#counter, workflows), { clock: () => this.#now });
  }

  async run(title: string): Promise<Counts> {
    await this.#api.fetch("/api/runs", { json: { runId: RUN, workflowId: title } });
    await expect.poll(() => this.#isOver(), { timeout: 30_000, interval: 5 }).toBe(true);
    // Messages after the end are counted too.
    await expect.poll(() => this.#isIdle(), { timeout: 30_000, interval: 5 }).toBe(true);
    const storages = [...this.#api.storages.values()];
    const sum = (of: (storage: (typeof storages)[number]) => number): number =>
      storages.reduce((total, storage) => total + of(storage), 0);
    return {
      rowsWritten: sum((storage) => storage.writes),
      commits: sum((storage) => storage.commits),
      alarmsSet: sum((storage) => storage.alarmsSet),
      gets: sum((storage) => storage.reads.gets),
      lists: sum((storage) => storage.reads.lists),
      rowsListed: sum((storage) => storage.reads.rowsListed),
      messages: this.#counter.messages,
      bytes: this.#counter.bytes,
    };
  }

  /** Fires the retry or sends the signal for which the run waits. Reads the rows directly, so the reads are not counted. */
  async #isOver(): Promise<boolean> {
    const { status, waits, retryAt } = this.#api.storageOf(RUN).rows.get("record") as Header;
    if (status !== "waiting") return !["pending", "running"].includes(status);
    if (retryAt !== undefined && retryAt > this.#now) {
      this.#now = retryAt;
      await this.#api.alarm(RUN);
    } else if (waits.some(({ kind }) => kind === "SIGNAL") && !this.#signalled) {
      this.#signalled = true;
      await this.#api.fetch(`/api/runs/${RUN}/signals`, { json: { name: "go" } });
    }
    return false;
  }

  /** Whether no message has crossed the pipe during the last polls. */
  #isIdle(): boolean {
    this.#idlePolls = this.#counter.messages === this.#seen ? this.#idlePolls + 1 : 0;
    this.#seen = this.#counter.messages;
    return this.#idlePolls >= IDLE_POLLS;
  }
}

async function countAll(pipe: string): Promise<Record<string, Counts>> {
  const counts: Record<string, Counts> = {};
  for (const title of Object.keys(RUNS)) counts[title] = await new CountedRun(pipe).run(title);
  return counts;
}

function exactCounts(counts: Readonly<Record<string, Counts>>): unknown {
  return Object.entries(counts).map(([title, { bytes: _bytes, commits: _commits, ...rest }]) => [title, rest]);
}

/** Counts again, and returns the most commits of each run: turns of the event loop coincide now and then. */
async function withMostCommits(pipe: string, counts: Record<string, Counts>): Promise<Record<string, Counts>> {
  const most = { ...counts };
  for (let again = 0; again < UPDATES; again++) {
    for (const [title, { commits, ...rest }] of Object.entries(await countAll(pipe)))
      most[title] = { ...rest, commits: Math.max(commits, most[title]?.commits ?? 0) };
  }
  return most;
}

function readCounts(): Record<string, Record<string, Counts>> {
  return JSON.parse(readFileSync(FILE, "utf8")) as Record<string, Record<string, Counts>>;
}

test.each(Object.keys(PIPES))(
  "REP6 a fixed set of runs has the counts of counts.json: %s",
  { timeout: 180_000 },
  async (pipe) => {
    const counts = await countAll(pipe);
    if (process.env["UPDATE_COUNTS"] !== undefined) {
      const most = await withMostCommits(pipe, counts);
      writeFileSync(FILE, `${JSON.stringify({ ...readCounts(), [pipe]: most }, null, 2)}\n`);
    }
    const right = readCounts()[pipe] ?? {};
    expect(exactCounts(counts)).toEqual(exactCounts(right));
    for (const [title, { bytes, commits }] of Object.entries(counts)) {
      const { bytes: wanted = 0, commits: commitsMax = 0 } = right[title] ?? {};
      if (!COMMITS_VARY.has(title)) expect(commits, `${title}: commits`).toBeLessThanOrEqual(commitsMax);
      expect(Math.abs(bytes - wanted), `${title}: ${bytes} bytes, not ${wanted}`).toBeLessThanOrEqual(
        wanted * BYTES_OFF_MAX,
      );
    }
  },
);

const family = workflow({
  id: "family",
  run: (n: number, ctx) =>
    ctx.parallel(
      Array.from({ length: n }, (_, place) => place),
      (place) => ctx.invoke(child, place),
    ),
});

/** Returns the bytes and the rows that a parent writes for each of its children. */
async function costsOfChild(children: number): Promise<{ readonly bytes: number; readonly rows: number }> {
  const api = new FakeDeployment([family, child]);
  // A request to the object opens its storage.
  await api.fetch(`/api/runs/${RUN}`);
  const storage = api.storageOf(RUN);
  const { put } = storage.kv;
  let bytes = 0;
  storage.kv.put = (key, row) => {
    bytes += JSON.stringify(row).length;
    put(key, row);
  };
  await api.fetch("/api/runs", { json: { runId: RUN, workflowId: "family", input: children } });
  const status = (): unknown => (storage.rows.get("record") as Header).status;
  await expect.poll(status, { timeout: 60_000, interval: 20 }).toBe("completed");
  return { bytes: bytes / children, rows: storage.writes / children };
}

test(
  "REP6 a parent writes as many bytes for each of 900 children as for each of 100",
  { timeout: 240_000 },
  async () => {
    const [few, many] = [await costsOfChild(100), await costsOfChild(900)];
    console.log(`100 children: ${JSON.stringify(few)} each; 900 children: ${JSON.stringify(many)} each`);
    expect(many.bytes).toBeLessThanOrEqual(few.bytes * 1.1);
    expect(many.bytes).toBeLessThanOrEqual(5_000);
    expect(many.rows).toBeLessThanOrEqual(10);
  },
);
