/** The page of approvals, and the asks on the page of a run, on real asks. */
import type { Page } from "playwright-core";
import { beforeEach, describe, expect, test } from "vitest";
import { useDashboard } from "./harness/dashboard.ts";
import { startRun } from "./harness/runs.ts";

const dashboard = useDashboard();

interface Question {
  readonly title: string;
  readonly timeout?: string | number;
  readonly [field: string]: unknown;
}

const CHOICES = [
  { label: "Approve", value: { approved: true } },
  { label: "Reject", value: { approved: false } },
];

let runs = 0;

/** Starts a run that asks. Each test uses an assignee of its own, so that it sees its own asks only. */
async function ask(assignee: string, ...questions: readonly Question[]): Promise<string> {
  const id = `run-${++runs}`;
  const asks = questions.map((question) => ({ assignees: [assignee], ...question }));
  await startRun(dashboard.server.client(), "asking", id, { input: { asks } });
  return id;
}

function row(page: Page, name: string | RegExp) {
  return page
    .getByRole("listitem")
    .filter({ has: page.getByRole("button", { name }) })
    .first();
}

/** The page asks at once when the reader returns to it. */
function look(page: Page): Promise<boolean> {
  return page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
}

async function outputOf(runId: string): Promise<unknown> {
  return dashboard.server.client().run(runId).result();
}

async function answerElsewhere(runId: string, value: unknown, as: "ada" | "deliverer" = "deliverer"): Promise<void> {
  const run = dashboard.server.client(as).run(runId);
  const { pendingWaitpoints } = await run.get();
  await run.resolveToken(String(pendingWaitpoints[0]?.meta["tokenId"]), value);
}

let me = "";

beforeEach(({ task }) => {
  me = `role:${task.id}`;
});

function open(options: Parameters<typeof dashboard.open>[1] = {}): Promise<Page> {
  return dashboard.open(`/ui/approvals?assignee=${encodeURIComponent(me)}`, options);
}

describe("the list", () => {
  test("ASK6 shows the earliest deadline first, then asks without one", async () => {
    await ask(me, { title: "No hurry" }, { title: "Tomorrow", timeout: "1d" }, { title: "Now", timeout: "5m" });
    const page = await open();
    await expect.poll(() => page.locator("[data-row]").allTextContents()).toEqual(["Now", "Tomorrow", "No hurry"]);
    await row(page, "Now").getByText("Expires in 4m").waitFor();
    await row(page, "No hurry").getByText("No deadline").waitFor();
    await page.getByText("3 open").first().waitFor();
  });

  test("ASK6 is filtered by an assignee, which is in the URL, and this browser remembers whose asks are mine", async () => {
    await ask(me, { title: "For me", risk: "high" });
    await ask("role:somebody-else", { title: "For somebody else" });
    const page = await open();
    await row(page, "For me").getByText("High risk").waitFor();
    expect(await page.getByRole("button", { name: "For somebody else" }).count()).toBe(0);
    await page.getByRole("button", { name: `I am ${me}` }).click();
    await page.getByRole("link", { name: "All", exact: true }).click();
    await page.getByRole("button", { name: "For somebody else" }).first().waitFor();
    expect(new URL(page.url()).search).toBe("");
    await page.reload();
    await page.getByRole("link", { name: `Mine: ${me}` }).click();
    await expect.poll(() => page.locator("[data-row]").allTextContents()).toEqual(["For me"]);
    expect(new URL(page.url()).searchParams.get("assignee")).toBe(me);
  });

  test("DASH5 new asks do not move what the reader answers", async () => {
    await ask(me, { title: "First", timeout: "2d" });
    const page = await open();
    await page.getByRole("button", { name: "First" }).click();
    await ask(me, { title: "Urgent", timeout: "1h" });
    await look(page);
    await page.getByRole("button", { name: "1 new ask" }).waitFor();
    expect(await page.locator("[data-row]").allTextContents()).toEqual(["First"]);
    await page.getByRole("button", { name: "1 new ask" }).click();
    await expect.poll(() => page.locator("[data-row]").allTextContents()).toEqual(["Urgent", "First"]);
  });

  test("DASH5 an ask that somebody else answered says who, and leaves", async () => {
    const id = await ask(me, { title: "Contested", choices: CHOICES });
    const page = await open();
    await row(page, "Contested").waitFor();
    await answerElsewhere(id, CHOICES[0]?.value);
    await expect.poll(() => look(page).then(() => row(page, "Contested").textContent())).toContain("dora answered.");
    await page.clock.install();
    await page.clock.runFor(30_000);
    await page.getByText("Nothing waits for this assignee").waitFor();
  });

  test("DASH5 an ask whose deadline passes says so", async () => {
    await ask(me, { title: "Too late", timeout: "2s", choices: CHOICES });
    const page = await open();
    await page.getByRole("button", { name: "Too late" }).click();
    await row(page, "Too late").getByText("Nobody answered before the deadline.").waitFor();
    expect(await page.getByRole("button", { name: "Approve" }).count()).toBe(0);
  });

  test("an empty list shows how a workflow asks", async () => {
    const page = await dashboard.open("/ui/approvals", { as: "other" });
    await page.getByText("Nothing waits for an answer").waitFor();
    await page.getByText("ctx.waitForToken").waitFor();
  });
});

describe("an answer", () => {
  test("ASK4 a choice sends its value, and the run continues with it", async () => {
    const id = await ask(me, { title: "Refund order 1043?", choices: CHOICES });
    const page = await open();
    await page.getByRole("button", { name: "Refund order" }).click();
    await page.getByRole("button", { name: "Reject" }).click();
    await page.getByText("You answered: Reject.").waitFor();
    expect(await outputOf(id)).toEqual([{ approved: false }]);
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe("Refund order 1043?");
    await page.getByText("0 open").first().waitFor();
  });

  test("DASH6 a high risk needs a second click, and a double click is one", async () => {
    const id = await ask(me, { title: "Deploy?", choices: CHOICES, risk: "high" });
    const page = await open();
    await page.getByRole("button", { name: "Deploy?" }).click();
    await page.getByRole("button", { name: "Approve" }).dblclick();
    const dialog = page.getByRole("dialog", { name: "Send this answer?" });
    await dialog.getByText('"approved": true').waitFor();
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe("Back");
    await dialog.getByRole("button", { name: "Back" }).click();
    await dialog.waitFor({ state: "hidden" });
    expect((await dashboard.server.client().run(id).get()).status).toBe("waiting");
    await page.getByRole("button", { name: "Reject" }).click();
    await page.getByRole("button", { name: "Confirm: Reject" }).click();
    await page.getByText("You answered: Reject.").waitFor();
    expect(await outputOf(id)).toEqual([{ approved: false }]);
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
    const id = await ask(me, { title: "How much?", schema });
    const page = await open();
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
    expect(await outputOf(id)).toEqual([
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
    const id = await ask(me, { title: "Which code?", schema });
    const page = await open();
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
    expect(await outputOf(id)).toEqual([{ code: "AB-1", lines: [{ sku: "S1" }] }]);
  });

  test("DASH6 what no field expresses is written as JSON, beside its schema", async () => {
    const schema = { type: "object", additionalProperties: { type: "integer" } };
    const id = await ask(me, { title: "Any names", schema });
    const page = await open();
    await page.getByRole("button", { name: "Any names" }).click();
    await page.getByLabel("JSON Schema").getByText("additionalProperties").waitFor();
    const field = page.getByRole("textbox", { name: "Answer, as JSON" });
    await field.fill('{"a": 1,}');
    await page.getByText("Line 1, column 9").click();
    expect(await page.evaluate(() => (document.activeElement as HTMLTextAreaElement).selectionStart)).toBe(8);
    await field.fill('{"a": 1}');
    await page.getByRole("button", { name: "Send answer" }).click();
    await page.getByText("You answered:").waitFor();
    expect(await outputOf(id)).toEqual([{ a: 1 }]);
  });

  test("the form becomes JSON and JSON the form, with what is written", async () => {
    const schema = {
      type: "object",
      properties: { a: { type: "string", title: "Name" }, n: { type: "integer", title: "Count" } },
    };
    await ask(me, { title: "Either", schema });
    const page = await open();
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

  test("ASK4 somebody answered first: the ask says who", async () => {
    const id = await ask(me, { title: "A race", choices: CHOICES });
    const page = await open();
    await page.getByRole("button", { name: "A race" }).click();
    await page.getByRole("button", { name: "Approve" }).waitFor();
    await answerElsewhere(id, CHOICES[1]?.value);
    await page.getByRole("button", { name: "Approve" }).click();
    await page.getByText("dora answered first.").waitFor();
    expect(await outputOf(id)).toEqual([{ approved: false }]);
  });

  test("the run of the ask was cancelled: the ask says so", async () => {
    const id = await ask(me, { title: "Cancelled", choices: CHOICES });
    const page = await open();
    await page.getByRole("button", { name: "Cancelled" }).click();
    await page.getByRole("button", { name: "Approve" }).waitFor();
    await dashboard.server.client().run(id).cancel("no need");
    await dashboard.server.client().run(id).ended();
    await page.getByRole("button", { name: "Approve" }).click();
    await page.getByText(/The run (?:has ended|does not ask)|Somebody else answered/).waitFor();
  });

  test("DASH5 a draft stays while workerd is killed, and is sent afterwards", async () => {
    const id = await ask(me, { title: "Number?", schema: { type: "integer" } });
    const page = await open();
    await page.getByRole("button", { name: "Number?" }).click();
    await page.getByRole("textbox", { name: "Answer" }).fill("7");
    await dashboard.server.kill();
    await page.getByRole("button", { name: "Send answer" }).click();
    await page.getByText("The server does not answer").first().waitFor();
    await dashboard.server.start();
    expect(await page.getByRole("textbox", { name: "Answer" }).inputValue()).toBe("7");
    await page.getByRole("button", { name: "Send answer" }).click();
    await page.getByText("You answered: 7.").waitFor();
    expect(await outputOf(id)).toEqual([7]);
  });

  test("who may only read sees the ask, and no form", async () => {
    await ask(me, { title: "Look, do not touch", details: "**All** of it.", choices: CHOICES });
    const page = await open({ as: "reader" });
    await page.getByRole("button", { name: "Look" }).click();
    await page.getByText("the scope deliver").waitFor();
    await page.getByText("All of it.").waitFor();
    expect(await page.getByRole("button", { name: "Approve" }).count()).toBe(0);
  });
});

describe("keys", () => {
  test("DASH6 keys alone open an ask, write an answer and leave; Enter in a field sends nothing", async () => {
    const id = await ask(
      me,
      { title: "First", timeout: "1h" },
      { title: "Second", timeout: "2h", schema: { type: "string" } },
    );
    const page = await open();
    await row(page, "Second").waitFor();
    await page.keyboard.press("j");
    await page.keyboard.press("j");
    await page.keyboard.press("Enter");
    await page.getByRole("textbox", { name: "Answer" }).waitFor();
    await page.getByRole("textbox", { name: "Answer" }).focus();
    await page.keyboard.type("jk yes");
    await page.keyboard.press("Enter");
    expect(await page.getByRole("textbox", { name: "Answer" }).inputValue()).toBe("jk yes");
    await page.keyboard.press("Escape");
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe("Second");
    await page.keyboard.press("Escape");
    await page.getByRole("textbox", { name: "Answer" }).waitFor({ state: "detached" });
    await page.keyboard.press("Enter");
    expect(await page.getByRole("textbox", { name: "Answer" }).inputValue()).toBe("jk yes");
    expect((await dashboard.server.client().run(id).get()).status).toBe("waiting");
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
    await ask(me, { title, details, choices: [{ label: "<i>yes</i>\u202e", value: "<script>" }] });
    const page = await open();
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
    await ask(me, { title: "Large", details, schema: { type: "integer", title: "Count" } });
    const page = await open();
    await page.getByRole("button", { name: "Large" }).click();
    await page.getByText("The end of it.").waitFor();
    await page.getByRole("textbox", { name: "Count" }).waitFor();
  });
});

describe("on the page of its run", () => {
  test("DASH5 an open ask is answered below the reason of the run", async () => {
    const id = await ask(me, { title: "Approve this run?", details: "It is **big**.", choices: CHOICES });
    const page = await dashboard.open(`/ui/runs/${id}`);
    await page.getByRole("heading", { name: "Approve this run?" }).waitFor();
    await page.getByRole("button", { name: "Approve", exact: true }).click();
    await page.getByText("You answered: Approve.").waitFor();
    expect(await outputOf(id)).toEqual([{ approved: true }]);
  });
});

describe("the actions of a run", () => {
  test("the reason of a run leads to the form of its ask", async () => {
    const id = await ask(me, { title: "Here?", details: "line\n".repeat(100), choices: CHOICES, risk: "high" });
    const page = await dashboard.open(`/ui/runs/${id}`);
    await page.getByRole("button", { name: "Approve", exact: true }).waitFor();
    await page.getByRole("button", { name: "Answer token" }).click();
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe("Here?");
    expect(await page.getByRole("dialog").count()).toBe(0);
  });

  test("ASK4 an answer as JSON that does not fit is refused at its field", async () => {
    const id = await ask(me, {
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

describe("between pages", () => {
  test("DASH5 a half-written answer stays while the reader looks at the run", async () => {
    const id = await ask(me, { title: "Write", schema: { type: "string", title: "Text" } });
    const page = await open();
    await page.getByRole("button", { name: "Write" }).click();
    await page.getByRole("textbox", { name: "Text" }).fill("half");
    await page.getByRole("link", { name: id, exact: true }).click();
    await page.getByRole("heading", { name: "Write" }).waitFor();
    await expect.poll(() => page.getByRole("textbox", { name: "Text" }).inputValue()).toBe("half");
    await page.goBack();
    await expect.poll(() => page.getByRole("textbox", { name: "Text" }).inputValue()).toBe("half");
  });

  test("a link to an ask opens it, and one to an ask that is closed leads to its run", async () => {
    const id = await ask(me, { title: "Linked", choices: CHOICES });
    const link = await open();
    await link.getByRole("button", { name: "Linked" }).click();
    const url = new URL(link.url());
    const { pendingWaitpoints } = await dashboard.server.client().run(id).get();
    expect(url.href).not.toContain(String(pendingWaitpoints[0]?.meta["tokenId"]));
    const page = await dashboard.open(url.pathname + url.search);
    await page.getByRole("button", { name: "Approve" }).waitFor();
    await answerElsewhere(id, CHOICES[0]?.value);
    const late = await dashboard.open(url.pathname + url.search);
    await late.getByText("The ask of this link is not in the list").waitFor();
    await late.getByRole("link", { name: "Open its run" }).click();
    await late.getByRole("heading", { name: id }).waitFor();
  });
});

describe("looks", () => {
  const schema = {
    type: "object",
    required: ["approve"],
    properties: {
      approve: { type: "boolean" },
      kind: { enum: Array.from({ length: 9 }, (_, n) => `kind ${n}`) },
      list: { type: "array", items: { type: "object", properties: { a: { type: "string" } } }, minItems: 1 },
      several: { type: "array", uniqueItems: true, items: { enum: ["a", "b"] } },
      any: { description: "Whatever you like." },
    },
  };

  test("axe-core finds nothing in the list, an open ask, its problems, and the second click", async () => {
    await ask(me, {
      title: "All fields",
      details: "# One\n\n- two\n\n```\nthree\n```",
      schema,
      risk: "high",
      timeout: "30m",
    });
    const page = await open({ bypassCSP: true });
    await page.getByRole("button", { name: "All fields" }).waitFor();
    await dashboard.expectAccessible(page);
    await page.getByRole("button", { name: "All fields" }).click();
    await page.getByRole("button", { name: "Send answer" }).click();
    await page.getByText("One thing needs a change").waitFor();
    await dashboard.expectAccessible(page);
    await page.getByRole("radio", { name: "Yes" }).check();
    await page.getByRole("button", { name: "Send answer" }).click();
    await page.getByRole("dialog").waitFor();
    await dashboard.expectAccessible(page);
  });

  test("nothing is wider than a phone", async () => {
    const long = "https://example.com/".padEnd(300, "x");
    const details = `${long}\n\n\`\`\`\n${long}\n\`\`\`\n\n[${long}](${long})`;
    await ask(
      me,
      { title: long.slice(0, 200), details, schema },
      { title: "Choose", choices: [{ label: long.slice(0, 100), value: 1 }] },
    );
    const page = await open({ viewport: { width: 390, height: 800 } });
    for (const title of [/https/, /Choose/]) {
      await page.getByRole("button", { name: title }).first().click();
      await page.locator(".answer").waitFor();
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390);
    }
  });
});
