/** tests: ids of tokens in what other runs show (SEC7), in each form that a URL may have */
import { workflow } from "@holdfast/workflows";
import { expect, test, vi } from "vitest";
import { durableObjectIndex, logEvents, otlpExporter } from "../src/index.ts";
import { hideTokenUrls } from "../src/token-urls.ts";
import { FakeDeployment, FakeIndexNamespace, answerOf } from "./fake-platform.ts";

const ID = "0123456789abcdef0123456789abcdef";

const LONG = encodeURIComponent("😀".repeat(64));

const PLAIN = [
  `https://flows.example/public/tokens/-/r/0123456789abcdef/${"f".repeat(32)}/${ID}`,
  `/public/tokens/t-acme/a%2Fb%2Fc%2Fd%2Fe/0123456789abcdef/${"f".repeat(32)}/${ID}`,
  `https://flows.example/api/runs/a%2Fb/tokens/${ID}`,
  // The longest ids of tenants and runs.
  `/public/tokens/t-${LONG}/${LONG}/0123456789abcdef/${"f".repeat(32)}/${ID}`,
];

test.each(PLAIN)("SEC7 the id in %s is hidden in each form that the URL may have", (url) => {
  const forms = [
    url,
    `see ${url}?yes`,
    url.toUpperCase(),
    `mailto:ann@example.com?body=${encodeURIComponent(url)}`,
    encodeURIComponent(`https://login.example/?to=${encodeURIComponent(url)}`),
    url.replaceAll("/", String.raw`\/`),
    JSON.stringify({ text: url.replaceAll("/", String.raw`\/`) }),
  ];
  for (const form of forms) {
    const hidden = hideTokenUrls(JSON.stringify({ form }));
    expect([form, hidden.toLowerCase().includes(ID)]).toEqual([form, false]);
    expect(JSON.parse(hidden)).toEqual({ form: expect.stringContaining("[hidden]") });
  }
});

test("SEC7 other texts stay as they are, however long they are", () => {
  const texts = [ID, `/public/tokens/${ID}`, `/api/runs/r/${ID}`, `/public/tokens/a/b c/d/e/${ID}`];
  const long = "/public/tokens/".repeat(20_000) + "%2Fapi%2Fruns%2F".repeat(20_000);
  const started = process.cpuUsage();
  const backslashes = `"${"\\".repeat(1_000_000)}"`;
  for (const text of [...texts, long, backslashes]) expect(hideTokenUrls(text)).toBe(text);
  expect(process.cpuUsage(started).user / 1_000).toBeLessThan(2_000);
});

const child = workflow({
  id: "child",
  run: (url: string) => {
    throw new Error(`No answer at ${url}, mailto:a@example.com?body=${encodeURIComponent(url)}`);
  },
});

const parent = workflow({
  id: "parent",
  run: async (_input, ctx) => {
    const token = ctx.waitForToken({ public: true });
    ctx.metadata.set("upper", token.tokenId.toUpperCase());
    await ctx.invoke(child, token.url).catch(() => {});
    ctx.metadata.set("failed", true);
    return token.wait();
  },
});

test("SEC7 the failure of a child shows no id of its parent's token, in its record, journal and the list", async () => {
  const runIndex = durableObjectIndex({ binding: new FakeIndexNamespace() });
  const verifyRequest = ({ headers }: Request) => ({
    subject: "ann",
    scopes: ["read", "trigger", ...(headers.has("Deliver") ? (["deliver"] as const) : [])] as const,
  });
  const api = new FakeDeployment([parent, child], { runIndex, verifyRequest }, undefined, { runIndex });
  await api.fetch("/api/runs", { json: { runId: "r", workflowId: "parent" } });
  const read = async (path: string, headers = {}): Promise<string> =>
    JSON.stringify((await answerOf(await api.fetch(path, { headers }))).body);
  await vi.waitUntil(async () => (await read("/api/runs/r")).includes('"failed":true'), { interval: 1 });
  const [id = ""] = [...api.storageOf("r").rows.keys()].flatMap(
    (key) => /^token\/([0-9a-f]{32})$/.exec(key)?.[1] ?? [],
  );
  const childId = [...api.storages.keys()].find((name) => name.startsWith("r.child")) ?? "";
  await vi.waitUntil(async () => (await read("/api/runs")).includes("No answer"), { interval: 1 });
  for (const path of ["/api/runs/r", `/api/runs/${childId}`, `/api/runs/${childId}/journal`, "/api/runs"])
    expect([path, (await read(path)).toLowerCase().includes(id)]).toEqual([path, false]);
  expect(await read("/api/runs", { Deliver: "1" })).toContain(id);
});

test("SEC7 OBS2 neither log lines nor traces have the ids in URLs that an author's error quotes", async () => {
  const lines: unknown[] = [];
  vi.spyOn(console, "warn").mockImplementation((line) => void lines.push(line));
  vi.spyOn(console, "log").mockImplementation((line) => void lines.push(line));
  const ended = otlpExporter({
    url: "https://collector.example",
    fetch: async (request) => {
      lines.push(await request.text());
      return new Response();
    },
  });
  const api = new FakeDeployment([parent, child], {}, undefined, {
    telemetry: { event: logEvents({ all: true }), ended },
  });
  await api.fetch("/api/runs", { json: { runId: "r", workflowId: "parent" } });
  await vi.waitUntil(() => String(lines).includes("resourceSpans"), { interval: 1 });
  await api.fetch("/api/runs/r/terminate", { json: { reason: "enough" } });
  await vi.waitUntil(() => String(lines).split("resourceSpans").length > 2, { interval: 1 });
  expect(String(lines)).toContain("No answer at");
  expect(String(lines)).toContain("/[hidden]");
  expect(String(lines)).not.toMatch(/public(?:\/|%2F)tokens\S*[0-9a-f]{32}[,\\" ]/);
  vi.restoreAllMocks();
});
