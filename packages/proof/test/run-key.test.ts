/** What a run gives to others follows from its tenant, its id and its incarnation. */
import { RECORD_KEY, planResume } from "@holdfast/orchestrator";
import { hashText } from "@holdfast/protocol";
import { workflow } from "@holdfast/workflows";
import { MemoryHost } from "@holdfast/workflows/testing";
import { describe, expect, test } from "vitest";
import { workflowOf } from "./run-workflow.ts";

const child = workflow({ id: "child", run: () => 1 });

/** A workflow that records what each of its runs gives to others. */
function recording(): { readonly given: string[][]; readonly newHost: () => MemoryHost } {
  const given: string[][] = [];
  const recorder = workflowOf(async (ctx) => {
    const { runId } = await ctx.invoke(child, {}, { detach: true });
    await ctx.step("charge", ({ attempt, idempotencyKey, traceparent }) => {
      given.push([idempotencyKey, runId, ...traceparent.split("-").slice(1, 3)]);
      if (attempt === 1) throw new Error("again");
    });
  });
  return { given, newHost: () => new MemoryHost({ workflows: [recorder, child] }) };
}

type Options = Parameters<MemoryHost["trigger"]>[2];

async function give(host: MemoryHost, options?: Options): Promise<void> {
  host.trigger("w", undefined, options);
  await host.advance();
}

function expectNothingShared(given: readonly string[][]): void {
  for (const values of Object.values(
    Object.groupBy(
      given.flatMap((one) => [...one.entries()]),
      ([place]) => place,
    ),
  )) {
    expect(new Set(values?.map(([, value]) => value)).size).toBe(values?.length);
  }
}

describe("what a run gives to others", () => {
  test("RUN9 STEP1 is the same in each attempt", async () => {
    const { given, newHost } = recording();
    await give(newHost());
    expect(given).toHaveLength(2);
    expect(given[1]).toEqual(given[0]);
  });

  test("RUN9 is different for two tenants whose runs have the same id", async () => {
    const { given, newHost } = recording();
    for (const tenantId of [undefined, "acme", "globex"]) await give(newHost(), { tenantId });
    expectNothingShared(given.filter((_one, at) => at % 2 === 0));
  });

  test("RUN9 is different for a run that is deleted and made again with the same id and seed", async () => {
    const { given, newHost } = recording();
    const host = newHost();
    await give(host);
    expect(host.delete().type).toBe("done");
    await give(host);
    expectNothingShared(given.filter((_one, at) => at % 2 === 0));
  });

  test("RUN9 RES4 is different for a run that is resumed, although it has its parent's seed", async () => {
    const { given, newHost } = recording();
    const parent = newHost();
    await give(parent);
    const inherited = planResume(parent.header, parent.journal, { resumeFromStep: "charge", seedResults: [] });
    if ("type" in inherited) throw new Error(inherited.message);
    const resumed = newHost();
    await give(resumed, { runId: "run-2", inherited });
    expect([given.length, resumed.header.seed]).toEqual([4, parent.header.seed]);
    // The child's start is taken over, so its id is the same.
    expect(given[2]?.[1]).toBe(given[0]?.[1]);
    expectNothingShared([given[0], given[2]].map((one = []) => one.toSpliced(1, 1)));
  });

  test.each(["charge", "x".repeat(256), "日本".repeat(40), "a b\nc"])(
    "RUN9 STEP1 the key of the step %j is one text of at most 64 plain characters, which does not contain the run's id",
    async (name) => {
      let key = "";
      const body = workflowOf((ctx) => ctx.step(name, ({ idempotencyKey }) => void (key = idempotencyKey)));
      const host = new MemoryHost({ workflows: [body] });
      await give(host);
      expect(key).toMatch(/^[\w-]{16,64}$/);
      expect(key).not.toContain("run-1");
    },
  );

  test("RUN9 STEP1 two thousand steps have different keys", async () => {
    const keys: string[] = [];
    const body = workflowOf((ctx) =>
      ctx.parallel(
        Array.from({ length: 2_000 }, (_none, place) => place),
        (place) => ctx.step(`item-${place % 50}`, ({ idempotencyKey }) => void keys.push(idempotencyKey)),
        { concurrency: 200 },
      ),
    );
    const host = new MemoryHost({ workflows: [body] });
    await give(host);
    expect(new Set(keys).size).toBe(2_000);
  });

  test("RUN9 VER1 keeps the derivation from the id alone in a run that older code created", async () => {
    const { given, newHost } = recording();
    const host = newHost();
    host.trigger("w");
    const { incarnation, uses, ...older } = host.header;
    expect([incarnation, uses]).toEqual(["0000000000000001", ["incarnation"]]);
    host.store.commit({ puts: new Map([[RECORD_KEY, older]]), deletes: new Set() });
    host.crash();
    await host.advance();
    const secret = [1, 2, 3].map((salt) => hashText(`${salt}${older.seed}run/0/child`).toString(36)).join("");
    expect(given.at(-1)?.slice(0, 2)).toEqual(["run-1/step/0/charge", `run-1.child.0-${secret}`]);
    expect(host.header.incarnation).toBeUndefined();
  });
});

test("SEC8 VER1 a run with a public token that older code created replays, and gets a URL that the Worker refuses", async () => {
  const urls: string[] = [];
  const body = workflowOf(async (ctx) => {
    const token = ctx.waitForToken({ public: true });
    urls.push(token.url);
    return token.wait();
  });
  const host = new MemoryHost({ workflows: [body] });
  host.trigger("w", undefined, { tenantId: "acme" });
  await host.settle();
  const { incarnation: _incarnation, publicMac: _mac, uses: _uses, ...older } = host.header;
  host.store.commit({ puts: new Map([[RECORD_KEY, older]]), deletes: new Set() });
  host.crash();
  const tokenId = host.header.waits[0]?.tokenId ?? "";
  host.resolveToken(tokenId, 1);
  await host.advance();
  expect(host.output).toBe(1);
  const [made = "", remade] = urls;
  expect(made).toMatch(new RegExp(`^/public/tokens/t-acme/run-1/0{15}1/[\\w-]+/${tokenId}$`));
  expect(remade).toBe(`/public/tokens/t-acme/run-1/${tokenId}`);
});

test("SEC2 ctx.run and each line of the log name the tenant", async () => {
  const host = new MemoryHost({
    workflows: [
      workflowOf((ctx) => {
        ctx.log.info("hello");
        return ctx.run.tenantId;
      }),
    ],
  });
  await give(host, { tenantId: "acme" });
  expect(host.output).toBe("acme");
  expect(host.logged).toMatchObject([{ message: "hello", runId: "run-1", tenantId: "acme" }]);
});
