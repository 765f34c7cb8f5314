/** tests: messages over RPC that cannot be sent, or only as a stream */
import type { ExecutionReport, JournalEntry, RpcBinding, RpcCall } from "@holdfast/protocol";
import { anySizeBinding, anySizeCall } from "@holdfast/protocol/transport";
import { workflow } from "@holdfast/workflows";
import { workflowsEntrypoint } from "@holdfast/workflows/handler";
import { describe, expect, test } from "vitest";
import { createServiceBindingDispatcher } from "../src/index.ts";
import { deployed, trigger, until } from "./handler-network.ts";

const two = workflow({
  id: "two",
  run: async (_input, ctx) => [await ctx.step("a", () => 1), await ctx.step("b", () => 2)],
});

/** The calls of executions, which a test may break. */
type Broken = (name: string, nth: number) => void;

function bindingOf(broken: Broken): RpcBinding {
  const Service = workflowsEntrypoint(Object as unknown as abstract new () => object, { workflows: [two] });
  const service = new (class extends Service {})();
  const counts = new Map<string, number>();
  return {
    workflows: () => service.workflows(),
    execute: (start, call) => {
      const fragile = async (name: "next", given: never): Promise<unknown> => {
        counts.set(name, (counts.get(name) ?? 0) + 1);
        broken(name, counts.get(name) ?? 0);
        return (call as (name: string, given: never) => unknown)(name, given);
      };
      return service.execute(start, fragile as RpcCall);
    },
  };
}

test("DUR5 an execution whose report cannot be sent is replaced at once, and no stored step repeats", async () => {
  const binding = bindingOf((name, nth) => {
    if (name === "report" && nth === 2) throw new TypeError("Serialized RPC arguments are limited to 32MiB");
  });
  const api = deployed(createServiceBindingDispatcher({ binding }));
  await trigger(api, "two");
  expect(await until(api, "completed")).toMatchObject({ output: [1, 2], invocationCount: 2 });
});

describe("DUR5 a message is sent as it is up to 15 million characters, and as a stream beyond", () => {
  const reportOf = (chars: number): ExecutionReport => ({
    epoch: 1,
    asked: 0,
    // A lone surrogate has no UTF-8.
    events: [{ type: "run.completed", output: "\uD800あ".repeat(chars / 2) }],
  });
  const pageOf = (chars: number): readonly JournalEntry[] =>
    [{ seq: 1, value: "x".repeat(chars) }] as unknown as readonly JournalEntry[];

  test.each([
    // With the other texts of the message.
    [14_999_980, false],
    [15_000_002, true],
  ])("%d characters", async (chars, isStream) => {
    const seen: boolean[] = [];
    const note = <T>(value: T): T => {
      seen.push(value instanceof ReadableStream);
      return value;
    };
    const received: unknown[] = [];
    const binding = anySizeBinding({
      workflows: () => Promise.reject(new Error("not called")),
      async execute(start, call) {
        note(start);
        const noting = async (name: "report", given: never): Promise<unknown> => note(await call(name, note(given)));
        const own = anySizeCall(noting as RpcCall);
        received.push(await own("report", reportOf(chars)), await own("readPage", 1));
      },
    });
    const answers = { report: (given: unknown): unknown => received.push(given), readPage: () => pageOf(chars) };
    const call = async (name: "report" | "readPage", given: never): Promise<unknown> => answers[name](given);
    await binding.execute({ journal: pageOf(chars) } as never, call as RpcCall);
    // Start, report, its answer, number of the page, the page.
    expect(seen).toEqual([isStream, isStream, false, false, isStream]);
    expect(received[0]).toEqual(reportOf(chars));
    expect(received[2]).toEqual(pageOf(chars));
  });
});
