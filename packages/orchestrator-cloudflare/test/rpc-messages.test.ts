/** tests: messages over RPC that cannot be sent, or only as a stream */
import type { RpcBinding, RpcCall } from "@holdfast/protocol";
import { fromRpc, toRpc } from "@holdfast/protocol/transport";
import { workflow } from "@holdfast/workflows";
import { workflowsEntrypoint } from "@holdfast/workflows/handler";
import { expect, test } from "vitest";
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

test.each([
  // With the other texts of the message.
  [14_999_980, false],
  [15_000_002, true],
])("STEP5 a message with a text of %d characters comes back equal: as a stream, %s", async (chars, isStream) => {
  // A lone surrogate has no UTF-8.
  const report = { epoch: 1, events: [{ type: "run.completed", output: "\uD800あ".repeat(chars / 2) }] };
  const sent = toRpc(report);
  expect(sent instanceof ReadableStream).toBe(isStream);
  expect(await fromRpc(sent)).toEqual(report);
});
