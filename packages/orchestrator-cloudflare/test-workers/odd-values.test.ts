/** tests: odd values and errors have the same journal, record and error with each pipe, live and on replay */
import { MemoryHost } from "@holdfast/workflows/testing";
import { describeEntry, describeRun } from "@holdfast/orchestrator";
import { expectOutput } from "@holdfast/proof/output";
import { expect, test } from "vitest";
import { call, read, signal, trigger } from "./api-client.ts";
import { abortAll, expectBrokenConnections, expectMovedAlarms, resetAfterEach } from "./declared-output.ts";
import { ODD, type OddInput, oddWorkflows } from "./odd-values.ts";

resetAfterEach();
expectBrokenConnections();
expectMovedAlarms();
expectOutput(
  "progress that cannot be stored",
  /The progress of step \\"progress\\" (cannot be encoded|takes \d+ characters)/,
);

const PIPES = ["", "rpc-", "fetch-", "http-", "frames-"];

/** The parts that differ between two runs: times, ids, stacks, and whether an answer took time. */
function comparable(value: unknown): unknown {
  const own = new Set(["at", "asked", "quiet", "startedAt", "endedAt", "retryAt", "stack", "runId", "openedAt"]);
  return JSON.parse(JSON.stringify(value, (key, part: unknown) => (own.has(key) ? undefined : part)));
}

interface Shown {
  readonly status: string;
  readonly output?: unknown;
  readonly error?: unknown;
  readonly metadata: unknown;
  readonly streams: unknown;
  readonly steps: unknown;
}

function shown({ status, output, error, metadata, streams, steps }: Shown, entries: unknown): unknown {
  return comparable({ status, output, error, metadata, streams, steps, entries });
}

/** In memory, without a crash. */
async function inMemory(input: OddInput): Promise<unknown> {
  const host = new MemoryHost({ workflows: oddWorkflows });
  host.trigger("odd", input);
  await host.advance();
  host.deliver("signal", "go", "");
  await host.advance();
  const budget = { chars: 1e7 };
  const entries = host.journal.map((entry) => describeEntry(entry, budget));
  return shown(
    describeRun(host.header, "-1", host.journal, [], () => 0),
    entries,
  );
}

const VIEWS = ["", "?view=summary", "?view=result", "?actions=true", "/audit"];

/** In workerd, with a crash before the run continues. */
async function onPipe(pipe: string, input: OddInput): Promise<unknown> {
  const id = `${pipe}${input.end}-${Object.keys(ODD).indexOf(input.name)}`;
  const path = `/api/runs/${id}`;
  await trigger("odd", id, input, 60);
  await expect
    .poll(async () => (await read(id)).pendingWaitpoints, { timeout: 20_000, interval: 20 })
    .toMatchObject([{ kind: "SIGNAL" }]);
  await abortAll();
  await signal(id, "go", "");
  const end = await call(`${path}?view=result`, undefined, { Prefer: "wait=60" });
  await end.text();
  const answers = await Promise.all([...VIEWS.map((view) => call(path + view)), call(`${path}/stream`)]);
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
  for (const answer of answers) await answer.text();
  const journal = await (await call(`${path}/journal?limit=1000`)).json<{ entries: unknown }>();
  return shown((await read(id)) as never, journal.entries);
}

test.each(Object.keys(ODD))(
  "STEP5 STEP9 with each pipe, live and on replay, a run gets, stores and shows the same: %s",
  { timeout: 240_000 },
  async (name) => {
    for (const end of ["returns", "throws"] as const) {
      const expected = await inMemory({ name, end });
      for (const pipe of PIPES) expect([pipe, await onPipe(pipe, { name, end })]).toEqual([pipe, expected]);
    }
  },
);
