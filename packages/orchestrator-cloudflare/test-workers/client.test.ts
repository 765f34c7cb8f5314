/** tests: the client in workerd, against the real Worker, with real streams */
import { exports } from "cloudflare:workers";
import { reset } from "cloudflare:test";
import { createClient } from "@holdfast/workflows/client";
import { afterEach, expect, test } from "vitest";
import { abortAll } from "./api-client.ts";

afterEach(reset);

const worker = (exports as unknown as { default: Fetcher }).default;
const client = createClient({
  url: "https://holdfast.test",
  retryAfterMs: 5,
  fetch: (request) => worker.fetch(request),
});

test("API1 the client works in a Worker: trigger, signal, result", async () => {
  const run = await client.trigger("order", null, { runId: "c1" });
  expect(await run.signal("approval", "yes")).toMatch(/resolved|buffered/);
  expect(await run.result()).toEqual({ reserve: "reserve", approval: "yes", ship: "ship" });
});

test("STR2 a reader follows a run in a real object, across an abort of it", async () => {
  const run = await client.trigger("order", null, { runId: "c2" });
  const seen: string[] = [];
  for await (const event of run.stream()) {
    if (event.type === "run") seen.push(`run ${event.data.status}`);
    else if (event.type === "step") seen.push(`step ${event.data.name} ${event.data.status}`);
    if (event.type !== "run" || event.data.status !== "waiting" || seen.includes("aborted")) continue;
    seen.push("aborted");
    await abortAll();
    await run.signal("approval", "yes");
  }
  expect(seen.filter((what) => what.startsWith("step"))).toEqual(["step reserve completed", "step ship completed"]);
  expect(seen).toContain("aborted");
  expect(seen.at(-1)).toBe("run completed");
});
