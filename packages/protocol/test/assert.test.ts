import { expect, test } from "vitest";
import { assert } from "../src/index.ts";

test("an assertion that does not hold throws an error that says it", () => {
  expect(() => assert(true, "it holds")).not.toThrow();
  expect(() => assert(false, "one is more than two")).toThrow("assertion: one is more than two");
});
