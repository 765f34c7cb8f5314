/** The types of workflows, waits and calls, as authors and callers meet them. */
import { ChildRunError, type Wait, type WorkflowContext, schedule, workflow } from "@holdfast/workflows";
import { createClient } from "@holdfast/workflows/client";
import { testWorkflow, testWorld } from "@holdfast/workflows/testing";
import { describe, expect, expectTypeOf, test } from "vitest";
import * as z from "zod";

interface Order {
  readonly id: string;
}

const typed = workflow({ id: "typed", run: async (order: Order) => order.id.length });
const bare = workflow({ id: "bare", run: () => "done" });
const optional = workflow({ id: "optional", run: (order: Order | undefined) => order?.id });
const free = workflow({ id: "free", run: (input) => input.anything as number });
const explicit = workflow<Order, number>({ id: "explicit", run: async (order) => order.id.length });
const checked = workflow({
  id: "checked",
  run: (input, ctx) => ctx.step("a", () => input.at.toISOString()),
  input: z.object({ at: z.string().transform((text) => new Date(text)) }),
});
const checkedOutput = workflow({
  id: "checked-output",
  output: z.object({ n: z.number() }),
  run: () => ({ n: 1, more: 2 }),
});
const annotated = workflow({ id: "annotated", input: z.object({ id: z.string() }), run: (order: Order) => order.id });

type Types<W extends { readonly types?: unknown }> = NonNullable<W["types"]>;

describe("the types of a workflow", () => {
  test("RUN5 a typed parameter without a schema gives the type of the input", () => {
    expectTypeOf<Types<typeof typed>>().toEqualTypeOf<{ readonly input: Order; readonly output: number }>();
    expectTypeOf<Types<typeof optional>["input"]>().toEqualTypeOf<Order | undefined>();
    expectTypeOf<Types<typeof bare>>().toEqualTypeOf<{ readonly input: unknown; readonly output: string }>();
    expectTypeOf<Types<typeof free>>().toEqualTypeOf<{ readonly input: unknown; readonly output: number }>();
  });

  test("RUN5 explicit types of input and output are the types of the workflow", () => {
    expectTypeOf<Types<typeof explicit>>().toEqualTypeOf<{ readonly input: Order; readonly output: number }>();
    // @ts-expect-error -- the function must return the output
    workflow<Order, number>({ id: "wrong", run: () => "text" });
  });

  test("RUN5 a schema gives what callers send and what they get", () => {
    expectTypeOf<Types<typeof checked>>().toEqualTypeOf<{
      readonly input: { at: string };
      readonly output: string;
    }>();
    expectTypeOf<Types<typeof checkedOutput>["output"]>().toEqualTypeOf<{ n: number }>();
    expectTypeOf<Types<typeof annotated>["input"]>().toEqualTypeOf<{ id: string }>();
  });

  test("RUN7 options and schemas may be undefined", () => {
    const made = workflow({ id: "w", input: undefined, timeout: undefined, retry: undefined, run: () => 1 });
    expectTypeOf<Types<typeof made>["output"]>().toEqualTypeOf<number>();
    expect(made.timeoutMs).toBeUndefined();
  });
});

/** Only compiled: the calls are never made. */
const compiled = (_body: (ctx: WorkflowContext) => unknown): void => {};

describe("the types of calls", () => {
  test("CHILD2 ctx.invoke needs the child's input, and none for a child without input", () => {
    compiled(async (ctx) => {
      expectTypeOf(await ctx.invoke(bare)).toEqualTypeOf<string>();
      expectTypeOf(await ctx.invoke(optional)).toEqualTypeOf<string | undefined>();
      expectTypeOf(await ctx.invoke(typed, { id: "o" })).toEqualTypeOf<number>();
      expectTypeOf(await ctx.invoke(typed, { id: "o" }, { tags: undefined })).toEqualTypeOf<number>();
      expectTypeOf(await ctx.invoke(typed, { id: "o" }, { detach: true })).toEqualTypeOf<{ readonly runId: string }>();
      expectTypeOf(await ctx.invoke({ id: "elsewhere" })).toEqualTypeOf<unknown>();
      // @ts-expect-error -- the input is missing
      await ctx.invoke(typed);
      // @ts-expect-error -- the input has another type
      await ctx.invoke(typed, { id: 1 });
    });
  });

  test("RUN2 client.trigger needs the workflow's input", () => {
    compiled(async () => {
      const client = createClient({ url: "https://flows.example", token: undefined });
      expectTypeOf(
        await (await client.trigger(typed, { id: "o" }, { runId: undefined })).result(),
      ).toEqualTypeOf<number>();
      await client.trigger(bare);
      await client.trigger("by-id");
      await client.trigger("by-id", { any: 1 }, { tags: ["vip"] });
      await client.trigger(checked, { at: "2027-01-01" });
      // @ts-expect-error -- the input is missing
      await client.trigger(typed);
      // @ts-expect-error -- callers send what the schema takes, not what it gives
      await client.trigger(checked, { at: new Date() });
      expectTypeOf((await testWorkflow(typed, { id: "o" })).output).toEqualTypeOf<number | undefined>();
      await testWorkflow(bare);
      // @ts-expect-error -- the input is missing
      await testWorkflow(typed);
    });
  });

  test("WAIT4 a wait is null only if a time-out can end it so", () => {
    compiled(async (ctx) => {
      expectTypeOf(await ctx.waitForSignal<number>("s")).toEqualTypeOf<number>();
      expectTypeOf(await ctx.waitForSignal<number>("s", { match: { a: 1 } })).toEqualTypeOf<number>();
      expectTypeOf(await ctx.waitForSignal<number>("s", { timeout: undefined })).toEqualTypeOf<number>();
      expectTypeOf(await ctx.waitForEvent<number>("e", { timeout: "1h", onTimeout: "throw" })).toEqualTypeOf<number>();
      expectTypeOf(await ctx.waitForEvent<number>("e", { timeout: "1h" })).toEqualTypeOf<number | null>();
      expectTypeOf(await ctx.waitForEvent<number>("e", { timeout: "1h", onTimeout: undefined })).toEqualTypeOf<
        number | null
      >();
      expectTypeOf(await ctx.waitForToken<number>().wait()).toEqualTypeOf<number>();
      expectTypeOf(await ctx.waitForToken<number>({ timeout: "1h" }).wait()).toEqualTypeOf<number | null>();
      const choices = [
        { label: "Yes", value: "yes" },
        { label: "No", value: false },
      ] as const;
      expectTypeOf(await ctx.waitForToken({ ask: { title: "Well?", choices } }).wait()).toEqualTypeOf<"yes" | false>();
      const inline = ctx.waitForToken({
        timeout: "1h",
        ask: { title: "Well?", choices: [{ label: "Yes", value: "yes" }] },
      });
      expectTypeOf(await inline.wait()).toEqualTypeOf<"yes" | null>();
      const verdict = z.object({ ok: z.boolean() });
      expectTypeOf(await ctx.waitForToken({ ask: { title: "Well?", schema: verdict } }).wait()).toEqualTypeOf<{
        ok: boolean;
      }>();
      const data = { type: "object", properties: { ok: { type: "boolean" } } };
      expectTypeOf(await ctx.waitForToken({ ask: { title: "Well?", schema: data } }).wait()).toEqualTypeOf<unknown>();
      expectTypeOf(
        await ctx.waitForToken<{ ok: boolean }>({ ask: { title: "Well?", schema: data } }).wait(),
      ).toEqualTypeOf<{ ok: boolean }>();
      const wait: Wait<number> = ctx.waitForSignal<number>("s", { timeout: "1h" });
      for await (const one of wait) expectTypeOf(one).toEqualTypeOf<number>();
    });
  });

  test("SCH1 a schedule needs the input that its workflow needs", () => {
    schedule({ id: "a", cron: "0 * * * *", workflow: typed, input: { id: "o-1" } });
    schedule({ id: "b", cron: "0 * * * *", workflow: bare });
    schedule({ id: "c", cron: "0 * * * *", workflow: optional });
    // @ts-expect-error -- the input is missing
    schedule({ id: "d", cron: "0 * * * *", workflow: typed });
    // @ts-expect-error -- the input is another one
    schedule({ id: "e", cron: "0 * * * *", workflow: typed, input: { id: 1 } });
  });

  test("CHILD2 the error of a child says which run ended how", () => {
    const read = ({ data }: ChildRunError): string => `${data.runId} ${data.status} ${data.error.code ?? ""}`;
    const data = { runId: "r-1", status: "failed", error: { name: "Error", message: "no", code: "FATAL" } };
    expect(read(new ChildRunError("no", { data }))).toBe("r-1 failed FATAL");
  });

  test("RUN5 a world gives the results of a workflow with their type", () => {
    const world = testWorld({ workflows: [typed] });
    expectTypeOf(world.results(typed)[0]?.output).toEqualTypeOf<number | undefined>();
    expectTypeOf(world.results()[0]?.output).toEqualTypeOf<unknown>();
    expect(world.results(typed)).toEqual([]);
  });
});
