/** tests: the page of a public token with an ask: its form, and answers that do not fit (ASK7) */
import { workflow } from "@holdfast/workflows";
import { describe, expect, test, vi } from "vitest";
import { fieldsOf, readAnswer } from "../src/api/routes/token-form.ts";
import { questionPage } from "../src/api/routes/token-page.ts";
import { FakeDeployment, answerOf } from "./fake-platform.ts";

type Ask = NonNullable<Parameters<typeof questionPage>[0]["ask"]>;

const asks = workflow({
  id: "asks",
  run: async (ask: Ask, ctx) => {
    const token = ctx.waitForToken({ public: true, timeout: "1h", ask });
    ctx.metadata.set("url", token.url);
    return token.wait();
  },
});

const HEADERS = { Accept: "text/html", "Content-Type": "application/x-www-form-urlencoded", Origin: "null" };

async function issue(ask: Ask) {
  const api = new FakeDeployment([asks]);
  await api.fetch("/api/runs", { json: { runId: "r", workflowId: "asks", input: ask }, headers: { Prefer: "wait=5" } });
  const record = async (): Promise<Record<string, unknown>> => (await answerOf(await api.fetch("/api/runs/r"))).body;
  const { url } = (await record())["metadata"] as { url: string };
  const show = async (): Promise<string> => (await api.fetch(url, { headers: { Accept: "text/html" } })).text();
  const send = async (fields: Record<string, string>): Promise<{ status: number; html: string }> => {
    const body = new URLSearchParams(fields).toString();
    const answer = await api.fetch(url, { method: "POST", headers: HEADERS, body });
    return { status: answer.status, html: await answer.text() };
  };
  const output = (): Promise<unknown> =>
    vi.waitFor(async () => {
      const { status, output: value } = await record();
      expect(status).toBe("completed");
      return value;
    });
  return { api, url, show, send, output, record };
}

function expectParts(html: string, ...parts: readonly string[]): void {
  for (const part of parts) expect(html).toContain(part);
}

const SCHEMA = {
  type: "object",
  properties: {
    ok: { type: "boolean", title: "Refund it" },
    cents: { type: "integer", minimum: 1, maximum: 500, title: "Amount" },
    reason: { enum: ["lost", "broken"] },
    note: { type: "string", maxLength: 20, description: "For the customer" },
    due: { type: "string", format: "date" },
    story: { type: "string" },
    kind: { const: "refund" },
  },
  required: ["ok", "cents"],
} as const;

describe("the page of an ask", () => {
  test("ASK7 shows title, details as text, risk, and a control with a label for each field of the schema", async () => {
    const { show } = await issue({
      title: "Refund?",
      details: "The parcel is **lost**.\n<b>",
      risk: "high",
      schema: SCHEMA,
    });
    const html = await show();
    expect(html.match(/<h1>/g)).toHaveLength(1);
    expectParts(
      html,
      "<h1>Refund?</h1><p>The parcel is **lost**.\n&lt;b&gt;</p>",
      "Risk: high\nOpen until 20",
      "<fieldset><legend>Refund it</legend>",
      '<label><input type="radio" name=".ok" value="Yes" required> Yes</label>',
      '<label for="f1">Amount</label>',
      '<input type="number" id="f1" name=".cents" min="1" max="500" step="1" required value="">',
      "<legend>reason (optional)</legend>",
      'aria-describedby="h3"',
      '<small id="h3">For the customer</small>',
      '<input type="date" id="f4"',
      '<textarea rows="4" id="f5"',
    );
    expect(html).not.toMatch(/<script|onclick|src=|href=|\.kind/i);
    // Each control has a label: its own, or the one around it.
    const ids = [...html.matchAll(/<(?:input type="(?!radio)|textarea)[^>]*id="(\w+)"/g)].map(([, id]) => id);
    expect(ids).toEqual(["f1", "f3", "f4", "f5"]);
    for (const id of ids) expect(html).toContain(`<label for="${id}">`);
  });

  test("ASK7 the form sends the values with their types, and leaves out fields that are empty", async () => {
    const { send, output } = await issue({ title: "Refund?", schema: SCHEMA });
    const fields = {
      ".ok": "No",
      ".cents": "12",
      ".reason": "lost",
      ".note": "",
      ".due": "2030-01-31",
      ".story": "a\r\nb",
    };
    expect(await send(fields)).toMatchObject({ status: 200, html: expect.stringContaining("Thank you") });
    expect(await output()).toEqual({
      ok: false,
      cents: 12,
      reason: "lost",
      due: "2030-01-31",
      story: "a\nb",
      kind: "refund",
    });
  });

  test("ASK7 shows what is wrong beside its field, and what was typed, and the ask stays open", async () => {
    const { send, output } = await issue({ title: "Refund?", schema: SCHEMA });
    const { status, html } = await send({ ".ok": "Yes", ".cents": "900", ".note": '"quoted" and much too long' });
    expect(status).toBe(400);
    expectParts(
      html,
      "<title>Not sent: Refund?</title>",
      '<div role="alert">',
      '<p class="bad" id="e1">must be at most 500</p>',
      'aria-describedby="e1" aria-invalid="true" required value="900"',
      '<p class="bad" id="e3">must have at most 20 characters</p>',
      'value="&quot;quoted&quot; and much too long"',
      'value="Yes" checked required',
    );
    const again = await send({ ".cents": "x" });
    expect(again.status).toBe(400);
    expectParts(again.html, '<p class="bad" id="e0">is missing</p>', '<p class="bad" id="e1">must be a number</p>');
    expect(await send({ ".ok": "Yes", ".cents": "3" })).toMatchObject({ status: 200 });
    expect(await output()).toEqual({ ok: true, cents: 3, kind: "refund" });
  });

  test("ASK7 has a button for each choice, whose answer is the value", async () => {
    const choices = [
      { label: "Yes & now", value: { at: "now" } },
      { label: "No", value: false },
    ];
    const { show, send, output } = await issue({ title: "Well?", choices });
    const html = await show();
    expect(html).toContain('value="{&quot;at&quot;:&quot;now&quot;}">Yes &amp; now</button>');
    expect(await send({ payload: '"perhaps"' })).toMatchObject({
      status: 400,
      html: expect.stringContaining("must be one of {&quot;at&quot;:&quot;now&quot;}, false"),
    });
    expect(await send({ payload: '{"at":"now"}' })).toMatchObject({ status: 200 });
    expect(await output()).toEqual({ at: "now" });
  });

  test("ASK7 has choices and a form, if the ask has both", async () => {
    const { show, send, output } = await issue({
      title: "Name?",
      schema: { type: "string", minLength: 2, maxLength: 20 },
      choices: [{ label: "Ann", value: "Ann" }],
    });
    const html = await show();
    expect(html).toContain('value="&quot;Ann&quot;">Ann</button>');
    expect(html).toContain(
      '<label for="f0">Name?</label><input type="text" id="f0" name="." minlength="2" maxlength="20" required',
    );
    expect((await send({ ".": "B" })).html).toContain('id="e0">must have at least 2 characters');
    expect(await send({ ".": "Bob" })).toMatchObject({ status: 200 });
    expect(await output()).toBe("Bob");
  });

  test("ASK7 asks for JSON if the schema is not simple, and shows the text and its problem again", async () => {
    const { show, send, output } = await issue({
      title: "List?",
      schema: { type: "array", items: { type: "number" } },
    });
    expect(await show()).toContain('<label for="a">Your answer, as JSON</label><textarea id="a" name="payload"');
    const broken = await send({ payload: "[1, <" });
    expect(broken).toMatchObject({ status: 400, html: expect.stringContaining("must be JSON") });
    expect(broken.html).toContain("\n[1, &lt;</textarea>");
    expect((await send({ payload: '[1, "x"]' })).html).toContain("<li>/1 must be a number</li>");
    expect(await send({ payload: "[1]" })).toMatchObject({ status: 200 });
    expect(await output()).toEqual([1]);
  });

  test("ASK4 JSON to the public URL is checked as well, with the issues, and says nothing of who answered", async () => {
    const { api, url, output } = await issue({ title: "Well?", schema: { type: "string" } });
    expect(await answerOf(await api.fetch(url, { json: { payload: 1 } }))).toMatchObject({
      status: 400,
      body: { error: "invalid_answer", details: { issues: [{ path: "", message: "must be text" }] } },
    });
    expect((await api.fetch(url, { json: { payload: "x" } })).status).toBe(202);
    const again = await answerOf(await api.fetch(url, { json: { payload: "x" } }));
    expect(again).toMatchObject({ status: 409, body: { error: "already_resolved" } });
    expect(again.body).not.toHaveProperty("details");
    expect(await output()).toBe("x");
  });

  test.each([
    { ".other": "1" },
    { ".ok": "Yes", ".cents": "1", x: "1" },
    { ".ok": "Yes", payload: "1" },
    { ".ok": "perhaps", ".cents": "1" },
  ])("ASK7 LIM2 the fields %j are refused, and the ask stays open", async (fields) => {
    const { send } = await issue({ title: "Refund?", schema: SCHEMA });
    expect((await send(fields)).status).toBe(400);
    expect((await send({ ".ok": "Yes", ".cents": "1" })).status).toBe(200);
  });

  test("ASK7 names of properties are escaped, and __proto__ is a name like others", () => {
    const evil = '"><script>';
    const properties = JSON.parse(
      `{ "__proto__": { "type": "string" }, ${JSON.stringify(evil)}: { "type": "number" } }`,
    );
    const ask = { title: "x", schema: { type: "object", properties } };
    expect(fieldsOf(ask)?.map(({ name }) => name)).toEqual([".__proto__", `.${evil}`]);
    const read = readAnswer(
      ask,
      new Map([
        [".__proto__", "a"],
        [`.${evil}`, "1"],
      ]),
    );
    expect("payload" in read && Object.entries(Object(read.payload))).toEqual([
      ["__proto__", "a"],
      [evil, 1],
    ]);
  });

  test.each([
    { type: "object", properties: { a: { type: "object" } } },
    { type: "object", properties: { a: { $ref: "#/$defs/a" } } },
    { type: "object" },
    { type: "object", properties: { a: { type: ["string", "null"] } } },
    { type: "object", properties: { a: { enum: ["1", 1] } } },
    { anyOf: [{ type: "string" }] },
    true,
  ])("ASK7 the schema %j has no fields", (schema) => {
    expect(fieldsOf({ title: "x", schema })).toBeUndefined();
  });
});
