/** Answers to asks: choices, forms, JSON, refusals, and what becomes of an ask, on real asks. */
import { describe, expect, test } from "vitest";
import { CHOICES, useAsks } from "./harness/asks.ts";
import { useDashboard } from "./harness/dashboard.ts";
import { focused } from "./harness/reader.ts";
import { TOKENS } from "./harness/server.ts";

const dashboard = useDashboard();
const asks = useAsks(dashboard);

describe("an answer", () => {
  test("ASK4 a choice sends its value, and the run continues with it", async () => {
    const id = await asks.ask({ title: "Refund order 1043?", choices: CHOICES });
    const page = await asks.open();
    await page.getByRole("button", { name: "Refund order" }).click();
    await page.getByRole("button", { name: "Reject" }).click();
    await page.getByText("You answered: Reject.").waitFor();
    expect(await asks.outputOf(id)).toEqual([{ approved: false }]);
    expect(await focused(page)).toBe("Refund order 1043?");
    await page.getByText("0 open").first().waitFor();
  });

  test("DASH6 a high risk needs a second click, and a double click is one", async () => {
    const id = await asks.ask({ title: "Deploy?", choices: CHOICES, risk: "high" });
    const page = await asks.open();
    await page.getByRole("button", { name: "Deploy?" }).click();
    await page.getByRole("button", { name: "Approve" }).dblclick();
    const dialog = page.getByRole("dialog", { name: "Send this answer?" });
    await dialog.getByText('"approved": true').waitFor();
    expect(await focused(page)).toBe("Back");
    await page.mouse.dblclick(5, 5);
    expect(await focused(page), "a press beside the dialog moves no focus").toBe("Back");
    await dialog.getByRole("button", { name: "Back" }).click();
    await dialog.waitFor({ state: "hidden" });
    expect((await dashboard.server.client().run(id).get()).status).toBe("waiting");
    await page.getByRole("button", { name: "Reject" }).click();
    await page.getByRole("button", { name: "Confirm: Reject" }).click();
    await page.getByText("You answered: Reject.").waitFor();
    expect(await asks.outputOf(id)).toEqual([{ approved: false }]);
  });

  test("DASH6 the form of a schema refuses at the field, and sends what it describes", async () => {
    const schema = {
      type: "object",
      required: ["approve", "amount"],
      properties: {
        approve: { type: "boolean", title: "Refund?" },
        amount: { type: "number", title: "Amount", maximum: 100 },
        reason: {
          title: "Reason",
          oneOf: [
            { const: "R1", title: "Lost" },
            { const: "R2", title: "Damaged" },
          ],
        },
        note: { type: "string", title: "Note", format: "multiline" },
        tags: { type: "array", title: "Tags", items: { type: "string" } },
        to: {
          type: "object",
          title: "Send to",
          required: ["city"],
          properties: { city: { type: "string", title: "City" } },
        },
      },
    };
    const id = await asks.ask({ title: "How much?", schema });
    const page = await asks.open();
    await page.getByRole("button", { name: "How much?" }).click();
    await page.getByRole("textbox", { name: "Amount" }).fill("120");
    await page.getByRole("button", { name: "Send answer" }).click();
    await page.getByText("2 things need a change").waitFor();
    await page.getByText("Write a number of at most 100.").waitFor();
    await page.getByRole("group", { name: "Refund?" }).getByText("Choose one.").waitFor();
    expect(await page.evaluate(() => (document.activeElement as HTMLInputElement).type)).toBe("radio");
    await page.getByRole("radio", { name: "Yes" }).check();
    await page.getByRole("textbox", { name: "Amount" }).fill("99.5");
    await page.getByRole("radio", { name: "Lost" }).check();
    await page.getByRole("textbox", { name: "Note" }).fill("two\nlines");
    await page.getByRole("group", { name: "Tags" }).getByRole("button", { name: "Add one" }).click();
    await page.getByRole("group", { name: "Tags" }).getByRole("textbox").fill("vip");
    await page.getByRole("textbox", { name: "City" }).fill("Bern");
    await page.getByRole("button", { name: "Send answer" }).click();
    await page.getByText("You answered:").waitFor();
    expect(await asks.outputOf(id)).toEqual([
      { approve: true, amount: 99.5, reason: "R1", note: "two\nlines", tags: ["vip"], to: { city: "Bern" } },
    ]);
  });

  test("ASK4 DASH6 what the server refuses is shown at its field, and the ask stays open", async () => {
    const schema = {
      type: "object",
      properties: {
        code: { type: "string", title: "Code", pattern: "^[A-Z]{2}-[0-9]+$" },
        lines: {
          type: "array",
          title: "Lines",
          items: { type: "object", properties: { sku: { title: "SKU", type: "string", pattern: "^S" } } },
        },
      },
    };
    const id = await asks.ask({ title: "Which code?", schema });
    const page = await asks.open();
    await page.getByRole("button", { name: "Which code?" }).click();
    const code = page.getByRole("textbox", { name: "Code" });
    await code.fill("x");
    await page.getByRole("button", { name: "Add one" }).click();
    await page.getByRole("textbox", { name: "SKU" }).fill("T1");
    await page.getByRole("button", { name: "Send answer" }).click();
    await page.getByText("2 things need a change. Nothing was sent, and the ask is still open.").waitFor();
    expect(await page.evaluate(() => document.activeElement?.getAttribute("aria-invalid"))).toBe("true");
    for (const name of ["Code", "SKU"]) {
      const field = page.getByRole("textbox", { name });
      const problem = ((await field.getAttribute("aria-describedby")) ?? "")
        .split(" ")
        .find((one) => one.endsWith("problem"));
      expect(await page.locator(`[id="${problem}"]`).textContent()).toMatch(/match/);
    }
    await code.fill("AB-1");
    await page.getByRole("textbox", { name: "SKU" }).fill("S1");
    await page.getByRole("button", { name: "Send answer" }).click();
    await page.getByText("You answered:").waitFor();
    expect(await asks.outputOf(id)).toEqual([{ code: "AB-1", lines: [{ sku: "S1" }] }]);
  });

  test("DASH6 what no field expresses is written as JSON, beside its schema", async () => {
    const schema = { type: "object", additionalProperties: { type: "integer" } };
    const id = await asks.ask({ title: "Any names", schema });
    const page = await asks.open();
    await page.getByRole("button", { name: "Any names" }).click();
    await page.getByLabel("JSON Schema").getByText("additionalProperties").waitFor();
    const field = page.getByRole("textbox", { name: "Answer, as JSON" });
    await field.fill('{"a": 1,}');
    await page.getByText("Line 1, column 9").click();
    expect(await page.evaluate(() => (document.activeElement as HTMLTextAreaElement).selectionStart)).toBe(8);
    await field.fill('{"a": 1}');
    await page.getByRole("button", { name: "Send answer" }).click();
    await page.getByText("You answered:").waitFor();
    expect(await asks.outputOf(id)).toEqual([{ a: 1 }]);
  });

  test("the form becomes JSON and JSON the form, with what is written", async () => {
    const schema = {
      type: "object",
      properties: { a: { type: "string", title: "Name" }, n: { type: "integer", title: "Count" } },
    };
    await asks.ask({ title: "Either", schema });
    const page = await asks.open();
    await page.getByRole("button", { name: "Either" }).click();
    await page.getByRole("textbox", { name: "Name" }).fill("x");
    await page.getByRole("button", { name: "Write JSON instead" }).click();
    const field = page.getByRole("textbox", { name: "Answer, as JSON" });
    expect(await field.inputValue()).toBe('{\n  "a": "x"\n}');
    await field.fill('{"a": "y", "n": 3}');
    await page.getByRole("button", { name: "Use the form" }).click();
    expect(await page.getByRole("textbox", { name: "Name" }).inputValue()).toBe("y");
    await page.getByRole("button", { name: "Write JSON instead" }).click();
    await field.fill('{"b": true}');
    expect(await page.getByRole("button", { name: "Use the form" }).isDisabled()).toBe(true);
  });
});

describe("an ask that cannot be answered now", () => {
  test("ASK4 somebody answered first: the ask says who", async () => {
    const id = await asks.ask({ title: "A race", choices: CHOICES });
    const page = await asks.open();
    await page.getByRole("button", { name: "A race" }).click();
    await page.getByRole("button", { name: "Approve" }).waitFor();
    await asks.answerElsewhere(id, CHOICES[1]?.value);
    await page.getByRole("button", { name: "Approve" }).click();
    await page.getByText("dora answered first.").waitFor();
    expect(await asks.outputOf(id)).toEqual([{ approved: false }]);
  });

  test("the run of the ask was cancelled: the ask says so", async () => {
    const id = await asks.ask({ title: "Cancelled", choices: CHOICES });
    const page = await asks.open();
    await page.getByRole("button", { name: "Cancelled" }).click();
    await page.getByRole("button", { name: "Approve" }).waitFor();
    await dashboard.server.client().run(id).cancel("no need");
    await dashboard.server.client().run(id).ended();
    await page.getByRole("button", { name: "Approve" }).click();
    await page.getByText(/The run (?:has ended|is cancelled)\./).waitFor();
  });

  test("DASH5 a draft stays while workerd is killed, and is sent afterwards", async () => {
    const id = await asks.ask({ title: "Number?", schema: { type: "integer" } });
    const page = await asks.open();
    await page.getByRole("button", { name: "Number?" }).click();
    await page.getByRole("textbox", { name: "Answer" }).fill("7");
    await dashboard.server.kill();
    await page.getByRole("button", { name: "Send answer" }).click();
    await page.getByText("The server does not answer").first().waitFor();
    await dashboard.server.start();
    expect(await page.getByRole("textbox", { name: "Answer" }).inputValue()).toBe("7");
    await page.getByRole("button", { name: "Send answer" }).click();
    await page.getByText("You answered: 7.").waitFor();
    expect(await asks.outputOf(id)).toEqual([7]);
  });

  test("DASH5 a draft stays while the reader signs in again", async () => {
    const id = await asks.ask({ title: "Still there?", schema: { type: "integer" } });
    const page = await asks.open();
    await page.getByRole("button", { name: "Still there?" }).click();
    await page.getByRole("textbox", { name: "Answer" }).fill("5");
    await page.route("**/tokens/*", (route) =>
      route.fulfill({ status: 401, json: { error: "unauthorized", message: "The token is not valid any longer." } }),
    );
    await page.getByRole("button", { name: "Send answer" }).click();
    const panel = page.getByRole("dialog", { name: "Sign in" });
    await panel.getByLabel("Token").fill(TOKENS.ada);
    await page.unroute("**/tokens/*");
    await panel.getByRole("button", { name: "Sign in" }).click();
    await panel.waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Send answer" }).click();
    await page.getByText("You answered: 5.").waitFor();
    expect(await asks.outputOf(id)).toEqual([5]);
  });

  test("an answer to a paused run says when the run takes it", async () => {
    const id = await asks.ask({ title: "While paused", choices: CHOICES });
    await dashboard.server.client().run(id).pause();
    const page = await asks.open();
    await page.getByRole("button", { name: "While paused" }).click();
    await page.getByRole("button", { name: "Approve" }).click();
    await page.getByText("The run is paused, and takes it when the pause ends.").waitFor();
    await dashboard.server.client().run(id).unpause();
    expect(await asks.outputOf(id)).toEqual([{ approved: true }]);
  });

  test("who may only read sees the ask, and no form", async () => {
    await asks.ask({ title: "Look, do not touch", details: "**All** of it.", choices: CHOICES });
    const page = await asks.open({ as: "reader" });
    await page.getByRole("button", { name: "Look" }).click();
    await page.getByText("the scope deliver").waitFor();
    await page.getByText("All of it.").waitFor();
    expect(await page.getByRole("button", { name: "Approve" }).count()).toBe(0);
  });
});

describe("hostile asks", () => {
  test("DASH7 details have no markup but Markdown, no image, and no address but of http and https", async () => {
    const details = [
      "<script>pwned()</script><img src=x onerror=pwned()>",
      "[click](javascript:pwned()) ![i](https://evil.example/i.png) [ok](https://ok.example/a)",
      "*".repeat(4_000),
      "[".repeat(4_000),
    ].join("\n\n");
    const title = "\u202eesrever <b>bold</b>";
    await asks.ask({ title, details, choices: [{ label: "<i>yes</i>\u202e", value: "<script>" }] });
    const page = await asks.open();
    await page.locator("[data-row]").click();
    await page.getByText("<script>pwned()</script>").waitFor();
    const links = page.locator(".markdown a");
    expect(
      await links.evaluateAll((all) => all.map((a) => [(a as HTMLAnchorElement).href, a.getAttribute("rel")])),
    ).toEqual([
      ["https://evil.example/i.png", "noopener noreferrer nofollow"],
      ["https://ok.example/a", "noopener noreferrer nofollow"],
    ]);
    expect(await page.locator(".ask img, .ask b, .ask script, .ask i").count()).toBe(0);
    await page.getByRole("button", { name: "<i>yes</i>" }).waitFor();
  });

  test("an ask that is too large for the list is read from its run", async () => {
    const details = `${"A long story. ".repeat(800)}\n\nThe end of it.`;
    await asks.ask({ title: "Large", details, schema: { type: "integer", title: "Count" } });
    const page = await asks.open();
    await page.getByRole("button", { name: "Large" }).click();
    await page.getByText("The end of it.").waitFor();
    await page.getByRole("textbox", { name: "Count" }).waitFor();
  });
});

describe("on the page of its run", () => {
  test("DASH5 an open ask is answered below the reason of the run", async () => {
    const id = await asks.ask({ title: "Approve this run?", details: "It is **big**.", choices: CHOICES });
    const page = await dashboard.open(`/ui/runs/${id}`);
    await page.getByRole("heading", { name: "Approve this run?" }).waitFor();
    await page.getByRole("button", { name: "Approve", exact: true }).click();
    await page.getByText("You answered: Approve.").waitFor();
    expect(await asks.outputOf(id)).toEqual([{ approved: true }]);
  });
});

describe("the actions of a run", () => {
  test("the reason of a run leads to the form of its ask", async () => {
    const id = await asks.ask({ title: "Here?", details: "line\n".repeat(100), choices: CHOICES, risk: "high" });
    const page = await dashboard.open(`/ui/runs/${id}`);
    await page.getByRole("button", { name: "Approve", exact: true }).waitFor();
    await page.getByRole("button", { name: "Answer token" }).click();
    expect(await focused(page)).toBe("Here?");
    expect(await page.getByRole("dialog").count()).toBe(0);
  });

  test("ASK4 an answer as JSON that does not fit is refused at its field", async () => {
    const id = await asks.ask({
      title: "How many?",
      schema: { type: "object", properties: { n: { type: "integer" } } },
      risk: "high",
    });
    const page = await dashboard.open(`/ui/runs/${id}`);
    await page.getByRole("button", { name: "Actions" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("button", { name: /Answer token/ }).click();
    await dialog.getByRole("option", { name: "How many?" }).waitFor({ state: "attached" });
    await dialog.getByText("The risk is high.").waitFor();
    await dialog.getByRole("textbox", { name: "Answer, as JSON" }).fill('{"n": "x"}');
    await dialog.getByRole("button", { name: "Answer token" }).click();
    await dialog.getByText("/n: must be a whole number", { exact: true }).waitFor();
  });
});
