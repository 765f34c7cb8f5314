/** The list of approvals: its order, its filter, what stays in its place, its keys and its looks, on real asks. */
import { describe, expect, test } from "vitest";
import { CHOICES, row, useAsks } from "./harness/asks.ts";
import { useDashboard } from "./harness/dashboard.ts";
import { focused, look } from "./harness/reader.ts";

const dashboard = useDashboard();
const asks = useAsks(dashboard);

describe("the list", () => {
  test("ASK6 shows the earliest deadline first, then asks without one", async () => {
    await asks.ask({ title: "No hurry" }, { title: "Tomorrow", timeout: "1d" }, { title: "Now", timeout: "5m" });
    const page = await asks.open();
    await expect.poll(() => page.locator("[data-row]").allTextContents()).toEqual(["Now", "Tomorrow", "No hurry"]);
    await row(page, "Now").getByText("Expires in 4m").waitFor();
    await row(page, "No hurry").getByText("No deadline").waitFor();
    await page.getByText("3 open").first().waitFor();
  });

  test("ASK6 is filtered by an assignee, which is in the URL, and this browser remembers whose asks are mine", async () => {
    await asks.ask({ title: "For me", risk: "high" });
    await asks.ask({ assignees: ["role:somebody-else"], title: "For somebody else" });
    const page = await asks.open();
    await row(page, "For me").getByText("High risk").waitFor();
    expect(await page.getByRole("button", { name: "For somebody else" }).count()).toBe(0);
    await page.getByRole("button", { name: `I am ${asks.me}` }).click();
    await page.getByRole("link", { name: "All", exact: true }).click();
    await page.getByRole("button", { name: "For somebody else" }).first().waitFor();
    expect(new URL(page.url()).search).toBe("");
    await page.reload();
    await page.getByRole("link", { name: `Mine: ${asks.me}` }).click();
    await expect.poll(() => page.locator("[data-row]").allTextContents()).toEqual(["For me"]);
    expect(new URL(page.url()).searchParams.get("assignee")).toBe(asks.me);
  });

  test("DASH5 new asks do not move what the reader answers", async () => {
    await asks.ask({ title: "First", timeout: "2d" });
    const page = await asks.open();
    await page.getByRole("button", { name: "First" }).click();
    await asks.ask({ title: "Urgent", timeout: "1h" });
    await look(page);
    await page.getByRole("button", { name: "1 new ask" }).waitFor();
    expect(await page.locator("[data-row]").allTextContents()).toEqual(["First"]);
    await page.getByRole("button", { name: "1 new ask" }).click();
    await expect.poll(() => page.locator("[data-row]").allTextContents()).toEqual(["Urgent", "First"]);
  });

  test("DASH5 an ask that somebody else answered says who, and leaves", async () => {
    const id = await asks.ask({ title: "Contested", choices: CHOICES });
    const page = await asks.open({ alone: true });
    await row(page, "Contested").waitFor();
    await asks.answerElsewhere(id, CHOICES[0]?.value);
    await expect.poll(() => look(page).then(() => row(page, "Contested").textContent())).toContain("dora answered.");
    await page.clock.install();
    await page.clock.runFor(30_000);
    await page.getByText("Nothing waits for this assignee").waitFor();
  });

  test("DASH5 an ask whose deadline passes says so", async () => {
    await asks.ask({ title: "Too late", timeout: "2s", choices: CHOICES });
    const page = await asks.open();
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

describe("keys", () => {
  test("DASH6 keys alone open an ask, write an answer and leave; Enter in a field sends nothing", async () => {
    const id = await asks.ask(
      { title: "First", timeout: "1h" },
      { title: "Second", timeout: "2h", schema: { type: "string" } },
    );
    const page = await asks.open();
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
    expect(await focused(page)).toBe("Second");
    await page.keyboard.press("Escape");
    await page.getByRole("textbox", { name: "Answer" }).waitFor({ state: "detached" });
    await page.keyboard.press("Enter");
    expect(await page.getByRole("textbox", { name: "Answer" }).inputValue()).toBe("jk yes");
    expect((await dashboard.server.client().run(id).get()).status).toBe("waiting");
  });
});

describe("between pages", () => {
  test("DASH5 a half-written answer stays while the reader looks at the run", async () => {
    const id = await asks.ask({ title: "Write", schema: { type: "string", title: "Text" } });
    const page = await asks.open();
    await page.getByRole("button", { name: "Write" }).click();
    await page.getByRole("textbox", { name: "Text" }).fill("half");
    await page.getByRole("link", { name: id, exact: true }).click();
    await page.getByRole("heading", { name: "Write" }).waitFor();
    await expect.poll(() => page.getByRole("textbox", { name: "Text" }).inputValue()).toBe("half");
    await page.goBack();
    await expect.poll(() => page.getByRole("textbox", { name: "Text" }).inputValue()).toBe("half");
  });

  test("a link to an ask opens it, and one to an ask that is closed leads to its run", async () => {
    const id = await asks.ask({ title: "Linked", choices: CHOICES });
    const link = await asks.open();
    await link.getByRole("button", { name: "Linked" }).click();
    const url = new URL(link.url());
    const { pendingWaitpoints } = await dashboard.server.client().run(id).get();
    expect(url.href).not.toContain(String(pendingWaitpoints[0]?.meta["tokenId"]));
    const page = await dashboard.open(url.pathname + url.search);
    await page.getByRole("button", { name: "Approve" }).waitFor();
    await asks.answerElsewhere(id, CHOICES[0]?.value);
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
    await asks.ask({
      title: "All fields",
      details: "# One\n\n- two\n\n```\nthree\n```",
      schema,
      risk: "high",
      timeout: "30m",
    });
    const page = await asks.open({ bypassCSP: true });
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
    await asks.ask(
      { title: long.slice(0, 200), details, schema },
      { title: "Choose", choices: [{ label: long.slice(0, 100), value: 1 }] },
    );
    const page = await asks.open({ viewport: { width: 390, height: 800 } });
    for (const title of [/https/, /Choose/]) {
      await page.getByRole("button", { name: title }).first().click();
      await page.locator(".answer").waitFor();
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390);
    }
  });
});
