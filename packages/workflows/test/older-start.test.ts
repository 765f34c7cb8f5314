/** Start messages of an orchestrator that is older than the step handler. */
import type { ExecutionStart } from "@holdfast/protocol";
import { expect, test } from "vitest";
import { completeStart } from "../src/handler/older-start.ts";

const run = { id: "r/1", number: 1, tags: [], triggeredBy: "api", startedAt: 0, environment: "test" };

function urlsOf(facts: Partial<ExecutionStart["run"]>): unknown {
  // A cast: the function reads the facts about the run only.
  const { ownTokens, publicTokens } = completeStart({ run: { ...run, ...facts } } as ExecutionStart).run;
  return [ownTokens, publicTokens];
}

test("VER1 WAIT7 a start of an older orchestrator gets the URLs of tokens that this orchestrator accepts", () => {
  expect(urlsOf({ baseUrl: "https://a.example", tenantId: "x y" })).toEqual([
    "https://a.example/api/runs/r%2F1/tokens/",
    "https://a.example/public/tokens/t-x%20y/r%2F1/",
  ]);
  expect(urlsOf({})).toEqual(["/api/runs/r%2F1/tokens/", "/public/tokens/-/r%2F1/"]);
});

test("SEC8 a start of an orchestrator that makes the URLs itself is not changed", () => {
  expect(urlsOf({ ownTokens: "/own/" })).toEqual(["/own/", undefined]);
});
