/** Captured async contexts that the runtime refuses, as workerd does outside of the request that made them (STEP8). */
import { expect, test } from "vitest";
import { inContext } from "../src/replay/step-scope.ts";

test("STEP8 a body whose async context is no longer valid is called once without it, and this is logged once", () => {
  const lines: string[] = [];
  const write = (message: string): void => void lines.push(message);
  const log = { debug: write, info: write, warn: write, error: write };
  const refused = {
    runInAsyncScope(): never {
      throw new Error("This context is not valid outside of the request in which it was created.");
    },
  };
  let calls = 0;
  const body = (): number => ++calls;
  expect([inContext(refused, body, log), inContext(refused, body, log), inContext(undefined, body, log)]).toEqual([
    1, 2, 3,
  ]);
  expect(lines).toEqual([expect.stringContaining("without the AsyncLocalStorage")]);
});
