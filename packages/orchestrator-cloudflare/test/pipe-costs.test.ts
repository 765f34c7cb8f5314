/** tests: the cost of a step on each pipe, in messages and bytes, which do not depend on the machine (REP6) */
import { readFileSync } from "node:fs";
import { workflow } from "@holdfast/workflows";
import { expect, test } from "vitest";
import { Counter, PIPES } from "./counted-pipes.ts";
import { FakeDeployment } from "./fake-platform.ts";

/** What documents say. */
const { bytesOfStep } = JSON.parse(readFileSync(new URL("costs.json", import.meta.url), "utf8")) as {
  readonly bytesOfStep: Readonly<Record<string, number>>;
};
/** Ids that contain random numbers may be one digit longer or shorter. */
const BYTES_OFF_MAX = 0.02;

const steps = workflow({
  id: "steps",
  run: async (n: number, ctx) => {
    for (let i = 0; i < n; i++) await ctx.step("step", () => "result");
    return "done";
  },
});

interface Costs {
  messages: number;
  bytes: number;
  rows: number;
}

async function costsOf(pipe: string, n: number): Promise<Costs> {
  const counter = new Counter();
  const api = new FakeDeployment([], {}, PIPES[pipe]?.(counter, [steps]));
  await api.fetch("/api/runs", { json: { runId: "r", workflowId: "steps", input: n } });
  await expect
    .poll(async () => ((await (await api.fetch("/api/runs/r")).json()) as { status: string }).status, {
      timeout: 30_000,
    })
    .toBe("completed");
  return { messages: counter.messages, bytes: counter.bytes, rows: api.storageOf("r").writes };
}

test.each(Object.keys(PIPES))(
  "REP6 a step of 1,000 costs the same as a step of 100: %s",
  { timeout: 180_000 },
  async (pipe) => {
    const [few, many] = [await costsOf(pipe, 100), await costsOf(pipe, 1_000)];
    const perStep = (costs: Costs, n: number): Costs => ({
      messages: costs.messages / n,
      bytes: costs.bytes / n,
      rows: costs.rows / n,
    });
    const [before, after] = [perStep(few, 100), perStep(many, 1_000)];
    const expected = bytesOfStep[pipe] ?? Number.NaN;
    expect(Math.abs(after.bytes - expected), `${after.bytes} bytes`).toBeLessThanOrEqual(expected * BYTES_OFF_MAX);
    expect(after.messages).toBeLessThanOrEqual(before.messages);
    // Sequence numbers have one more digit.
    expect(after.bytes).toBeLessThanOrEqual(before.bytes * 1.05);
    expect(many.rows).toBeLessThanOrEqual(1_000 + 10);
    expect(after.messages).toBeLessThanOrEqual(2.1);
  },
);

/** A parallel step whose bodies end when a test ends them. */
class Crowd {
  /** The bodies that have not ended. Each test has its own: a late message of one must end no body of another. */
  readonly waiting: (() => void)[] = [];
  readonly workflow = workflow({
    id: "crowd",
    run: async (n: number, ctx) => {
      const places = Array.from({ length: n }, (_, place) => place);
      await ctx.parallel(places, (place) =>
        ctx.step(`step-${place}`, () => new Promise<void>((resolve) => this.waiting.push(resolve))),
      );
    },
  });
}

/** Ends one body after each message, so that each outcome is a report of its own while the other bodies execute. */
class EndingCounter extends Counter {
  readonly crowd = new Crowd();
  override count(text: string): void {
    super.count(text);
    setImmediate(() => this.crowd.waiting.shift()?.());
  }
}

test.each(["http", "rpc"])(
  "REP6 a parallel step of 1,000 that execute at once costs no more than one of 100: %s",
  { timeout: 180_000 },
  async (pipe) => {
    const bytesOf = async (n: number): Promise<number> => {
      const counter = new EndingCounter();
      const { crowd } = counter;
      const api = new FakeDeployment([], {}, PIPES[pipe]?.(counter, [crowd.workflow]));
      await api.fetch("/api/runs", { json: { runId: "r", workflowId: "crowd", input: n } });
      const status = (): unknown => (api.storageOf("r").rows.get("record") as { status: string }).status;
      const ends = (): unknown => {
        crowd.waiting.shift()?.();
        return status();
      };
      await expect.poll(ends, { timeout: 30_000, interval: 5 }).toBe("completed");
      return counter.bytes / n;
    };
    const [few, many] = [await bytesOf(100), await bytesOf(1_000)];
    console.log(`${pipe}: ${Math.round(few)} bytes a step of 100, ${Math.round(many)} of 1,000`);
    // How many outcomes share a report depends on the machine. Each alone in its report costs less than this.
    expect(Math.max(few, many)).toBeLessThanOrEqual(2_000);
  },
);

/** The bodies that readers see. Reading them sends no message over the pipe. */
async function bodiesOf(api: FakeDeployment): Promise<number> {
  const record = (await (await api.fetch("/api/runs/r")).json()) as { steps: { status: string }[] };
  return record.steps.filter(({ status }) => status === "running").length;
}

test.each(["rpc", "fetch"])(
  "DUR11 REP6 a sign of life of 900 bodies that execute costs no more than one of none: %s",
  { timeout: 180_000 },
  async (pipe) => {
    const counter = new Counter();
    const { waiting, workflow: crowd } = new Crowd();
    const api = new FakeDeployment([], {}, PIPES[pipe]?.(counter, [crowd]));
    await api.fetch("/api/runs", { json: { runId: "r", workflowId: "crowd", input: 900 } });
    await expect.poll(() => bodiesOf(api), { timeout: 30_000, interval: 20 }).toBe(900);
    const { messages, bytes } = counter;
    await expect.poll(() => counter.messages - messages, { timeout: 30_000, interval: 20 }).toBeGreaterThanOrEqual(4);
    expect((counter.bytes - bytes) / (counter.messages - messages)).toBeLessThan(200);
    for (const end of waiting.splice(0, 300)) end();
    await expect.poll(() => bodiesOf(api), { timeout: 30_000, interval: 20 }).toBe(600);
    for (const end of waiting.splice(0)) end();
    await expect.poll(() => bodiesOf(api), { timeout: 30_000, interval: 20 }).toBe(0);
  },
);
