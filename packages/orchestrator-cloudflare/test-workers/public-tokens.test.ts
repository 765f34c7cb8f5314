/** tests: public tokens in workerd, with a key that the index makes */
import { reset } from "cloudflare:test";
import { exports } from "cloudflare:workers";
import { afterEach, expect, test } from "vitest";
import { call, evict, inObject, read, trigger, untilStatus } from "./api-client.ts";

afterEach(reset);

const worker = (exports as { default: Fetcher }).default;

function submit(path: string): Promise<Response> {
  const headers = { "Content-Type": "application/x-www-form-urlencoded", Accept: "text/html" };
  return worker.fetch(`https://holdfast.test${path}`, { method: "POST", headers, body: "payload=%22yes%22" });
}

test("SEC8 WAIT7 a link of a run is answered once by its page, after an eviction, and guesses are refused", async () => {
  // The index is bound to runs with this prefix only, and it keeps the key.
  const runId = "indexed-public";
  await trigger("public-token", runId);
  const { steps } = (await read(runId)) as unknown as { steps: { output: string }[] };
  const path = steps[0]?.output ?? "";
  expect(path).toMatch(/^\/public\/tokens\/-\/indexed-public\/[0-9a-f]{16}\/[0-9a-f]{32}\/[0-9a-f]{32}$/);
  const guess = path.replace(/[0-9a-f](\/[0-9a-f]{32})$/, (_all, rest: string) => `x${rest}`);
  expect((await call(guess, { payload: 1 })).status).toBe(404);
  const page = await call(path);
  expect([page.status, await page.text()]).toEqual([200, expect.stringContaining('<form method="post">')]);
  await evict(runId);
  expect((await submit(path)).status).toBe(200);
  const again = await submit(path);
  expect([again.status, await again.text()]).toEqual([409, expect.stringContaining("already answered")]);
  expect((await untilStatus(runId, "completed")).output).toBe("yes");
});

test("SEC8 a guess and a read of an absent run store nothing", async () => {
  const guess = `/public/tokens/-/absent/${"0".repeat(16)}/${"0".repeat(32)}/${"0".repeat(32)}`;
  for (const path of [guess, guess.replace("absent", "none")]) expect((await call(path, {})).status).toBe(404);
  expect((await call("/api/runs/absent")).status).toBe(404);
  const stored = await inObject("absent", async ({ storage }) => [
    [...storage.sql.exec("SELECT name FROM sqlite_master")],
    await storage.getAlarm(),
  ]);
  expect(stored).toEqual([[], null]);
});
