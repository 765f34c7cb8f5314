/** The Worker with its static assets, as wrangler runs it: the files of the dashboard, its pages, and the API beside them. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { findFreePort } from "@holdfast/cli/free-port";
import { REPOSITORY } from "./source-files.ts";

const folder = mkdtempSync(join(tmpdir(), "holdfast-assets-"));
let url: string;
let log = "";
let stop: () => Promise<unknown>;

beforeAll(async () => {
  const [port, inspectorPort] = [await findFreePort(), await findFreePort()];
  url = `http://127.0.0.1:${port}`;
  const ports = ["--port", String(port), "--inspector-port", String(inspectorPort)];
  const wrangler = spawn("wrangler", ["dev", "--var", "AUTH:off", ...ports, "--persist-to", folder], {
    cwd: join(REPOSITORY, "apps/orchestrator-worker"),
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      ...process.env,
      PATH: `${join(REPOSITORY, "node_modules/.bin")}:${process.env["PATH"] ?? ""}`,
      CI: "1",
      WRANGLER_SEND_METRICS: "false",
      WRANGLER_HIDE_BANNER: "true",
      CLOUDFLARE_CF_FETCH_ENABLED: "false",
      WRANGLER_LOG_PATH: join(folder, "logs"),
    },
  });
  for (const stream of [wrangler.stdout, wrangler.stderr]) stream.on("data", (text) => (log += String(text)));
  stop = async () => {
    const closed = once(wrangler, "close");
    // The whole group: wrangler starts workerd.
    process.kill(-(wrangler.pid ?? 0), "SIGKILL");
    await closed;
  };
  const answers = (): Promise<boolean> =>
    fetch(`${url}/healthz`).then(
      ({ ok }) => ok,
      () => false,
    );
  await vi.waitFor(async () => expect(await answers(), log).toBe(true), { timeout: 25_000, interval: 100 });
}, 180_000);

afterAll(async () => {
  await stop();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});

const get = (path: string, init: RequestInit = {}): Promise<Response> =>
  fetch(url + path, { redirect: "manual", ...init });

test("DASH2 DASH3 a page is there at its address, and its files are cached forever, with the policy", async () => {
  expect((await get("/ui")).headers.get("Location")).toBe("/ui/");
  const page = await get("/ui/runs/a%2Fb?tab=journal");
  expect(page.status).toBe(200);
  expect(page.headers.get("Cache-Control")).toMatch(/no-cache|max-age=0, must-revalidate/);
  const text = await page.text();
  const [script = ""] = /\/ui\/assets\/app-[^"]+/.exec(text) ?? [];
  const asset = await get(script);
  expect(asset.headers.get("Content-Type")).toMatch(/^text\/javascript/);
  expect(asset.headers.get("Cache-Control")).toBe("public, max-age=31536000, immutable");
  for (const { headers } of [page, asset]) {
    expect(headers.get("Content-Security-Policy")).toMatch(/^default-src 'none'; script-src 'self'; [^,]*$/);
    expect(headers.get("Referrer-Policy")).toBe("no-referrer");
    expect(headers.get("X-Content-Type-Options")).toBe("nosniff");
  }
  expect(await (await get("/ui/")).text()).toBe(text);
});

test("DASH1 DASH3 what has no file is answered by the Worker: a page that is none, a file that is gone, the API", async () => {
  const missing = await get("/ui/none");
  expect([missing.status, missing.headers.get("Content-Type")]).toEqual([404, "text/html;charset=utf-8"]);
  expect(missing.headers.get("Content-Security-Policy")).toContain("default-src 'none'");
  expect((await get("/ui/assets/app-gone.js")).headers.get("Cache-Control")).toBe("no-store");
  expect((await get("/ui/", { method: "POST", body: "x" })).status).toBe(405);
  for (const path of ["/api/runs", "/metrics", "/healthz"]) expect((await get(path)).status, path).toBe(200);
  for (const path of ["/", "/_headers", "/public/none"])
    expect(await (await get(path)).json(), path).toMatchObject({ error: "route_not_found" });
});
