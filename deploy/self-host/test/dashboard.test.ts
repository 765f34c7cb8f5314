/** Serves the files of the dashboard from the module, as the executable does. */
import { gunzipSync } from "node:zlib";
import { beforeAll, expect, test } from "vitest";
import { buildDashboard } from "@holdfast/dashboard/build";
import { handleDashboard } from "@holdfast/orchestrator-cloudflare/dashboard";

let files: Awaited<ReturnType<typeof buildDashboard>>;

beforeAll(async () => {
  files = await buildDashboard();
});

const get = async (path: string, init?: RequestInit) => {
  const answer = await handleDashboard(new Request(`https://flows.example${path}`, init));
  if (answer === undefined) throw new Error(`${path} is not a path of the dashboard`);
  return answer;
};

test("DASH1 each file is answered as the build made it", async () => {
  for (const [path, content] of Object.entries(files)) {
    const answer = await get(path, { headers: { "Accept-Encoding": "gzip" } });
    expect(new Uint8Array(gunzipSync(new Uint8Array(await answer.arrayBuffer())))).toEqual(new Uint8Array(content));
  }
});

test("DASH2 pages are the same file with a strict policy, and nothing in it is inline", async () => {
  const answer = await get("/ui/runs/order-1?tab=journal");
  const text = await answer.text();
  expect(answer.status).toBe(200);
  expect(answer.headers.get("Content-Security-Policy")).toContain("default-src 'none'; script-src 'self'");
  expect(text).not.toMatch(/<style|style=|<script(?![^>]*src=)| on[a-z]+=/);
  const again = await get("/ui/", { headers: { "If-None-Match": answer.headers.get("ETag") ?? "" } });
  expect(again.status).toBe(304);
});

test("DASH3 other paths below /ui are not found, and paths outside are not answered", async () => {
  expect((await get("/ui/none")).status).toBe(404);
  expect((await get("/ui/assets/constructor")).status).toBe(404);
  expect((await get("/ui/", { method: "POST" })).status).toBe(405);
  expect(await (await get("/ui/", { method: "HEAD" })).text()).toBe("");
  for (const path of ["/", "/uix", "/ui/../api/runs"])
    expect(handleDashboard(new Request(`https://flows.example${path}`))).toBeUndefined();
});
