/** tests: asks in memory: what is stored of them, who may answer what, and what stays open (ASK1 to ASK5) */
import { HOST_LIMITS } from "@holdfast/protocol";
import { type AskOptions, type WorkflowContext, workflow } from "@holdfast/workflows";
import { MemoryHost } from "@holdfast/workflows/testing";
import { openAsks } from "@holdfast/orchestrator";
import { describe, expect, test } from "vitest";
import { journalOf, outcomeOf, started } from "./run-workflow.ts";

const REFUND: AskOptions = {
  title: "Refund order o-1?",
  details: "The parcel is **lost**.",
  choices: [
    { label: "Refund", value: "refund" },
    { label: "Send again", value: { resend: true } },
  ],
  assignees: ["role:finance", "ann"],
  risk: "high",
};

const asks =
  (ask: AskOptions) =>
  (ctx: WorkflowContext): Promise<unknown> =>
    ctx.waitForToken({ tokenId: "t", ask }).wait();

describe("an ask", () => {
  test("ASK1 is stored with its wait and in the journal, and its answer is the result of the wait", async () => {
    const host = await started(asks(REFUND));
    expect(host.header.waits).toMatchObject([{ tokenId: "t", ask: REFUND }]);
    expect(host.journal).toMatchObject([{ type: "wait.opened", ask: REFUND }]);
    expect(host.header.uses).toContain("asks");
    expect(host.resolveToken("t", "refund")).toEqual({ type: "delivered", delivery: "resolved" });
    await host.settle();
    expect(outcomeOf(host)).toMatchObject({ status: "completed", output: "refund" });
  });

  test("ASK3 does not change after a deploy with another text, and replay does not compare it", async () => {
    let text = "Refund?";
    const host = await started(async (ctx) => {
      const answer = ctx.waitForToken({ tokenId: "t", ask: { title: text } });
      await ctx.step("note", () => 1);
      return answer.wait();
    });
    text = "Refund, really?";
    host.crash();
    host.resolveToken("t", 1);
    await host.advance();
    expect(host.header.status).toBe("completed");
    expect(host.journal[0]).toMatchObject({ ask: { title: "Refund?" } });
  });

  test("ASK3 of an earlier deploy is taken away or added by later code without a divergence", async () => {
    for (const [before, after] of [
      [{ title: "Well?" }, undefined],
      [undefined, { title: "Well?" }],
    ]) {
      let ask = before;
      const host = await started((ctx) => ctx.waitForToken({ tokenId: "t", ask }).wait());
      ask = after;
      host.crash();
      host.resolveToken("t", 1);
      await host.advance();
      expect(host.header.status).toBe("completed");
    }
  });

  test("ASK1 that is large is in the row of its wait, and the header stays small", async () => {
    const host = await started(async (ctx) => {
      const tokens = ["a", "b", "c"].map((tokenId) =>
        ctx.waitForToken({ tokenId, ask: { title: tokenId, details: tokenId === "a" ? "" : "x".repeat(10_000) } }),
      );
      return Promise.all(tokens.map((token) => token.wait()));
    });
    expect(JSON.stringify(host.store.get("record")).length).toBeLessThan(4_000);
    host.crash();
    expect(host.header.waits.map(({ ask }) => ask?.title)).toEqual(["a", "b", "c"]);
    for (const id of ["c", "a", "b"]) expect(host.resolveToken(id, id).type).toBe("delivered");
    await host.advance();
    expect(host.output).toEqual(["a", "b", "c"]);
  });
});

describe("an ask that is refused", () => {
  const SCHEMA = { type: "object" };
  const cases: Record<string, readonly [ask: unknown, message: string]> = {
    "a text": ["well?", "ask: must be an object"],
    "no title": [{}, "ask.title: must be a line of text"],
    "an empty title": [{ title: " " }, "ask.title: must be a line of text"],
    "a long title": [{ title: "x".repeat(201) }, "ask.title: has 201 characters; at most 200"],
    "two lines": [{ title: "a\nb" }, "ask.title: must be one line"],
    "an unknown field": [{ title: "a", assignee: "ann" }, "ask.assignee: unknown field. Known are: title, details"],
    "long details": [{ title: "a", details: "x".repeat(16_385) }, "ask.details: has 16385 characters"],
    "details of another type": [{ title: "a", details: 1 }, "ask.details: must be text"],
    "too many choices": [
      { title: "a", choices: Array.from({ length: 21 }, (_none, at) => ({ label: `${at}`, value: at })) },
      "ask.choices: must be a list of 1 to 20",
    ],
    "no choices": [{ title: "a", choices: [] }, "ask.choices: must be a list of 1 to 20"],
    "a choice without a value": [
      { title: "a", choices: [{ label: "x" }] },
      "ask.choices[0].value: must be a JSON value",
    ],
    "a large choice": [{ title: "a", choices: [{ label: "x", value: "x".repeat(1_024) }] }, "ask.choices[0].value"],
    "one label twice": [
      {
        title: "a",
        choices: [
          { label: "x", value: 1 },
          { label: "x", value: 2 },
        ],
      },
      "ask.choices[1].label: another choice has it",
    ],
    "too many assignees": [
      { title: "a", assignees: Array.from({ length: 51 }, String) },
      "ask.assignees: must be a list",
    ],
    "an empty assignee": [{ title: "a", assignees: [""] }, "ask.assignees[0]: must be text of 1 to 128"],
    "an unknown risk": [{ title: "a", risk: "huge" }, "ask.risk: must be one of low, medium, high"],
    "a large schema": [{ title: "a", schema: { description: "x".repeat(16_384) } }, "ask.schema: has 16402 characters"],
    "a schema of another type": [{ title: "a", schema: [] }, "ask.schema: must be a JSON Schema"],
    "a reference to elsewhere": [
      { title: "a", schema: { $ref: "https://x.example" } },
      "ask.schema.$ref: refers to elsewhere",
    ],
    "a pattern with a back reference": [
      { title: "a", schema: { properties: { x: { pattern: "(a)\\1" } } } },
      "ask.schema.properties.x.pattern: has a back reference",
    ],
    "a choice that does not fit the schema": [
      { title: "a", schema: { type: "string" }, choices: [{ label: "x", value: 1 }] },
      "ask.choices[0].value: does not fit the schema: must be text",
    ],
    "deep nesting": [
      { title: "a", schema: JSON.parse(`${'{"not":'.repeat(70)}{}${"}".repeat(70)}`) },
      "ask: is nested",
    ],
    "a huge ask": [{ title: "a", details: "x".repeat(140_000) }, "ask: has 140026 characters as JSON"],
  };

  test.each(Object.entries(cases))(
    "ASK2 rejects its wait with the field and what to do: %s",
    async (_name, [ask, message]) => {
      const host = await started(asks(ask as AskOptions));
      await host.advance();
      expect(outcomeOf(host)).toMatchObject({ status: "failed" });
      expect(host.header.error).toMatchObject({ code: "INVALID_ARGUMENT" });
      expect(host.header.error?.message).toContain(`ctx.waitForToken: ${message}`);
      expect(JSON.stringify([...host.store.list("")])).not.toContain("xxxxxxxxxx");
      expect(host.resolveToken("t", 1)).toMatchObject({ type: "refused" });
    },
  );

  test("ASK2 can be caught, and the run continues the same after a crash", async () => {
    const host = await started(async (ctx) => {
      const problem = await asks({ title: "" })(ctx).catch((error: Error & { code?: string }) => error.code);
      await ctx.waitForSignal("go");
      return [problem, await ctx.waitForToken({ tokenId: "u", ask: { title: "Well?", schema: SCHEMA } }).wait()];
    });
    expect(host.resolveToken("t", 1)).toMatchObject({ code: "already_resolved" });
    host.crash();
    host.deliver("signal", "go");
    await host.settle();
    expect(journalOf(host)).toContain("wait.released token/0/token");
    host.resolveToken("u", {});
    await host.advance();
    expect(host.output).toEqual(["INVALID_ARGUMENT", {}]);
  });

  test("ASK2 is the one beyond the limit of open asks of a run", async () => {
    const host = await started(async (ctx) => {
      const open = Array.from({ length: HOST_LIMITS.openAsks }, (_none, at) =>
        ctx.waitForToken({ tokenId: `t${at}`, ask: { title: "Well?" } }),
      );
      const error = await asks({ title: "One more?" })(ctx).catch(({ message }: Error) => message);
      return [open.length, error];
    });
    expect(host.output).toEqual([100, expect.stringContaining("has 100 open asks, which is the limit")]);
  });

  test("ASK2 a Standard Schema that its library cannot convert is refused at the call", async () => {
    const standard = { version: 1, vendor: "test", validate: () => ({ value: 1 }) } as const;
    const host = await started(asks({ title: "Well?", schema: { "~standard": standard } }));
    await host.advance();
    expect(host.header.error?.message).toContain("ctx.waitForToken.ask.schema: its library cannot convert it");
    expect(host.journal).toEqual([]);
  });

  test("ASK1 a Standard Schema is stored as the JSON Schema of its input", async () => {
    const converted: string[] = [];
    const input = ({ target }: { target: string }): Record<string, unknown> => {
      converted.push(target);
      return { type: "string" };
    };
    const standard = { version: 1, vendor: "test", jsonSchema: { input, output: input } } as const;
    const host = await started(asks({ title: "Well?", schema: { "~standard": standard } }));
    expect(converted).toEqual(["draft-2020-12"]);
    expect(host.header.waits).toMatchObject([{ ask: { title: "Well?", schema: { type: "string" } } }]);
  });
});

describe("an answer", () => {
  const SCHEMA = {
    type: "object",
    properties: { ok: { type: "boolean" }, note: { type: "string", maxLength: 5 } },
    required: ["ok"],
    additionalProperties: false,
  };

  test("ASK4 that does not fit the schema is refused with the path of each problem, and the ask stays open", async () => {
    const host = await started(asks({ title: "Well?", schema: SCHEMA }));
    const before = JSON.stringify([...host.store.list("")]);
    expect(host.resolveToken("t", { ok: "yes", note: "much too long" })).toMatchObject({
      type: "refused",
      code: "invalid_answer",
      details: {
        issues: [
          { path: "/ok", message: "must be true or false" },
          { path: "/note", message: "must have at most 5 characters" },
        ],
      },
    });
    for (const answer of [undefined, null, {}, { ok: true, more: 1 }, [], new Date(0), { ok: 1n }])
      expect(host.resolveToken("t", answer)).toMatchObject({ code: "invalid_answer" });
    expect(JSON.stringify([...host.store.list("")])).toBe(before);
    host.resolveToken("t", { ok: true });
    await host.advance();
    expect(host.output).toEqual({ ok: true });
  });

  test("ASK4 without a schema is the value of one of the choices", async () => {
    const host = await started(asks(REFUND));
    for (const answer of ["Refund", { resend: false }, undefined, null])
      expect(host.resolveToken("t", answer)).toMatchObject({ code: "invalid_answer" });
    expect(host.resolveToken("t", { resend: true })).toMatchObject({ type: "delivered" });
  });

  test("ASK4 to an ask without schema and choices may be anything, and so may that to a token without an ask", async () => {
    for (const ask of [{ title: "Well?" }, undefined]) {
      const host = await started((ctx) => ctx.waitForToken({ tokenId: "t", ask }).wait());
      expect(host.resolveToken("t", undefined)).toMatchObject({ type: "delivered" });
    }
  });

  test("ASK4 that does not fit is refused during a pause, too", async () => {
    const host = await started(asks(REFUND));
    host.operate("pause");
    expect(host.resolveToken("t", 1)).toMatchObject({ code: "invalid_answer" });
    expect(host.resolveToken("t", "refund")).toMatchObject({ delivery: "buffered" });
  });
});

describe("the end of an ask", () => {
  test("ASK4 a second answer is refused, and the refusal says who gave the first one", async () => {
    const host = await started(asks(REFUND));
    const answer = { type: "resolveToken", tokenId: "t", payload: '["refund"]' } as const;
    expect(host.host.handle({ ...answer, by: "ann" })).toMatchObject({ type: "delivered" });
    expect(host.host.handle({ ...answer, by: "bob" })).toMatchObject({
      code: "already_resolved",
      details: { by: "ann" },
    });
    await host.settle();
    expect(host.journal.at(-1)).toMatchObject({ type: "wait.resolved", answeredBy: "ann" });
    expect(host.host.handle({ ...answer, by: "bob" })).toMatchObject({
      code: "already_resolved",
      details: { by: "ann" },
    });
  });

  test("ASK5 an ask that was answered during a pause is not open, also after a crash", async () => {
    const host = await started(asks(REFUND));
    expect(openAsks(host.header)).toHaveLength(1);
    host.operate("pause");
    expect(openAsks(host.header)).toHaveLength(1);
    expect(host.resolveToken("t", "refund")).toMatchObject({ delivery: "buffered" });
    expect(openAsks(host.header)).toEqual([]);
    host.crash();
    expect(openAsks(host.header)).toEqual([]);
  });

  test("ASK4 an answer during a pause is the only one, also after a crash", async () => {
    const host = await started(asks(REFUND));
    host.operate("pause");
    const answer = { type: "resolveToken", tokenId: "t", payload: '["refund"]' } as const;
    expect(host.host.handle({ ...answer, by: "ann" })).toMatchObject({ delivery: "buffered" });
    host.crash();
    expect(host.host.handle({ ...answer, by: "bob" })).toMatchObject({
      code: "already_resolved",
      details: { by: "ann" },
    });
    host.operate("unpause");
    await host.advance();
    expect(host.output).toBe("refund");
    expect(host.journal).toContainEqual(expect.objectContaining({ type: "wait.resolved", answeredBy: "ann" }));
  });

  const ends: Record<string, readonly [act: (host: MemoryHost) => unknown, code: string]> = {
    "timed out": [(host) => host.advance(3_600_000), "already_resolved"],
    "was due while paused": [
      (host) => {
        host.operate("pause");
        host.clock.jump(3_600_000);
      },
      "already_resolved",
    ],
    "was cancelled": [(host) => host.cancel(), "run_unwinding"],
    "was terminated": [(host) => host.terminate("enough"), "run_terminal"],
  };

  test.each(Object.entries(ends))("ASK4 an ask that %s refuses an answer at once", async (_name, [act, code]) => {
    const body = (ctx: WorkflowContext): Promise<unknown> =>
      ctx.waitForToken({ tokenId: "t", timeout: "1h", ask: REFUND }).wait();
    const host = new MemoryHost({ workflows: [workflow({ id: "w", run: (_input, ctx) => body(ctx) })] });
    host.trigger("w");
    await host.settle();
    await act(host);
    expect(host.resolveToken("t", "refund")).toMatchObject({ type: "refused", code });
  });
});
