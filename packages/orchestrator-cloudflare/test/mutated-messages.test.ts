/** tests: an orchestrator that gets each valid message of an execution with one field changed, over each pipe */
import { expect, test, vi } from "vitest";
import type { StepDispatcher } from "../src/index.ts";
import { FakeDeployment } from "./fake-platform.ts";
import { type IdleProcess, watchIdle } from "./idle-process.ts";
import { type Message, type Mutation, PIPES, VALID, mutationsOf } from "./mutated-messages.ts";

interface Found {
  readonly what: string;
  readonly answers: readonly number[];
  readonly status: unknown;
  readonly error: { readonly code?: string; readonly message?: string } | undefined;
}

const READABLE = new Set(["running", "waiting", "paused", "completed", "failed", "compensated"]);

/** Sends a mutated message to a run of its own, and reads the run from its rows. */
async function play(api: FakeDeployment, id: string, { what }: Mutation, idle: IdleProcess): Promise<Found> {
  const created = await api.fetch("/api/runs", { json: { runId: id, workflowId: "w" } });
  await idle.wait();
  // Another process reads it from its rows.
  const other = new FakeDeployment([], {}, NOBODY);
  other.storages.set(id, api.storageOf(id));
  const cold = await other.fetch(`/api/runs/${id}`);
  const journal = await other.fetch(`/api/runs/${id}/journal`);
  const { status, error } = (await cold.json()) as { status: string; error?: { code: string; message: string } };
  return { what, answers: [created.status, cold.status, journal.status], status, error };
}

const NOBODY: StepDispatcher = { workflows: () => [], start: () => ({ update: () => {}, abort: () => {} }) };

const OF_A_CHILD: Message = { type: "page", after: 0 };

async function playAll(name: string, mutations: readonly Mutation[]): Promise<Found[]> {
  const messages = new Map<string, Message>();
  const dispatcher = PIPES[name]?.((runId) => messages.get(runId) ?? OF_A_CHILD);
  const found: Found[] = [];
  using idle = watchIdle();
  for (const [number, mutation] of mutations.entries()) {
    const api = new FakeDeployment([], {}, dispatcher);
    messages.set(`r-${number}`, mutation.message);
    found.push(await play(api, `r-${number}`, mutation, idle));
  }
  return found;
}

test.each(Object.keys(PIPES))(
  "SEC10 LIM1 a run is readable, and paused with what is wrong, after any change of any message over %s",
  { timeout: 240_000 },
  async (name) => {
    const inJson = name === "lines" || name === "turns";
    const mutations = VALID.flatMap((message) => [...mutationsOf(message, inJson)]);
    const found = await playAll(name, mutations);
    expect(found.filter(({ answers }) => answers.join() !== "201,200,200")).toEqual([]);
    expect(found.filter(({ status }) => !READABLE.has(String(status)))).toEqual([]);
    const paused = found.filter(({ error }) => error?.code === "PROTOCOL_MISMATCH");
    expect(paused.filter(({ error }) => !/\S+ must |handler reported /.test(error?.message ?? ""))).toEqual([]);
    expect(paused.length).toBeGreaterThan(1_000);
    console.log(`${name}: ${found.length} mutated messages, ${paused.length} paused their run`);
  },
);

test.each(Object.keys(PIPES))("SEC10 no valid message pauses its run over %s", async (name) => {
  const found = await playAll(
    name,
    VALID.map((message) => ({ what: JSON.stringify(message), message })),
  );
  expect(found.filter(({ error }) => error?.code === "PROTOCOL_MISMATCH")).toEqual([]);
});

test.each(Object.keys(PIPES))(
  "SEC10 LIM1 a result of 11 MiB pauses the run over %s, and the path is named",
  async (name) => {
    const value = `["${"x".repeat(11 * 2 ** 20)}"]`;
    const events = [{ type: "step.completed", op: "step/0/a", nth: 1, attempt: 1, startedAt: 0, value }];
    const message: Message = { type: "report", report: { epoch: 1, asked: 1, events } };
    const api = new FakeDeployment(
      [],
      {},
      PIPES[name]?.(() => message),
    );
    await api.fetch("/api/runs", { json: { runId: "r", workflowId: "w" } });
    await vi.waitFor(async () => {
      expect(await (await api.fetch("/api/runs/r")).json()).toMatchObject({
        status: "paused",
        steps: [],
        error: {
          code: "PROTOCOL_MISMATCH",
          message: expect.stringContaining(
            "report.events[0].value must be an encoded value of at most 10485760 characters",
          ),
        },
      });
    });
  },
);
