import { expect, test } from "vitest";
import { assert } from "../src/index.ts";

test("an assertion whose condition is false throws an error with its message", () => {
  expect(() => assert(true, "it holds")).not.toThrow();
  expect(() => assert(false, "one is more than two")).toThrow("assertion: one is more than two");
});
