/**
 * `pnpm conformance --url U --key K`: checks a step handler against PROTOCOL.md.
 *
 * Owns: the checks of single requests, and the run of the catalogue. The handler must serve the catalogue's workflows:
 * in JavaScript by `workflowsOf(makeCatalogue(…))`, in another language by workflows that are written after them.
 */
import { randomUUID } from "node:crypto";
import { parseArgs } from "node:util";
import { createHttpDispatcher } from "@holdfast/orchestrator-cloudflare";
import { ENCODED_UNDEFINED, PROTOCOL_VERSION } from "@holdfast/protocol";
import { AUDIENCE_HEADER, SIGNATURE_HEADER, signRequest } from "@holdfast/protocol/transport";
import {
  type CatalogueEntry,
  differences,
  journalDifferences,
  makeCatalogue,
  openClockHost,
  runEntry,
  slugOf,
} from "../catalogue/index.ts";
import { paint } from "@holdfast/local-runtime/terminal";

const HELP = `
  pnpm conformance --url U --key K          Runs every check against the step handler at U.
  pnpm conformance --url U --key K --only T Runs only workflows whose title contains T.
  pnpm conformance … --audience A           Signs requests for the audience A. Default: U.

  The handler must serve the workflows of packages/proof/src/catalogue, under the ids that this command prints.
  Exits with 0 if every check passes, otherwise with 1.
`;

interface Target {
  readonly url: string;
  readonly key: string;
  readonly audience: string;
}

async function main(target: Target, wanted: string): Promise<void> {
  let failed = 0;
  const check = async (title: string, body: () => Promise<string[]>): Promise<void> => {
    const problems = await body().catch((error: Error) => [error.message]);
    if (problems.length > 0) failed += 1;
    console.log(`  ${problems.length === 0 ? paint("green", "✓") : paint("red", "✗")} ${title}`);
    for (const problem of problems) console.log(`      ${problem}`);
  };
  console.log(`\n  ${paint("bold", "Requests")}`);
  for (const [title, body] of Object.entries(REQUESTS)) await check(title, () => body(target));
  console.log(`\n  ${paint("bold", "Workflows")}`);
  const entries = makeCatalogue({ sleep: () => Promise.resolve() }).filter(({ title }) => title.includes(wanted));
  for (const entry of entries)
    await check(`${entry.title}  ${paint("dim", slugOf(entry))}`, () => runOn(target, entry));
  console.log(
    failed === 0 ? `\n  ${paint(["green", "bold"], "The step handler conforms.")}\n` : `\n  ${failed} checks failed.\n`,
  );
  process.exitCode = failed === 0 ? 0 : 1;
}

async function runOn({ url: address, key: signingKey, audience }: Target, entry: CatalogueEntry): Promise<string[]> {
  const host = openClockHost(createHttpDispatcher({ url: address, signingKey, audience }));
  try {
    const result = await runEntry(host, entry, `conformance-${randomUUID()}`);
    return [...differences([entry.outcome], result), ...journalDifferences(entry, result)];
  } finally {
    await host.close();
  }
}

/** Checks of single requests, by title. Each returns its findings. */
const REQUESTS: Record<string, (target: Target) => Promise<string[]>> = {
  "GET /workflows lists the served workflows": async (target) => {
    const { status, body } = await ask(target, "workflows", undefined);
    const { protocol, workflows } = body as { readonly protocol?: unknown; readonly workflows?: unknown };
    return expectAll([status, 200], [protocol, PROTOCOL_VERSION], [Array.isArray(workflows), true]);
  },
  "SEC3 a request without a signature is rejected": async (target) => {
    const response = await fetch(`${target.url}/turn`, { method: "POST", body: "{}" });
    return expectAll([response.status, 401]);
  },
  "SEC3 a request with another key is rejected": async (target) =>
    expectAll([(await ask({ ...target, key: "another-key-altogether" }, "turn", turn({}))).status, 401]),
  "SEC3 a request for another audience is rejected": async (target) =>
    expectAll([(await ask({ ...target, audience: `${target.audience}/another` }, "turn", turn({}))).status, 401]),
  "SEC3 a request whose audience is not the signed one is rejected": async (target) =>
    expectAll([(await ask(target, "turn", turn({}), { named: `${target.audience}/another` })).status, 401]),
  "SEC3 an old signature is rejected": async (target) =>
    expectAll([(await ask(target, "turn", turn({}), { at: Date.now() - 600_000 })).status, 425]),
  "SEC3 a repeated request is rejected": async (target) => {
    const again = { nonce: randomUUID(), at: Date.now() };
    const body = turn({});
    const [first, second] = [await ask(target, "turn", body, again), await ask(target, "turn", body, again)];
    return expectAll([first.status, 200], [second.status, 425]);
  },
  "LIM2 a body that is not a valid turn is rejected": async (target) =>
    expectAll([(await ask(target, "turn", "{}")).status, 400]),
  "a session that was never started is unknown": async (target) => {
    const { status, body } = await ask(target, "turn", turn({}));
    return expectAll([status, 200], [(body as { type?: unknown }).type, "unknown_session"]);
  },
  "a workflow that is not served is reported with its code": async (target) => {
    const { body } = await ask(target, "turn", turn({ start: startOf("no such workflow") }));
    const { type, error } = body as { readonly type?: unknown; readonly error?: { readonly code?: unknown } };
    return expectAll([type, "lost"], [error?.code, "WORKFLOW_NOT_FOUND"]);
  },
  "VER2 another version of the protocol is reported with its code": async (target) => {
    const start = { ...startOf(firstWorkflow()), protocol: 99 };
    const { body } = await ask(target, "turn", turn({ start }));
    const { type, error } = body as { readonly type?: unknown; readonly error?: { readonly code?: unknown } };
    return expectAll([type, "lost"], [error?.code, "PROTOCOL_MISMATCH"]);
  },
  "SEC10 an invalid turn is rejected, and the message names the field": async (target) => {
    const found: string[] = [];
    for (const [field, wrong] of Object.entries(invalidTurns())) {
      const { status, body } = await ask(target, "turn", turn(wrong));
      const { error, message = "" } = body as { readonly error?: unknown; readonly message?: string };
      if (status !== 400 || error !== "invalid_turn" || !message.includes(field))
        found.push(
          `${field}: the answer is ${status} ${JSON.stringify(body)} instead of 400 invalid_turn, which names it`,
        );
    }
    return found;
  },
  "U1 U2 a repeated request is answered with the same report": async (target) => {
    const request = turn({ start: startOf(firstWorkflow()) });
    const [first, second] = [await ask(target, "turn", request), await ask(target, "turn", request)];
    return expectAll(
      [JSON.stringify(second.body), JSON.stringify(first.body)],
      [(first.body as { number?: unknown }).number, 1],
    );
  },
};

function firstWorkflow(): string {
  const [entry] = makeCatalogue({ sleep: () => Promise.resolve() });
  return slugOf(entry as CatalogueEntry);
}

function turn(more: object): string {
  return JSON.stringify({ protocol: PROTOCOL_VERSION, session: randomUUID(), turn: 1, waitMs: 2_000, ...more });
}

/** Turns with one wrong field, by its name. */
function invalidTurns(): Record<string, object> {
  const start = startOf(firstWorkflow());
  const entry = { v: 1, seq: 1, at: 0, asked: 1, nth: 1, op: "step/0/a", type: "step.completed", value: "[1]" };
  return {
    turn: { turn: -1 },
    waitMs: { waitMs: "soon" },
    "start.seed": { start: { ...start, seed: "0" } },
    "start.now": { start: { ...start, now: null } },
    "start.run": { start: { ...start, run: { id: "" } } },
    "start.input": { start: { ...start, input: { encoded: false } } },
    "start.journal[0]": { start: { ...start, journal: [null] } },
    // An outcome without its attempt.
    attempt: { start: { ...start, journal: [entry] } },
    seq: { start: { ...start, journal: [{ ...entry, attempt: 1, startedAt: 0, seq: 2 }] } },
    answer: { answer: { report: 1, answer: "accepted" } },
    "updates[0]": { updates: [{ entries: [], now: "now" }] },
    abort: { abort: { type: "tired" } },
  };
}

function startOf(workflowId: string): object {
  const now = Date.now();
  return {
    protocol: PROTOCOL_VERSION,
    epoch: 1,
    run: { id: randomUUID(), number: 1, tags: [], triggeredBy: "api", startedAt: now, environment: "conformance" },
    workflowId,
    input: ENCODED_UNDEFINED,
    seed: "0".repeat(32),
    journal: [],
    inherited: [],
    paused: false,
    now,
    clockStart: now,
  };
}

async function ask(
  { url: address, key: signingKey, audience }: Target,
  route: string,
  body: string | undefined,
  {
    at = Date.now(),
    nonce = randomUUID(),
    named = audience,
  }: { readonly at?: number; readonly nonce?: string; readonly named?: string } = {},
): Promise<{ status: number; body: unknown }> {
  const { href, pathname, search } = new URL(`${address}/${route}`);
  const method = body === undefined ? "GET" : "POST";
  const signed = { method, path: pathname + search, body: body ?? "", audience };
  const signature = await signRequest(signed, signingKey, at, nonce);
  const headers = { [SIGNATURE_HEADER]: signature, [AUDIENCE_HEADER]: named, "Content-Type": "application/json" };
  const response = await fetch(href, { method, headers, ...(body === undefined ? {} : { body }) });
  return { status: response.status, body: await response.json().catch(() => ({})) };
}

function expectAll(...pairs: readonly (readonly [is: unknown, wanted: unknown])[]): string[] {
  return pairs.flatMap(([is, wanted]) =>
    is === wanted ? [] : [`the answer is ${JSON.stringify(is)} instead of ${JSON.stringify(wanted)}`],
  );
}

const { values } = parseArgs({
  options: {
    url: { type: "string" },
    key: { type: "string" },
    only: { type: "string" },
    audience: { type: "string" },
    help: { type: "boolean", short: "h" },
  },
});
const { url, key, only = "", audience } = values;
if (values.help === true || url === undefined || key === undefined) {
  console.log(HELP);
  process.exitCode = values.help === true ? 0 : 1;
} else {
  const address = url.replace(/\/+$/, "");
  await main({ url: address, key, audience: audience ?? address }, only);
}
