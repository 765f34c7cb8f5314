/** What a function catches of a thrown error: the same live, on replay and across a pipe (STEP3, STEP9). */
import { type WorkflowContext, workflow } from "@holdfast/workflows";
import { MemoryHost, MemoryStore } from "@holdfast/workflows/testing";
import { describe, expect, test } from "vitest";
import { finished, started, workflowOf } from "./run-workflow.ts";

function cyclic(): Error {
  const error = Object.assign(new Error("cyclic"), { status: 1 });
  error.cause = error;
  return error;
}

/** Each throws one error, or another value. */
const THROWN: Readonly<Record<string, () => unknown>> = {
  "a numeric code": () => Object.assign(new Error("duplicate key"), { name: "MongoServerError", code: 11_000 }),
  "a text as code": () => Object.assign(new Error("m"), { code: "11000" }),
  "a cause with a cause": () =>
    new TypeError("outer", { cause: new Error("middle", { cause: Object.assign(new Error("inner"), { code: 7 }) }) }),
  "a cause that is text": () => new Error("m", { cause: "because" }),
  members: () => new AggregateError([new RangeError("a"), Object.assign(new Error("b"), { code: 2 }), "c"], "all"),
  "own fields": () =>
    Object.assign(new Error("m"), { errno: -111, syscall: "connect", issues: [{ path: ["a", 0] }], at: new Date(5) }),
  "what has no encoding": () =>
    Object.assign(new Error("m", { cause: new Error("why") }), {
      data: { fn: () => 1 },
      socket: new WeakMap(),
      status: 5,
    }),
  "more than the limit": () =>
    new Error("x".repeat(100_000), { cause: Object.assign(new Error("y".repeat(90_000)), { code: 3 }) }),
  "itself as its cause": cyclic,
  data: () => Object.assign(new Error("m"), { data: new Map([[1, new Set([2n])]]) }),
  "an AbortError of the platform": () => new DOMException("stop", "AbortError"),
  text: () => "only text",
  "a plain object": () => ({ name: "Like", message: "an error", code: 5 }),
  undefined: () => undefined,
};

/** All that code can read of a caught error, to a bounded depth. */
function seen(error: unknown, depth = 0): unknown {
  if (!(error instanceof Error) || depth > 4) return error instanceof Error ? "…" : error;
  const { name, message, cause, stack } = error;
  const { errors, data, ...fields } = error as Error & { errors?: unknown[]; data?: unknown };
  const [inner, members] = [seen(cause, depth + 1), errors?.map((one) => seen(one, depth + 1))];
  return { name, message, fields: { ...fields }, data, cause: inner, members, stack };
}

async function caught(ctx: WorkflowContext, thrown: () => unknown): Promise<unknown> {
  return ctx
    .step("fails", { retry: { max: 1 } }, () => {
      throw thrown();
    })
    .then(
      () => "nothing was thrown",
      (error) => seen(error),
    );
}

describe("a thrown error", () => {
  test.each(Object.entries(THROWN))(
    "STEP3 STEP9 what is caught is equal live, on replay and across a pipe: %s",
    async (_what, thrown) => {
      for (const remote of [false, true]) {
        const live: unknown[] = [];
        const host = await started(
          async (ctx) => {
            live.push(await caught(ctx, thrown));
            await ctx.waitForSignal("go");
            return live.length;
          },
          { faults: { remote: () => remote } },
        );
        host.crash();
        host.deliver("signal", "go");
        await host.settle();
        expect([remote, host.header.status, live.length]).toEqual([remote, "completed", 2]);
        expect(live[1]).toEqual(live[0]);
      }
    },
  );

  test("STEP9 code, cause, members, data and own fields are as they were thrown", async () => {
    const host = await finished(async (ctx) => {
      const all: unknown[] = [];
      for (const [what, thrown] of Object.entries(THROWN))
        all.push([what, JSON.parse(JSON.stringify(await caught(ctx, thrown)) ?? "null")]);
      return Object.fromEntries(all as [string, unknown][]);
    });
    expect(host.output).toMatchObject({
      "a numeric code": { name: "MongoServerError", message: "duplicate key", fields: { code: 11_000 } },
      "a text as code": { fields: { code: "11000" } },
      "a cause with a cause": { cause: { message: "middle", cause: { message: "inner", fields: { code: 7 } } } },
      "a cause that is text": { cause: "because" },
      members: { name: "AggregateError", members: [{ name: "RangeError" }, { fields: { code: 2 } }, "c"] },
      "own fields": { fields: { errno: -111, syscall: "connect", issues: [{ path: ["a", 0] }] } },
      "what has no encoding": { fields: { status: 5 }, cause: { message: "why" } },
      "more than the limit": { cause: { fields: { code: 3 } } },
      "itself as its cause": { message: "cyclic", fields: { status: 1 } },
      "an AbortError of the platform": { name: "AbortError", fields: { code: 20 } },
      text: { message: "only text", data: "only text" },
      "a plain object": { name: "Like", fields: { code: 5 } },
    });
  });

  test("STEP9 SEC4 the stack is stored with those of the causes, bounded, and a parent does not get its child's", async () => {
    const child = workflow({
      id: "child",
      run: (_input, ctx) =>
        ctx.step("fails", { retry: { max: 1 } }, () => {
          const cause = Object.assign(new Error("inner"), { stack: `deep ${"x".repeat(100_000)}` });
          throw new Error("outer", { cause });
        }),
    });
    const parent = workflow({ id: "parent", run: (_input, ctx) => ctx.invoke(child, {}) });
    const host = new MemoryHost({ workflows: [child, parent] });
    host.trigger("parent");
    await host.advance();
    const inner = [...host.world.values()].find((one) => one !== host);
    const entry = inner?.journal.find(({ type }) => type === "step.failed");
    const stack = entry !== undefined && "error" in entry ? (entry.error.stack ?? "") : "";
    expect(stack).toMatch(/^Error: outer\n +at .*thrown-errors[^]*\nCaused by: deep x/);
    expect([stack.length, inner?.header.error?.stack]).toEqual([8_192, stack]);
    expect(host.header.error).toMatchObject({ code: "CHILD_RUN_FAILED", message: expect.stringContaining("outer") });
    expect(JSON.stringify(host.store.dump())).not.toMatch(/deep x|thrown-errors/);
  });

  test("VER1 STEP9 an error that was stored without original and stack is caught as before", async () => {
    const store = new MemoryStore();
    const workflows = [
      workflowOf(async (ctx) => [await caught(ctx, () => new Error("m")), await ctx.waitForSignal("go")][0]),
    ];
    const host = new MemoryHost({ workflows, store });
    host.trigger("w");
    await host.settle();
    const key = Object.keys(store.dump()).find((one) => one.startsWith("journal/")) ?? "";
    const row = store.get(key) as { readonly error: object };
    store.overwrite(key, { ...row, error: { name: "E", message: "old", code: "7", data: "[5]" } });
    const later = new MemoryHost({ workflows, store, clock: host.clock });
    later.deliver("signal", "go");
    await later.settle();
    expect(later.output).toMatchObject({ name: "E", message: "old", fields: { code: "7" }, data: 5, stack: "E: old" });
  });
});

describe("a stored value that does not decode", () => {
  const BROKEN = '[["Unknown",1],2]';

  const child = workflow({ id: "child", run: () => 1 });

  /** Stores a run whose operation has ended with a text that no decoder reads, and continues it. */
  async function continued(type: string, row: object): Promise<MemoryHost> {
    const store = new MemoryStore();
    const operation = (ctx: WorkflowContext): Promise<unknown> =>
      type === "child.ended" ? ctx.invoke(child, {}) : ctx.step("a", () => 1);
    const parent = workflowOf(async (ctx) => {
      const value = await operation(ctx).catch((error: Error) => error);
      await ctx.waitForSignal("go");
      if (value instanceof Error) throw value;
      return value;
    });
    const workflows = [parent, child];
    const host = new MemoryHost({ workflows, store });
    host.trigger("w");
    await host.advance();
    const [key, entry] = Object.entries(store.dump()).find(([, one]) => (one as { type?: string }).type === type) ?? [
      "",
    ];
    store.overwrite(key, { ...(entry as object), ...row });
    const later = new MemoryHost({ workflows, store, clock: host.clock });
    later.deliver("signal", "go");
    await later.settle();
    return later;
  }

  test.each([
    ["a step", "step.completed", { value: BROKEN }, 'step "a"'],
    ["a child", "child.ended", { outcome: { status: "completed", runId: "c", output: BROKEN } }, 'of "child"'],
  ])("STEP5 the call of %s rejects with UNSERIALIZABLE, so the run ends", async (_what, type, row, named) => {
    const host = await continued(type, row);
    expect(host.header).toMatchObject({ status: "failed", error: { code: "UNSERIALIZABLE" } });
    expect(host.header.error?.message).toContain(named);
  });

  test("STEP9 the data and the original of an error that do not decode do not stop the run", async () => {
    const error = { name: "E", message: "m", data: BROKEN, original: BROKEN };
    const host = await continued("step.completed", { type: "step.failed", error });
    expect(host.header).toMatchObject({ status: "failed", error: { name: "E", message: "m" } });
  });
});
