/** Values and errors of workflow code that are hard to store: each was found by attacking the engine. */
import { planResume } from "@holdfast/orchestrator";
import { decodeValue, encodeValue, toErrorValue, toJson } from "@holdfast/protocol";
import { FatalError, workflow } from "@holdfast/workflows";
import { expect, test } from "vitest";
import { MemoryHost } from "@holdfast/workflows/testing";
import { finished, started } from "./run-workflow.ts";

test("LIM1 a small graph with many paths through it is shown small", () => {
  const people = Array.from({ length: 12 }, (_, i): Record<string, unknown> => ({ name: `p${i}` }));
  for (const one of people) one.friends = people.filter((other) => other !== one);
  const began = performance.now();
  const shown = JSON.stringify(toJson(people));
  expect(shown.length).toBeLessThan(60_000_000);
  expect(shown).toContain("[cut: too large to show]");
  expect(performance.now() - began).toBeLessThan(10_000);
});

test.each([
  ["a message without a text form", { name: "E", message: Object.create(null) as unknown }],
  [
    "getters that throw",
    Object.defineProperty({ name: "E" }, "message", {
      get: () => {
        throw new Error("trap");
      },
    }),
  ],
  ["a revoked proxy", revoked()],
  ["an endless name", { name: "x".repeat(1_000_000), message: "m", code: "y".repeat(1_000_000) }],
])("STEP3 %s that is thrown fails the step, and nothing else", async (_what, thrown) => {
  expect(JSON.stringify(toErrorValue(thrown)).length).toBeLessThan(6_000);
  const host = await finished((ctx) =>
    ctx.step("a", { retry: { max: 1 } }, () => {
      throw thrown;
    }),
  );
  expect(host.header.status).toBe("failed");
  const direct = await finished(() => Promise.reject(thrown));
  expect(direct.header.status).toBe("failed");
});

test("STEP5 what can be written down can be read back: nesting has a limit of its own", () => {
  const nested = (levels: number): unknown => {
    let value: unknown = 1;
    for (let i = 0; i < levels; i++) value = i % 2 === 0 ? [value] : { value };
    return value;
  };
  expect(decodeValue(encodeValue(nested(499), "it"))).toEqual(nested(499));
  expect(() => encodeValue(nested(502), "it")).toThrow(/nested too deeply/);
});

test("STEP2 a delay that is no number does not lose the retry", async () => {
  const host = await finished((ctx) =>
    ctx.step("a", ({ attempt }) => {
      if (attempt === 1) throw Object.assign(new Error("x"), { code: "RETRYABLE", retryAfterMs: Number.NaN });
      return attempt;
    }),
  );
  expect(host.output).toBe(2);
});

test("RUN7 a policy keeps its own initial delay, and 31 February is no date", async () => {
  const host = await started((ctx) =>
    ctx.step("a", { retry: { initial: "10m", backoff: "fixed" } }, () => Promise.reject(new Error("x"))),
  );
  expect((host.header.retryAt ?? 0) - host.clock.now()).toBeGreaterThanOrEqual(600_000);
  const late = await finished((ctx) => ctx.sleepUntil("2027-02-31"));
  expect(late.header.error?.code).toBe("INVALID_ARGUMENT");
});

test("RUN2 a resume that is repeated another way is refused", async () => {
  const parent = await finished((ctx) => ctx.step("a", () => Promise.reject(new FatalError("no"))));
  const plan = (seeds: [string, string][]): never =>
    planResume(parent.header, parent.journal, { seedResults: seeds }) as never;
  const child = new MemoryHost({ workflows: [workflow({ id: "w", run: () => 1 })] });
  expect(child.trigger("w", undefined, { runId: "r", inherited: plan([]) })).toEqual({ type: "created" });
  expect(child.trigger("w", undefined, { runId: "r", inherited: plan([]) })).toEqual({ type: "exists" });
  expect(child.trigger("w", undefined, { runId: "r", inherited: plan([["b", "[1]"]]) })).toMatchObject({
    code: "idempotency_conflict",
  });
});

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}
