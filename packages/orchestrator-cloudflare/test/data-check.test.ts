/** tests: the check of an event's data against the schemas of its definitions */
import { encodeValue } from "@holdfast/protocol";
import { describe, expect, test } from "vitest";
import { dataIssues } from "../src/coordinator/data-check.ts";

function throws(): never {
  throw new Error("nobody reads this");
}

describe("the schema of an event", () => {
  const standard = (validate: (data: unknown) => unknown): object => ({
    "~standard": { version: 1, vendor: "t", validate },
  });
  const issues = (...schemas: unknown[]) =>
    dataIssues(
      { name: "e", data: encodeValue({ n: 1 }, "data") },
      schemas.map((schema) => ({
        events: [
          { name: "e", schema },
          { name: "other", schema: standard(() => throws()) },
        ],
      })),
    );

  test("EVT16 each schema of the name must accept the data, as it was sent", async () => {
    const fits = standard((value) => {
      Object.assign(Object(value), { n: "changed" });
      return { value };
    });
    const refuses = standard(async (value) => ({
      issues: [{ message: `n is ${Object(value).n}`, path: ["a/b", { key: "n" }, 0] }, { message: "and more" }],
    }));
    expect(await issues(undefined, fits)).toEqual([]);
    expect(await issues(fits, refuses)).toEqual([
      { path: "/a~1b/n/0", message: "n is 1" },
      { path: "", message: "and more" },
    ]);
  });

  test("EVT16 a schema that throws refuses the data, and one that cannot validate checks nothing", async () => {
    expect(await issues(standard(throws))).toEqual([{ path: "", message: "the schema threw nobody reads this" }]);
    expect(await issues({ "~standard": { version: 1, vendor: "t" } }, {}, 5, null)).toEqual([]);
    const many = standard(() => ({ issues: Array.from({ length: 500 }, () => ({ message: "x".repeat(100_000) })) }));
    expect(JSON.stringify(await issues(many)).length).toBeLessThan(400_000);
  });
});
