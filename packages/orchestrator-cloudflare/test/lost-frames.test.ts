/** tests: connections that open, and then lose frames without a word (PIPE5) */
import { workflow } from "@holdfast/workflows";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ConnectedNetwork, type Direction } from "./connected-network.ts";
import { read, trigger } from "./handler-network.ts";

let starts = 0;
const steps = workflow({
  id: "steps",
  run: async (n: number, ctx) => {
    for (let i = 0; i < n; i++) await ctx.step(`step ${i}`, () => (starts += 1));
    return "done";
  },
});

beforeEach(() => {
  starts = 0;
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] });
});
afterEach(() => void vi.useRealTimers());

test.each<Direction>(["to handler", "to orchestrator"])(
  "PIPE5 three connections that lose the second frame %s are the last ones of an execution",
  async (direction) => {
    const network = new ConnectedNetwork({ workflows: [steps] });
    // The second frame of this side on each connection.
    network.faultOf = (frame) => (frame.direction === direction && frame.text.startsWith("2 ") ? [] : undefined);
    const api = network.deploy();
    await trigger(api, "steps", 12);
    const isOver = async (): Promise<boolean> => {
      await vi.advanceTimersByTimeAsync(1_000);
      return (await read(api))["status"] === "completed";
    };
    await expect.poll(isOver, { timeout: 30_000 }).toBe(true);
    expect(await read(api)).toMatchObject({ output: "done", invocationCount: 1 });
    expect([network.upgrades.length, network.wires.size, starts]).toEqual([3, 0, 12]);
  },
);
