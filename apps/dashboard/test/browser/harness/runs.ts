/**
 * Starts runs, and waits until each is in the state in which a test wants to see it.
 */
import { expect, vi } from "vitest";
import type { Client, RunRecord } from "@holdfast/workflows/client";
import { WAIT_MS } from "./dashboard.ts";

/** A run of each kind: its id and its workflow are the same name. The value is the state in which it stays. */
const KINDS = {
  order: "completed",
  payment: "failed",
  retrying: "waiting",
  approval: "waiting",
  family: "waiting",
  booking: "compensated",
  reminder: "waiting",
  report: "running",
  answer: "waiting",
} as const;

interface StartOptions {
  readonly input?: unknown;
  readonly tags?: readonly string[];
  /** Default: the run rests: it waits or has ended. */
  readonly until?: (run: RunRecord) => boolean;
  /** Default: `WAIT_MS`. */
  readonly withinMs?: number;
}

/** Starts a run and resolves when it is in the state. */
export async function startRun(
  client: Client,
  workflowId: string,
  runId: string,
  { input = {}, tags = [], until = rests, withinMs = WAIT_MS }: StartOptions = {},
): Promise<RunRecord> {
  await client.trigger(workflowId, input, { runId, tags });
  return waitForRun(client, runId, until, withinMs);
}

async function waitForRun(
  client: Client,
  runId: string,
  until: (run: RunRecord) => boolean,
  timeout: number,
): Promise<RunRecord> {
  const run = client.run(runId);
  return vi.waitFor(
    async () => {
      const record = await run.get();
      expect(until(record), `The run ${runId} is ${record.status}`).toBe(true);
      return record;
    },
    { timeout, interval: 25 },
  );
}

/** Starts a run of each kind. */
export async function startKinds(client: Client): Promise<void> {
  await Promise.all(
    Object.entries(KINDS).map(([kind, status]) =>
      startRun(client, kind, kind, { tags: [kind], until: (run) => run.status === status }),
    ),
  );
}

function rests({ status }: RunRecord): boolean {
  return !/^(?:pending|running)$/.test(status);
}
