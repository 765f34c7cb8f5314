/**
 * Counts the work of a run through each feature of flow control, in all objects of a world in memory: rows, commits and requests. The
 * index and the lists that only callers read are not part of it.
 *
 * counts.json has the expected counts under `flow`, and docs/design/scale.md what a million of them cost; `UPDATE_COUNTS=1` writes
 * the counts again.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { event, limit, schedule, workflow } from "@holdfast/workflows";
import { MemoryCoordinator, MemoryHost, MemoryStore, type TestWorld, testWorld } from "@holdfast/workflows/testing";
import { afterEach, expect, test, vi } from "vitest";
import { Network } from "../../packages/workflows/src/testing/memory-host/network.ts";

const FILE = new URL("../counts.json", import.meta.url);
const PAGE = new URL("../../docs/design/scale.md", import.meta.url);
/** The runs of each count, after as many that are not counted. */
const RUNS = 50;
/** The triggers of one run by debounce or batch. */
const TRIGGERS = 10;

/** What Cloudflare takes for a million rows written and for a million requests, $. */
const [ROWS_PRICE, REQUESTS_PRICE] = [1, 0.15];

interface Counts {
  /** Rows written and deleted, and alarms set: each is billed as a row. */
  readonly rows: number;
  readonly commits: number;
  /** Requests to objects and alarms that fire. */
  readonly requests: number;
}

/** `act` does the work of `RUNS` runs. `requested`: the requests to objects that callers cause for each run. */
type Feature = () => { readonly world: TestWorld; readonly act: () => Promise<void>; readonly requested: number };

const times = async (n: number, act: (n: number) => Promise<unknown>): Promise<void> => {
  for (let i = 0; i < n; i++) await act(i);
};

const paid = event<{ readonly id: number }>("paid", { key: ({ id }) => String(id) });
const plain = workflow({ id: "plain", run: async () => 1 });
const held = workflow({ id: "held", limits: [limit("all", { max: 1_000 }).hold("run")], run: async () => 1 });
const place = limit("places", { max: 1_000 });
const placed = workflow({ id: "placed", run: (_input, ctx) => ctx.step("one", { limit: place }, () => 1) });
const step = workflow({ id: "step", run: (_input, ctx) => ctx.step("one", () => 1) });
const rated = workflow({
  id: "rated",
  limits: [limit("rate", { rate: { limit: 1_000, per: "1s" } })],
  run: async () => 1,
});
const debounced = workflow({ id: "debounced", debounce: { wait: "1m" }, run: async () => 1 });
const batched = workflow({ id: "batched", batch: { max: TRIGGERS, wait: "1m" }, run: async () => 1 });
const hourly = schedule({ id: "hourly", cron: "0 * * * *", workflow: plain });
const triggered = workflow({ id: "triggered", on: [{ id: "paid", event: paid }], run: async () => 1 });
const signalled = workflow({ id: "signalled", run: (_input, ctx) => ctx.waitForSignal("go") });
let lastId = 0;
const waiting = workflow({ id: "waiting", run: (id: number, ctx) => ctx.waitForEvent(paid, { key: String(id) }) });

/** Each run is started by one trigger, a second after the one before. */
const startsOf =
  (one: typeof plain): Feature =>
  () => {
    const world = testWorld({ workflows: [one] });
    const start = async (): Promise<void> => {
      await world.start(one);
      await world.advance("1s");
    };
    return { world, act: () => times(RUNS, start), requested: 1 };
  };

const windowsOf =
  (one: typeof plain): Feature =>
  () => {
    const world = testWorld({ workflows: [one] });
    const collect = async (): Promise<void> => {
      await times(TRIGGERS, () => world.start(one, 1));
      await world.advance("1m");
    };
    // The object of the trigger's own id asks the window.
    return { world, act: () => times(RUNS, collect), requested: 2 * TRIGGERS };
  };

const FEATURES: Readonly<Record<string, Feature>> = {
  "a run": startsOf(plain),
  "a run with a limit": startsOf(held),
  "a run with a rate": startsOf(rated),
  "a run of one step": startsOf(step),
  "a run of one step with a limit": startsOf(placed),
  [`a debounce of ${TRIGGERS} triggers`]: windowsOf(debounced),
  [`a batch of ${TRIGGERS} triggers`]: windowsOf(batched),
  "a tick of a schedule": () => {
    const world = testWorld({ workflows: [plain], schedules: [hourly] });
    return { world, act: () => world.advance(`${RUNS}h`), requested: 0 };
  },
  "an event that starts a run": () => {
    const world = testWorld({ workflows: [triggered] });
    return { world, act: () => times(RUNS, () => world.sendEvent(paid, { id: (lastId += 1) })), requested: 1 };
  },
  "a wait for a signal": () => {
    const world = testWorld({ workflows: [signalled] });
    return { world, act: () => times(RUNS, async () => (await world.start(signalled)).signal("go")), requested: 2 };
  },
  "a wait for an event": () => {
    const world = testWorld({ workflows: [waiting] });
    const wait = async (): Promise<void> => {
      const id = (lastId += 1);
      await world.start(waiting, id);
      await world.sendEvent(paid, { id });
    };
    return { world, act: () => times(RUNS, wait), requested: 2 };
  },
};

afterEach(() => {
  vi.restoreAllMocks();
});

/** Counts the work of a run through a feature, when objects that all runs share exist already. */
async function count(feature: Feature): Promise<Counts> {
  const { world, act, requested } = feature();
  await act();
  const before = world.runs().length;
  const commit = vi.spyOn(MemoryStore.prototype, "commit");
  const alarms = [vi.spyOn(MemoryHost.prototype, "fireAlarm"), vi.spyOn(MemoryCoordinator.prototype, "fireAlarm")];
  const deliver = vi.spyOn(Network.prototype, "deliver");
  await act();
  expect(world.runs().length - before).toBe(RUNS);
  expect(world.runs().every(({ status }) => status === "completed")).toBe(true);
  const rows = commit.mock.calls.reduce(
    (sum, [{ puts, deletes, alarm }]) => sum + puts.size + deletes.size + (alarm === undefined ? 0 : 1),
    0,
  );
  const commits = commit.mock.calls.length;
  const fired = alarms.reduce((sum, { mock }) => sum + mock.calls.length, 0);
  const sent = deliver.mock.calls.length;
  vi.restoreAllMocks();
  const each = (all: number): number => Math.round((10 * all) / RUNS) / 10;
  return { rows: each(rows), commits: each(commits), requests: each(sent + fired + requested * RUNS) };
}

/** The row of the table of scale.md. */
function rowOf(title: string, { rows, commits, requests }: Counts): string {
  const dollars = rows * ROWS_PRICE + requests * REQUESTS_PRICE;
  return `| ${title} | ${rows} | ${commits} | ${requests} | $${dollars.toFixed(2)} |`;
}

type AllCounts = Readonly<Record<string, Counts>>;

test("REP6 a run through each feature has the counts of counts.json, and scale.md says what a million of them cost", async () => {
  const counts: Record<string, Counts> = {};
  for (const [title, feature] of Object.entries(FEATURES)) counts[title] = await count(feature);
  const stored = JSON.parse(readFileSync(FILE, "utf8")) as { readonly flow?: AllCounts };
  const rows = Object.entries(counts).map(([title, one]) => rowOf(title, one));
  console.log(rows.join("\n"));
  if (process.env["UPDATE_COUNTS"] !== undefined)
    writeFileSync(FILE, `${JSON.stringify({ ...stored, flow: counts }, null, 2)}\n`);
  else expect(counts).toEqual(stored.flow);
  const page = readFileSync(PAGE, "utf8").replaceAll(/ +\|/g, " |");
  for (const row of rows) expect(page).toContain(row);
});
