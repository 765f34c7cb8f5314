/** tests: a step handler that gets each valid message of an orchestrator with one field changed, as turns and as lines */
import { type ExecutionStart, ENCODED_UNDEFINED, type JournalEntry } from "@holdfast/protocol";
import { expect, test } from "vitest";
import { createStepHandler } from "../src/handler/index.ts";
import { workflow } from "../src/index.ts";

const AT = 1_767_225_600_000;
const OUTCOMES: readonly JournalEntry[] = [
  {
    v: 1,
    seq: 1,
    at: AT,
    asked: 1,
    nth: 1,
    quiet: true,
    type: "step.completed",
    op: "step/0/a",
    attempt: 1,
    startedAt: AT,
    value: "[1]",
    progress: "[1]",
  },
  { v: 1, seq: 2, at: AT, asked: 2, nth: 2, type: "wait.opened", op: "signal/0/go", wakeAt: AT * 2 },
];
const NEXT: JournalEntry = {
  v: 1,
  seq: 3,
  at: AT,
  asked: 2,
  nth: 2,
  type: "wait.resolved",
  op: "signal/0/go",
  value: "[1]",
  deliveryId: "d",
};
const START: ExecutionStart = {
  protocol: 1,
  epoch: 1,
  run: {
    id: "r",
    number: 1,
    tags: ["a"],
    triggeredBy: "api",
    startedAt: AT,
    environment: "test",
    tenantMeta: "[1]",
    baseUrl: "https://flows.example",
    tenantId: "t",
    traceparent: "00-1",
  },
  workflowId: "w",
  workflowVersion: "1",
  input: ENCODED_UNDEFINED,
  seed: "0".repeat(32),
  flags: [1],
  journal: OUTCOMES,
  inherited: ["step/0/b"],
  lineage: {
    silent: [""],
    outcomes: [{ op: "step/0/b", line: "1-1", after: "", silent: 0, shared: true, received: 0, seeded: true }],
    order: { after: 0, ops: ["step/0/b"] },
  },
  paused: false,
  now: AT,
  clockStart: AT,
};
const UPDATE = { entries: [NEXT], now: AT, paused: false };

const LINES = [
  { type: "start", start: START },
  { type: "update", update: UPDATE },
  { type: "answer", answer: { accepted: true, ...UPDATE, entries: [] } },
  { type: "abort", reason: { type: "cancelled", reason: "enough" } },
  { type: "abort", reason: { type: "timed_out", timeoutMs: 5 } },
  { type: "release" },
] as const;

const work = workflow({
  id: "w",
  run: async (_input, ctx) => {
    await ctx.step("a", () => 1);
    await ctx.waitForSignal("go");
    return ctx.step("b", () => 2);
  },
});
const handler = createStepHandler({ workflows: [work], signingKeys: "unsigned", stateless: false, holdMs: 0 });

/** Each message with a field dropped, replaced by another value, or with another field beside it. */
function* changes(value: unknown): Generator {
  if (typeof value !== "object" || value === null) return;
  if (!Array.isArray(value)) yield { ...value, extra: { op: 1 } };
  for (const [name, part] of Object.entries(value)) {
    const rebuild = (other: unknown): unknown =>
      Array.isArray(value) ? value.with(Number(name), other) : { ...value, [name]: other };
    for (const other of [undefined, null, "x", -1, 1e300, {}, [null]]) yield rebuild(other);
    for (const changed of changes(part)) yield rebuild(changed);
  }
}

/** Sends lines. Returns the answer, which ends with the request. */
async function sendLines(lines: readonly unknown[]): Promise<string> {
  const body = lines.map((line) => `${JSON.stringify(line)}\n`).join("");
  const response = await handler(new Request("https://steps.internal/execute", { method: "POST", body }));
  return response.text();
}

test("SEC10 a step handler accepts each message of an orchestrator", async () => {
  expect(await sendLines(LINES)).not.toContain('"type":"lost"');
});

test("SEC10 a step handler answers each changed line: it continues, or says which field is wrong", async () => {
  let refused = 0;
  for (const [place, line] of LINES.entries()) {
    for (const changed of changes(line)) {
      const answer = await sendLines(LINES.with(place, changed as never));
      if (!answer.includes("PROTOCOL_MISMATCH")) continue;
      refused += 1;
      expect(answer).toMatch(
        /received an invalid message of the orchestrator: \S+ must |does not support|version .* of the protocol/,
      );
    }
  }
  expect(refused).toBeGreaterThan(250);
});

test.each(["{", '"a line"', "[]", "null", '{"type":"dance"}', '{"type":"__proto__"}'])(
  "SEC10 a step handler rejects the line %s, and names what is wrong",
  async (line) => {
    const body = `${JSON.stringify(LINES[0])}\n${line}\n`;
    const response = await handler(new Request("https://steps.internal/execute", { method: "POST", body }));
    expect(await response.text()).toMatch(
      /"lost".*received an invalid message of the orchestrator: .*PROTOCOL_MISMATCH/,
    );
  },
);

test("SEC10 a step handler answers each changed turn with 200, or with 400 and the path of the field", async () => {
  const turn = {
    protocol: 1,
    turn: 1,
    instance: undefined,
    waitMs: 0,
    changes: true,
    aside: false,
    start: START,
    answer: { report: 1, answer: { accepted: true, ...UPDATE, entries: [] } },
    page: { after: 2, entries: [NEXT] },
    updates: [UPDATE],
    updatesBefore: 0,
    abort: { type: "cancelled", reason: "enough" },
  };
  let refused = 0;
  for (const changed of changes(turn)) {
    const body = JSON.stringify({ session: crypto.randomUUID(), ...Object(changed) });
    const response = await handler(new Request("https://steps.internal/turn", { method: "POST", body }));
    const { message } = (await response.json()) as { message?: string };
    if (response.status === 200) continue;
    refused += 1;
    expect([response.status, message]).toEqual([400, expect.stringMatching(/turn\.\S+ must |turn must /)]);
  }
  expect(refused).toBeGreaterThan(250);
});

test("SEC10 VER2 a start of another version is refused by its version, whatever its other fields are", async () => {
  const { protocol: _known, ...rest } = START;
  for (const other of [-1, 2, 99]) {
    const starts = [...changes(rest), {}].map((changed) => ({ ...Object(changed), workflowId: "w", protocol: other }));
    for (const start of starts) {
      const turn = JSON.stringify({ protocol: 1, session: crypto.randomUUID(), turn: 1, waitMs: 0, start });
      const response = await handler(new Request("https://steps.internal/turn", { method: "POST", body: turn }));
      const refused = { status: response.status, text: await response.text() };
      expect(refused).toEqual({ status: 200, text: expect.stringMatching(/"lost".*version .* of the protocol/) });
    }
    expect(await sendLines([{ type: "start", start: starts.at(-1) }])).toMatch(/"lost".*version .* of the protocol/);
  }
});
