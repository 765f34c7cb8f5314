/** What an old platform reads. */
import { createClient } from "@holdfast/workflows/client";
import { createStepHandler } from "@holdfast/workflows/handler";
import { testWorkflow } from "@holdfast/workflows/testing";
import { workflow } from "@holdfast/workflows";
import { afterEach, expect, test } from "vitest";

const parse = Object.getOwnPropertyDescriptor(URL, "parse") ?? {};
const hello = workflow({ id: "hello", run: () => "hello" });

afterEach(() => {
  Object.defineProperty(URL, "parse", parse);
});

test.each([
  ["the client", async () => createClient({ url: "https://holdfast.example" })],
  ["a step handler", async () => createStepHandler({ workflows: [hello], signingKeys: "unsigned" })],
  ["a test", async () => testWorkflow(hello)],
])("%s says in one line which platform it needs, instead of failing inside a run", async (_what, use) => {
  await expect(use()).resolves.toBeDefined();
  Reflect.deleteProperty(URL, "parse");
  await expect(use()).rejects.toThrow(
    /^@holdfast\/workflows needs Node 22\.12 or newer, .+ URL\.parse\. This is Node v\d+\.\d+\.\d+\.$/u,
  );
});
