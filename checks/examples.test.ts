/**
 * Starts each example with the command of its README, executes the other commands of the README, and uses the example.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findFreePort } from "@holdfast/cli/free-port";
import { afterEach, expect, test, vi } from "vitest";
import { isExecuted, readPage, runPage } from "./pages/run-page.ts";
import { REPOSITORY, readFiles } from "./source-files.ts";

interface Answer {
  readonly status: string;
  readonly output?: unknown;
  readonly error?: { readonly code: string; readonly message: string };
}

interface Started {
  readonly child: ChildProcess;
  readonly folder: string;
  log: string;
}

const running = new Set<Started>();

afterEach(async () => {
  await Promise.all([...running].map((one) => stop(one, "SIGKILL")));
});

/** Stops the whole process group: wrangler starts workerd, and an example may start another process. */
async function stop(started: Started, signal: NodeJS.Signals): Promise<void> {
  const { child, folder } = started;
  running.delete(started);
  const closed = new Promise((resolve) => child.once("close", resolve));
  if (child.pid !== undefined) process.kill(-child.pid, signal);
  await closed;
  rmSync(folder, { recursive: true, force: true });
}

/** Starts the example with its command. Returns its address when it answers. */
async function start(example: string, env: Readonly<Record<string, string>> = {}): Promise<string> {
  const { scripts } = JSON.parse(readFileSync(join(REPOSITORY, "examples", example, "package.json"), "utf8")) as {
    scripts: { start: string };
  };
  return (await launch(example, scripts.start, env)).url;
}

async function launch(
  example: string,
  command: string,
  more: Readonly<Record<string, string>> = {},
  path = "/healthz",
): Promise<{ readonly url: string; readonly started: Started }> {
  const [port, inspectorPort, stepsPort] = [await findFreePort(), await findFreePort(), await findFreePort()];
  const folder = mkdtempSync(join(tmpdir(), "holdfast-example-"));
  const env = {
    ...process.env,
    PATH: `${join(REPOSITORY, "node_modules/.bin")}:${process.env["PATH"] ?? ""}`,
    STEPS_PORT: String(stepsPort),
    ACCOUNTS_FILE: join(folder, "accounts.sqlite"),
    CLOUDFLARE_CF_FETCH_ENABLED: "false",
    WRANGLER_SEND_METRICS: "false",
    CI: "1",
    ...more,
  };
  const child = spawn(
    "sh",
    ["-c", `${command} --port ${port} --inspector-port ${inspectorPort} --persist-to ${folder}`],
    {
      cwd: join(REPOSITORY, "examples", example),
      env,
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  const started: Started = { child, folder, log: "" };
  running.add(started);
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => (started.log += chunk.toString()));
  const url = `http://127.0.0.1:${port}`;
  await vi.waitFor(
    async () => {
      const answered = await fetch(url + path).then(
        ({ status }) => status < 500,
        () => false,
      );
      if (!answered) throw new Error(`${example} does not answer:\n${started.log.slice(-2_000)}`);
    },
    { timeout: 60_000, interval: 100 },
  );
  return { url, started };
}

async function run(
  url: string,
  workflowId: string,
  input: unknown,
  more: object = {},
  timeout = 20_000,
): Promise<Answer> {
  const response = await fetch(`${url}/api/runs`, {
    method: "POST",
    headers: { "Content-Type": "application/json", Prefer: "wait=1" },
    body: JSON.stringify({ workflowId, input, ...more }),
  });
  const { id, run: nested } = (await response.json()) as { id?: string; run?: { id: string } };
  const runId = id ?? nested?.id ?? "";
  return vi.waitFor(
    async () => {
      const answer = (await (await fetch(`${url}/api/runs/${runId}`)).json()) as Answer;
      if (/running|waiting|pending/.test(answer.status)) throw new Error(`still ${answer.status}`);
      return answer;
    },
    { timeout, interval: 50 },
  );
}

const PAGES = readFiles("examples/*/README.md").map(({ path }) => path);

/** What a test does with an example after the commands of its page. */
const FURTHER: Readonly<Record<string, (url: string) => Promise<void>>> = {
  "node-steps": transferMoney,
  "multi-tenant-dispatcher": runTenants,
};

test.each(PAGES.filter((page) => readPage(page).some(isExecuted)))(
  "every command of %s does what the page shows",
  { timeout: 90_000 },
  async (page) => {
    const example = page.split("/")[1] ?? "";
    const url = await start(example);
    expect(await runPage(page, url)).toEqual([]);
    await FURTHER[example]?.(url);
  },
);

test.each(["hono", "express"])(
  "examples/node-steps moves money in SQLite, and compensates a failed transfer: served with %s",
  { timeout: 90_000 },
  async (server) => {
    const url = await start("node-steps", { STEPS_SERVER: server });
    expect(await runPage("examples/node-steps/README.md", url)).toEqual([]);
    await transferMoney(url);
  },
);

/** The page has moved 2,500 cents from alice to bob. */
async function transferMoney(url: string): Promise<void> {
  expect(await run(url, "transfer", { from: "alice", to: "closed", cents: 1_000 })).toMatchObject({
    status: "compensated",
    error: { message: "the account is closed" },
  });
  expect(await run(url, "transfer", { from: "alice", to: "bob", cents: 500 })).toMatchObject({
    output: { from: 7_000, to: 3_000 },
  });
}

/** The page has run the code of the tenant acme. */
async function runTenants(url: string): Promise<void> {
  expect(await run(url, "hello", null, { tenantMeta: { tenant: "globex" } })).toMatchObject({
    output: "globex says hello",
  });
  expect(await run(url, "hello", null, { tenantMeta: { tenant: "unknown" } })).toMatchObject({
    status: "paused",
    error: {
      code: "DISPATCH_REFUSED",
      message: expect.stringContaining('The script "unknown" is not in the dispatch namespace.'),
    },
  });
}

test(
  "DUR4 the Worker with the workflows is deployed again while runs are in flight, and all of them complete",
  { timeout: 240_000 },
  async () => {
    const env = { WRANGLER_REGISTRY_PATH: mkdtempSync(join(tmpdir(), "holdfast-registry-")) };
    const deploy = async (version: number): Promise<Started> => {
      const command = `wrangler dev -c wrangler.workflows.jsonc --var VERSION:${version}`;
      return (await launch("two-workers", command, env, "/")).started;
    };
    const first = await deploy(1);
    const { url } = await launch("two-workers", "wrangler dev -c wrangler.jsonc --var AUTH:off", env);
    const runs = Array.from({ length: 20 }, (_none, i) =>
      run(url, "greeting", { name: `n${i}`, afterMs: i * 250 }, {}, 100_000),
    );
    // Now some runs have ended, some sleep, and some become due while no Worker serves them.
    await runs[4];
    await stop(first, "SIGTERM");
    await deploy(2);
    for (const [i, answer] of (await Promise.all(runs)).entries())
      expect(answer).toMatchObject({ status: "completed", output: [`Hello, n${i}.`, `Still there, n${i}?`] });
  },
);
