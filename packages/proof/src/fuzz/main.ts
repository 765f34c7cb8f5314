/**
 * `pnpm fuzz --requests N --seed S`: sends hostile requests to the real Worker on a local workerd with storage on disk.
 *
 * Owns: the concurrent sending, and the verdict: no answer is a 5xx, every refusal has a code and a message, no changed, used
 * or expired ticket opens a stream, guesses of public URLs change no row and make no file, and the audit of each target run
 * contains the accepted changes.
 */
import { fileURLToPath } from "node:url";
import { readArguments } from "@holdfast/local-runtime/arguments";
import * as fc from "fast-check";
import { startLocalRuntime } from "@holdfast/local-runtime";
import { type HostileRequest, hostileRequest } from "./hostile-requests.ts";
import { hostileTicket, inQuery } from "./hostile-tickets.ts";
import { hostileTokenUrl } from "./hostile-urls.ts";
import { type Stored, measure } from "./measure.ts";

const { values } = readArguments({
  options: {
    requests: { type: "string", default: "100000" },
    seed: { type: "string", default: String(Date.now() % 1_000_000_000) },
  },
});
const [total, seed] = [Number(values.requests), Number(values.seed)];

const CANARIES = Array.from({ length: 200 }, (_none, i) => `canary-${i}`);
const CONCURRENT = 40;
/** Paths of requests that change a run and are recorded in its audit. */
const RECORDED = /^\/api\/runs\/(canary-\d+)\/(events|signals|tokens\/t|cancel|pause|unpause|retry)$/;

const counts = new Map<string, number>();
const accepted = new Map<string, number>();
const findings: string[] = [];
/** A ticket that is not used before it has expired. */
let unused: Issued | undefined;

const runtime = await startLocalRuntime(fileURLToPath(new URL("wrangler.jsonc", import.meta.url)));
try {
  const started = performance.now();
  for (const runId of CANARIES)
    await post("/api/runs", { runId, workflowId: "order", input: { orderId: runId, cents: 1 } });
  const urls = await Promise.all(CANARIES.map(urlOf));
  const before = measure(runtime);
  for (let sent = 0; sent < total;) {
    const some = fc.sample(hostileRequest(CANARIES, urls), {
      seed: seed + sent,
      numRuns: Math.min(total - sent, 1_000),
    });
    for (let at = 0; at < some.length; at += CONCURRENT) await Promise.all(some.slice(at, at + CONCURRENT).map(send));
    sent += some.length;
    await checkTickets(seed + sent);
    progress(sent);
  }
  for (const runId of CANARIES) await checkCanary(runId);
  const after = measure(runtime);
  const guessed = await checkGuesses(urls);
  progress(total);
  reportStored({ before, after, "after the guesses": guessed });
  report(performance.now() - started);
} finally {
  await runtime.dispose();
}
process.exitCode = findings.length === 0 ? 0 : 1;

async function send({ method, path, headers: all, body }: HostileRequest): Promise<void> {
  // fetch sends no request with this header.
  const { Upgrade: _upgrade, ...headers } = all;
  const what = `${method} ${path}`;
  let response: Response;
  try {
    const init = { method, headers, ...(body === undefined ? {} : { body: body as BodyInit }) };
    response = await fetch(runtime.url + path, { ...init, signal: AbortSignal.timeout(30_000) });
  } catch (error) {
    const { cause, message } = error as Error;
    // fetch rejects some requests before it sends them.
    if (!/ECONN|socket|other side|timeout/i.test(`${message} ${String(cause)}`)) return count("not sent");
    findings.push(`${what}: ${message} ${String(cause)}`);
    return;
  }
  count(`${response.status}`);
  if (response.headers.get("Content-Type") === "text/event-stream") return response.body?.cancel();
  const text = await response.text();
  // 501: a feature that this deployment does not have.
  if (response.status >= 500 && response.status !== 501) findings.push(`${what} answered ${response.status}: ${text}`);
  // A page refuses a form, or a click on a public token's link.
  if (response.status >= 400 && method !== "HEAD" && !/^(?:<!doctype html>|\{"error":"\w+","message":")/.test(text))
    findings.push(`${what} was rejected without a code: ${response.status} ${text.slice(0, 200)}`);
  const [, runId] = RECORDED.exec(new URL(runtime.url + path).pathname) ?? [];
  if (runId === undefined || method !== "POST" || response.status !== 202 || text.includes('"delivery":"duplicate"'))
    return;
  accepted.set(runId, (accepted.get(runId) ?? 0) + 1);
}

/** Returns the path of the public token of a run, when the run waits for it. */
async function urlOf(runId: string): Promise<string> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const answer = await fetch(`${runtime.url}/api/runs/${runId}`);
    const { metadata, status } = (await answer.json()) as { metadata: { url?: string }; status: string };
    if (metadata.url !== undefined && status === "waiting") return metadata.url;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`${runId} shows no URL of its token`);
}

/** Sends a tenth as many guesses of public URLs, which may write nothing. The valid forms of a URL are only read. */
async function checkGuesses(urls: readonly string[]): Promise<Stored> {
  const before = measure(runtime);
  const guesses = fc.sample(hostileTokenUrl(urls), { seed, numRuns: Math.ceil(total / 10) });
  for (let at = 0; at < guesses.length; at += CONCURRENT) {
    const some = guesses.slice(at, at + CONCURRENT).filter((path) => path.startsWith("/public/"));
    await Promise.all(some.map((path) => send({ method: "GET", path, headers: {}, body: undefined })));
  }
  const after = measure(runtime);
  if (after.rows !== before.rows || after.files !== before.files)
    findings.push(`guesses changed ${JSON.stringify(before)} to ${JSON.stringify(after)}`);
  return after;
}

function reportStored(moments: Readonly<Record<string, Stored>>): void {
  for (const [moment, { files, rows, memory }] of Object.entries(moments))
    console.log(`\n  ${moment}: ${files} files, ${rows} rows, ${Math.round(memory / 2 ** 20)} MiB of memory`);
}

interface Issued {
  readonly path: string;
  readonly ticket: string;
  readonly expiresAt: number;
}

async function issue(runId: string): Promise<Issued> {
  const path = `/api/runs/${runId}/stream`;
  const answer = await post("/api/tickets", { path });
  return { path, ...((await answer.json()) as Omit<Issued, "path">) };
}

/** Sends changed tickets, one ticket twice, one for another path, and one that has expired. */
async function checkTickets(batch: number): Promise<void> {
  const [one, other] = [await issue("canary-0"), await issue("canary-1")];
  const changed = fc.sample(hostileTicket([one.ticket, other.ticket]), { seed: batch, numRuns: 100 });
  for (let at = 0; at < changed.length; at += CONCURRENT) {
    const some = changed.slice(at, at + CONCURRENT);
    await Promise.all(some.map((ticket) => expectStatus(401, one.path, ticket)));
  }
  await expectStatus(401, other.path, one.ticket);
  // A request of the suite may have deleted the run.
  const exists = (await fetch(`${runtime.url}/api/runs/canary-0`)).status === 200;
  if (exists) for (const status of [200, 401]) await expectStatus(status, one.path, one.ticket);
  unused ??= other;
  if (Date.now() <= unused.expiresAt) return;
  await expectStatus(401, unused.path, unused.ticket);
  count("expired tickets");
  unused = undefined;
}

async function expectStatus(status: number, path: string, ticket: string): Promise<void> {
  const response = await fetch(`${runtime.url}${path}?ticket=${inQuery(ticket)}`);
  count(`tickets ${response.status}`);
  await response.body?.cancel();
  if (response.status !== status) findings.push(`the ticket ${ticket} for ${path} answered ${response.status}`);
}

/**
 * Checks that the run's audit has at least the accepted changes. It has more if bulk requests changed the run, and these
 * runs are counted separately.
 */
async function checkCanary(runId: string): Promise<void> {
  const response = await fetch(`${runtime.url}/api/runs/${runId}/audit`);
  // A request may have deleted the run.
  if (response.status === 404) return count("canaries deleted");
  const { entries } = (await response.json()) as { entries: { action: string; by: string }[] };
  const recorded = entries.filter(({ action }) => action !== "trigger" && action !== "noteResumed").length;
  if (recorded < Math.min(accepted.get(runId) ?? 0, 1_000))
    findings.push(`${runId}: ${accepted.get(runId)} accepted, ${recorded} recorded`);
  count(recorded === (accepted.get(runId) ?? 0) ? "canaries exact" : "canaries with bulk changes");
}

async function post(path: string, body: unknown): Promise<Response> {
  const init = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  const response = await fetch(runtime.url + path, init);
  if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
  return response;
}

function count(what: string): void {
  counts.set(what, (counts.get(what) ?? 0) + 1);
}

function progress(sent: number): void {
  if (process.stdout.isTTY) process.stdout.write(`\r  ${sent} of ${total} requests, ${findings.length} findings `);
}

function report(ms: number): void {
  console.log(
    `\n  ${total} requests in ${Math.round(ms / 1_000)} s; repeat with: pnpm fuzz --requests ${total} --seed ${seed}\n`,
  );
  for (const [what, times] of [...counts].toSorted(([a], [b]) => a.localeCompare(b)))
    console.log(`    ${what.padEnd(28)} ${times}`);
  for (const finding of findings.slice(0, 20)) console.log(`  ${finding}`);
  console.log(
    findings.length === 0
      ? "\n  No 5xx, and the audit of each run contains the accepted changes."
      : `\n  ${findings.length} findings`,
  );
}
