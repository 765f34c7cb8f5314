/**
 * Builds the executable for self-hosting, runs it with storage on disk, and kills it repeatedly.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { type Server, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { text } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { kill, urlOf } from "./workerd-process.ts";

const REPOSITORY = join(import.meta.dirname, "../../..");
const FOLDER = join(import.meta.dirname, "..");
const TOKEN = "a-token-for-this-test";

interface Edge {
  readonly path: string;
  readonly at: number;
}

interface Run {
  readonly status: string;
  readonly output?: unknown;
  readonly steps: readonly { readonly name: string; readonly status: string }[];
}

/** The server to which step bodies report their starts and ends. So no request to a run is needed, which could wake it. */
let counter: Server;
let reported: Edge[];
let data: string;
let url: string;
let workerd: ChildProcess | undefined;

beforeAll(() => {
  const built = spawnSync(process.execPath, [join(FOLDER, "build.ts")], { encoding: "utf8", timeout: 55_000 });
  expect(built.status, built.stderr).toBe(0);
});

beforeEach(async () => {
  reported = [];
  counter = createServer((request, response) => {
    reported.push({ path: request.url ?? "", at: Date.now() });
    response.end();
  });
  await once(counter.listen(0, "127.0.0.1"), "listening");
  data = mkdtempSync(join(tmpdir(), "holdfast-self-host-"));
});

afterEach(async () => {
  await kill(workerd);
  counter.closeAllConnections();
  counter.close();
  rmSync(data, { recursive: true, force: true, maxRetries: 5 });
});

/** Starts the executable and resolves when it serves. It chooses a new port at each start. */
async function start(env: Readonly<Record<string, string>> = { API_TOKENS: TOKEN }): Promise<void> {
  workerd = launch(env);
  url = await urlOf(workerd);
}

/** Starts the script as an operator does. The script becomes workerd (exec), so the process is the same. */
function launch(env: Readonly<Record<string, string>>): ChildProcess {
  return spawn(join(FOLDER, "dist/start.sh"), ["--control-fd", "3"], {
    env: { ...env, PATH: process.env["PATH"] ?? "", HOLDFAST_DATA: data, HOLDFAST_ADDRESS: "127.0.0.1:0" },
    stdio: ["ignore", "ignore", "pipe", "pipe"],
  });
}

async function ask(path: string, body?: object): Promise<{ readonly status: number; readonly body: unknown }> {
  const response = await fetch(url + path, {
    headers: { Authorization: `Bearer ${TOKEN}`, "Content-Type": "application/json" },
    signal: AbortSignal.timeout(5_000),
    ...(body === undefined ? {} : { method: "POST", body: JSON.stringify(body) }),
  });
  return { status: response.status, body: await response.json() };
}

/** Repeats a request until it is acknowledged, even if workerd dies several times. */
async function sendUntilAccepted(path: string, body: object): Promise<void> {
  await vi.waitFor(async () => expect((await ask(path, body)).status).toBeLessThan(300), {
    timeout: 20_000,
    interval: 20,
  });
}

function trigger(runId: string, shippingMs: number, more: object = {}): Promise<void> {
  const counterUrl = `http://127.0.0.1:${(counter.address() as AddressInfo).port}/${runId}`;
  const input = { orderId: runId, cents: 100, counterUrl, shippingMs };
  return sendUntilAccepted("/api/runs", { workflowId: "order", runId, input, ...more });
}

function approve(runId: string): Promise<void> {
  return sendUntilAccepted(`/api/runs/${runId}/signals`, {
    name: "approval",
    payload: { ok: true },
    deliveryId: "approval",
  });
}

function reportedAt(path: string): number {
  return reported.find((edge) => edge.path === path)?.at ?? Number.NaN;
}

test("SEC8 guesses build no object, and the files of absent runs are removed at the next start, beside a run that waits", async () => {
  await start();
  await trigger("waits", 0, { delay: "1h" });
  const files = (): string[] =>
    readdirSync(join(data, "holdfast-runs")).filter((name) => /^[0-9a-f]{64}\.sqlite$/.test(name));
  const guess = `${"0".repeat(16)}/${"0".repeat(32)}/${"0".repeat(32)}`;
  for (let n = 0; n < 20; n++) expect((await ask(`/public/tokens/-/guess-${n}/${guess}`, {})).status).toBe(404);
  expect(files()).toHaveLength(1);
  for (let n = 0; n < 20; n++) expect((await ask(`/api/runs/absent-${n}`)).status).toBe(404);
  expect(files()).toHaveLength(21);
  await kill(workerd);
  await start();
  expect(files()).toHaveLength(1);
  expect((await ask("/api/runs/waits")).body).toMatchObject({ status: "pending" });
});

test("VER3 GATE9 what is deleted and what expires leaves no file after the next start", async () => {
  await start({ API_TOKENS: TOKEN, RETENTION: "1s" });
  const files = (): string[] =>
    ["holdfast-runs", "holdfast-coordinators"].flatMap((name) =>
      readdirSync(join(data, name)).filter((file) => /^[0-9a-f]{64}\.sqlite$/.test(file)),
    );
  for (const id of ["deleted", "expires"]) {
    await trigger(id, 0, { delay: "1h" });
    await ask(`/api/runs/${id}/terminate`, { reason: "a test" });
  }
  const schedule = { id: "deleted", workflow: "order", every: "1h", input: {} };
  expect((await ask("/api/schedules", schedule)).status).toBe(200);
  for (const path of ["/api/runs/deleted", "/api/schedules/deleted"])
    expect((await fetch(url + path, { method: "DELETE", headers: { Authorization: `Bearer ${TOKEN}` } })).ok).toBe(
      true,
    );
  await expect.poll(async () => (await ask("/api/runs/expires")).status, { timeout: 20_000 }).toBe(404);
  const before = files();
  await kill(workerd);
  await start();
  // The list of schedules stays.
  expect([before.length, files().length]).toEqual([4, 1]);
});

test("SEC1 every request is rejected without API_TOKENS, and a request without one of the tokens is rejected", async () => {
  await start({});
  expect(await ask("/api/workflows")).toMatchObject({ status: 503, body: { error: "auth_not_configured" } });
  expect((await fetch(`${url}/healthz`)).status).toBe(200);
  await kill(workerd);
  await start({ API_TOKENS: "another-token-of-a-caller" });
  expect(await ask("/api/workflows")).toMatchObject({ status: 401, body: { error: "unauthorized" } });
});

test("DUR1 every acknowledged order completes and journals each step once, although workerd is killed six times", async () => {
  await start();
  const ids = Array.from({ length: 12 }, (_none, i) => `order-${i}`);
  const orders = Promise.all(
    ids.map(async (id, i) => {
      await delay(i * 200);
      await trigger(id, 150);
      await delay(300);
      await approve(id);
    }),
  );
  for (let i = 0; i < 6; i++) {
    await delay(450);
    await kill(workerd);
    await start();
  }
  await orders;
  await expect
    .poll(
      async () =>
        new Set(await Promise.all(ids.map(async (id) => ((await ask(`/api/runs/${id}`)).body as Run).status))),
      {
        timeout: 30_000,
        interval: 100,
      },
    )
    .toEqual(new Set(["completed"]));
  for (const id of ids) {
    const { entries } = (await ask(`/api/runs/${id}/journal`)).body as {
      entries: { type: string; operation: { name: string } }[];
    };
    const done = entries.filter(({ type }) => type === "step.completed").map(({ operation }) => operation.name);
    expect(done).toEqual(["reserve", "charge", "ship"]);
    // A body may have run several times, but only if a kill preceded the commit of its outcome.
    for (const step of done) expect(reported.some(({ path }) => path === `/${id}/${step}/end`)).toBe(true);
  }
}, 180_000);

/** Less than until a list or a watchdog would wake a run. */
const LATE_MS = 15_000;

test("DUR5 after a kill and a restart, alarms wake the runs without any request", async () => {
  await start();
  const before = Date.now();
  await trigger("later", 0, { delay: 8_000 });
  await trigger("overdue", 0, { delay: 4_000 });
  await trigger("executing", 1_500);
  await approve("executing");
  await expect.poll(() => reportedAt("/executing/ship/start")).toBeGreaterThan(0);
  await kill(workerd);
  // It is overdue when the process starts again.
  await delay(Math.max(0, before + 4_500 - Date.now()));
  const restarted = Date.now();
  await start();
  const ends = ["/overdue/charge/end", "/later/charge/end", "/executing/ship/end"];
  await expect.poll(() => ends.every((path) => reportedAt(path) > 0), { timeout: 30_000, interval: 20 }).toBe(true);
  const [overdue, late] = [
    reportedAt("/overdue/reserve/start") - restarted,
    reportedAt("/later/reserve/start") - before - 8_000,
  ];
  const resumed = reported.filter(({ path }) => path === "/executing/ship/start").map(({ at }) => at - before);
  console.log(
    `overdue run: ${overdue} ms after the restart; sleeping run: ${late} ms late; interrupted step: started at ${resumed.join(" and ")} ms`,
  );
  expect(overdue).toBeGreaterThanOrEqual(0);
  expect(overdue).toBeLessThan(LATE_MS);
  expect(late).toBeGreaterThanOrEqual(0);
  expect(late).toBeLessThan(LATE_MS);
  expect(resumed).toHaveLength(2);
}, 180_000);

test("OBS3 /metrics shows what all objects of the process did, and its counters start again with the process", async () => {
  await start();
  const metrics = async (): Promise<string> => {
    const answer = await fetch(`${url}/metrics`, { headers: { Authorization: `Bearer ${TOKEN}` } });
    expect(answer.status).toBe(200);
    return answer.text();
  };
  await Promise.all(["a", "b"].map((id) => trigger(id, 0).then(() => approve(id))));
  expect((await fetch(`${url}/api/runs`)).status).toBe(401);
  await expect.poll(metrics, { timeout: 30_000 }).toMatch(/^holdfast_steps_total\{outcome="completed"\} 6$/m);
  expect(await metrics()).toMatch(/^holdfast_rejected_requests_total\{status="401"\} 1$/m);
  await kill(workerd);
  await start();
  expect(await metrics()).toMatch(/^holdfast_runs\{workflow="order",status="completed"\} 2$/m);
  expect(await metrics()).not.toContain("holdfast_steps_total{");
});

test.skipIf(spawnSync("flock", ["--version"]).status !== 0)(
  "a second process on the same folder exits with a message, also if the lock of the first was deleted",
  async () => {
    await start();
    const second = launch({});
    const stderr = text(second.stderr as NodeJS.ReadableStream);
    expect(await once(second, "exit")).toEqual([1, null]);
    expect(JSON.parse(await stderr)).toMatchObject({
      level: "error",
      message: `holdfast: another process uses ${data}. Stop it: its lock ends with it.`,
    });
    rmSync(join(data, ".lock"));
    const third = launch({});
    const reason = text(third.stderr as NodeJS.ReadableStream);
    expect(await once(third, "exit")).toEqual([1, null]);
    expect(await reason).toContain("although its file .lock is gone");
  },
);

test.skipIf(spawnSync("sqlite3", ["--version"]).status !== 0)(
  "DUR13 start.sh refuses to start with too few open files for the runs that are due, and names the number",
  async () => {
    mkdirSync(join(data, "holdfast-runs"));
    const alarms = new DatabaseSync(join(data, "holdfast-runs/metadata.sqlite"));
    alarms.exec("create table _cf_ALARM (actor_id text primary key, scheduled_time integer, actor_name text)");
    const insert = alarms.prepare("insert into _cf_ALARM values (?, ?, '')");
    for (let run = 0; run < 500; run++) insert.run(`due ${run}`, BigInt(Date.now() - 1_000) * 1_000_000n);
    for (let run = 0; run < 500; run++) insert.run(`later ${run}`, BigInt(Date.now() + 3_600_000) * 1_000_000n);
    alarms.close();
    const few = spawn("sh", ["-c", `ulimit -n 3000; exec ${join(FOLDER, "dist/start.sh")}`], {
      env: { PATH: process.env["PATH"] ?? "", HOLDFAST_DATA: data, HOLDFAST_ADDRESS: "127.0.0.1:0" },
      stdio: ["ignore", "ignore", "pipe"],
    });
    const stderr = text(few.stderr);
    expect(await once(few, "exit")).toEqual([1, null]);
    expect(await stderr).toContain("500 alarms are due, which needs 3500 open files, and the limit is 3000.");
  },
);

test("SEC9 the log names each variable that is wrong at the start, before anyone asks", async () => {
  const wrong = {
    API_TOKENS: TOKEN,
    RETENTION: "a month",
    OTLP_URL: "collector:4318",
    HOLDFAST_ADDRESS: "127.0.0.1:0",
  };
  workerd = spawn(join(FOLDER, "dist/start.sh"), {
    env: { ...wrong, PATH: process.env["PATH"] ?? "", HOLDFAST_DATA: data },
    stdio: ["ignore", "pipe", "ignore"],
  });
  let log = "";
  workerd.stdout?.on("data", (part: Buffer) => (log += part.toString()));
  await vi.waitFor(() => expect(log).toContain("misconfigured"));
  const [started, problem] = log.split("\n").map((line) => JSON.parse(line || "{}") as Record<string, string>);
  expect(started).toMatchObject({ level: "info", message: "Holdfast starts" });
  expect(problem).toMatchObject({ level: "error", message: expect.stringMatching(/RETENTION: .*OTLP_URL: /) });
  expect(log).not.toContain("a month");
});

test("the executable has the same compatibility date as the Worker that is deployed to Cloudflare", () => {
  const capnp = readFileSync(join(FOLDER, "config.capnp"), "utf8");
  const wrangler = readFileSync(join(REPOSITORY, "apps/orchestrator-worker/wrangler.jsonc"), "utf8");
  const date = /"compatibility_date": "([\d-]+)"/.exec(wrangler)?.[1];
  expect(date).toBeDefined();
  expect(capnp).toContain(`compatibilityDate = "${date}"`);
  expect(capnp).toContain('uniqueKey = "holdfast-runs"');
});
