/** The page that a click on a public token's link shows. */
import { createHash } from "node:crypto";
import { workflow } from "@holdfast/workflows";
import { afterEach, describe, expect, test, vi } from "vitest";
import { messagePage, questionPage } from "../src/api/routes/token-page.ts";
import { FakeDeployment, answerOf } from "./fake-platform.ts";

const asks = workflow({
  id: "asks",
  run: async (_input, ctx) => {
    const token = ctx.waitForToken({ public: true, timeout: "1h" });
    await ctx.step("send", () => token.url);
    return [await token.wait(), await ctx.waitForSignal("go")];
  },
});

const BROWSER = { Accept: "text/html,application/xhtml+xml,*/*;q=0.8" };
const FORM = { ...BROWSER, "Content-Type": "application/x-www-form-urlencoded", Origin: "null" };

afterEach(() => vi.restoreAllMocks());

async function issue(): Promise<{ api: FakeDeployment; path: string; output: () => Promise<unknown> }> {
  const api = new FakeDeployment([asks]);
  await api.fetch("/api/runs", { json: { runId: "r", workflowId: "asks" } });
  const record = async (): Promise<Record<string, unknown>> => (await answerOf(await api.fetch("/api/runs/r"))).body;
  const path = await vi.waitFor(async () => {
    const { status, steps } = (await record()) as { status: string; steps: { output: string }[] };
    expect(status).toBe("waiting");
    expect(steps[0]?.output).toMatch(/^\/public/);
    return steps[0]?.output ?? "";
  });
  const output = async (): Promise<unknown> => {
    await api.fetch("/api/runs/r/signals", { json: { name: "go" } });
    return vi.waitFor(async () => {
      const { status, output: value } = await record();
      expect(status).toBe("completed");
      return value;
    });
  };
  return { api, path, output };
}

const click = (api: FakeDeployment, path: string): Promise<Response> => api.fetch(path, { headers: BROWSER });

const submit = (api: FakeDeployment, path: string, body = "payload=null"): Promise<Response> =>
  api.fetch(path, { method: "POST", headers: FORM, body });

describe("a click", () => {
  test("WAIT7 SEC6 shows a page without script whose form posts to itself, and changes nothing", async () => {
    const { api, path } = await issue();
    const before = structuredClone([...api.storages].map(([, { rows, alarmAt, writes }]) => [rows, alarmAt, writes]));
    const answer = await click(api, path);
    expect([answer.status, answer.headers.get("Content-Type")]).toEqual([200, "text/html; charset=utf-8"]);
    const html = await answer.text();
    expect(html).toContain('<form method="post"><button name="payload" value="null">Confirm</button></form>');
    expect(html).not.toMatch(/<script|onclick|http|src=|href=/i);
    const policy = answer.headers.get("Content-Security-Policy") ?? "";
    for (const rule of ["default-src 'none'", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'"])
      expect(policy.split("; ")).toContain(rule);
    const style = /<style>(.*)<\/style>/.exec(html)?.[1] ?? "";
    expect(policy).toContain(`style-src 'sha256-${createHash("sha256").update(style).digest("base64")}'`);
    expect(answer.headers.get("Referrer-Policy")).toBe("no-referrer");
    expect(answer.headers.get("Cache-Control")).toBe("no-store");
    expect(answer.headers.get("Set-Cookie")).toBeNull();
    expect((await api.fetch(path, { method: "HEAD" })).status).toBe(200);
    expect([...api.storages].map(([, { rows, alarmAt, writes }]) => [rows, alarmAt, writes])).toEqual(before);
  });

  test("WAIT7 the form answers with null once, and a second answer or click shows that", async () => {
    const { api, path, output } = await issue();
    const first = await submit(api, path);
    expect([first.status, await first.text()]).toEqual([200, expect.stringContaining("Your answer was received")]);
    const second = await submit(api, path);
    expect([second.status, await second.text()]).toEqual([409, expect.stringContaining("already answered")]);
    const later = await click(api, path);
    expect([later.status, await later.text()]).toEqual([200, expect.stringContaining("already answered")]);
    expect(await answerOf(await api.fetch(path, { json: { payload: 2 } }))).toMatchObject({ status: 409 });
    expect(await output()).toEqual([null, null]);
  });

  test("WAIT7 CAN6 an answer to a paused run counts, and a click shows that it was given", async () => {
    const { api, path } = await issue();
    await api.fetch("/api/runs/r/pause", { json: {} });
    expect((await submit(api, path)).status).toBe(200);
    expect(await (await click(api, path)).text()).toContain("already answered");
  });

  test.each([
    ["timed out", async (): Promise<void> => void vi.spyOn(Date, "now").mockReturnValue(Date.now() + 3_600_001)],
    ["ended", async (api: FakeDeployment): Promise<unknown> => api.fetch("/api/runs/r/cancel", { json: {} })],
  ])("WAIT7 after the wait has %s, the page says that the link is over, without a form", async (_how, end) => {
    const { api, path } = await issue();
    await end(api);
    for (const [answer, status] of [
      [await click(api, path), 200],
      [await submit(api, path), 409],
    ] as const) {
      const html = await answer.text();
      expect([answer.status, html]).toEqual([status, expect.stringContaining("can no longer be answered")]);
      expect(html).not.toContain("<form");
    }
  });

  test("SEC8 a wrong link shows a page to browsers and JSON to clients, builds no object and reads no form", async () => {
    const { api, path } = await issue();
    const wrong = path.replace(/[0-9a-f]{32}\/([0-9a-f]{32})$/, `${"0".repeat(32)}/$1`);
    const objects = api.storages.size;
    for (const answer of [await click(api, wrong), await submit(api, wrong)]) {
      expect([answer.status, answer.headers.get("Content-Type")]).toEqual([404, "text/html; charset=utf-8"]);
      expect(await answer.text()).toContain("not valid");
    }
    expect(await answerOf(await api.fetch(wrong))).toMatchObject({ status: 404, body: { error: "token_not_found" } });
    expect(api.storages.size).toBe(objects);
  });
});

test("SEC8 API5 a page that refuses has the headers of the refusal", async () => {
  const { path } = await issue();
  const api = new FakeDeployment([], { publicRateLimit: { limit: async () => ({ success: false }) } });
  const answer = await click(api, path);
  expect([answer.status, answer.headers.get("Retry-After")]).toEqual([429, "5"]);
  expect(await answer.text()).toContain("<!doctype html>");
});

describe("a form", () => {
  test.each([
    ["payload=%22yes%22", "yes"],
    ["payload=%7B%22ok%22%3Atrue%7D", { ok: true }],
    ["payload=1", 1],
  ])("SEC6 %s answers with the JSON of its field", async (body, value) => {
    const { api, path, output } = await issue();
    expect((await submit(api, path, body)).status).toBe(200);
    expect(await output()).toEqual([value, null]);
  });

  test.each([
    "",
    "payload=",
    "payload=yes",
    "payload=1&payload=2",
    "other=1",
    "payload=1&x=1",
    "payload=%7B%22__proto__%22%3A1%7D",
    "payload=%ff",
  ])("SEC6 LIM2 %s is answered 400, and the token stays open", async (body) => {
    const { api, path } = await issue();
    const answer = await submit(api, path, body);
    expect([answer.status, answer.headers.get("Content-Type")]).toEqual([400, "text/html; charset=utf-8"]);
    expect((await submit(api, path)).status).toBe(200);
  });

  test("SEC6 is accepted by no other route", async () => {
    const { api } = await issue();
    for (const path of ["/api/runs", "/api/runs/r/signals", "/api/runs/r/tokens/t", "/api/runs/r/cancel"]) {
      const headers = { "Content-Type": "application/x-www-form-urlencoded" };
      const answer = await api.fetch(path, { method: "POST", headers, body: "payload=null&name=go&workflowId=asks" });
      expect([path, answer.status]).toEqual([path, 415]);
    }
  });
});

test("WAIT7 title, details and choices of a question are escaped, and each choice is a button", async () => {
  const evil = `<img src=x onerror="alert('1')">&`;
  const escaped = "&lt;img src=x onerror=&quot;alert(&#39;1&#39;)&quot;&gt;&amp;";
  const choices = [
    { label: evil, value: { evil } },
    { label: "No", value: false },
  ];
  const ask = { title: evil, details: evil, choices };
  for (const answer of [questionPage({ ask }), messagePage(evil, evil, 409)]) {
    const html = await answer.text();
    expect(html).not.toContain("<img");
    expect(html.split(escaped)).toHaveLength(answer.status === 200 ? 5 : 4);
  }
  const html = await questionPage({ ask }).text();
  expect(html).toContain('<button name="payload" value="false">No</button>');
  expect(html.match(/<button /g)).toHaveLength(2);
});
