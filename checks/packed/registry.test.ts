/** The registry on loopback, against another registry that records its requests. */
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type Server, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { REPOSITORY } from "../source-files.ts";
import type { PackedPackage } from "./pack.ts";
import { type Registry, isOurs, startRegistry } from "./registry.ts";

const folder = mkdtempSync(join(tmpdir(), "holdfast-registry-"));
const tarball = join(folder, "holdfast-workflows-1.2.3.tgz");
const manifest = { name: "@holdfast/workflows", version: "1.2.3", dependencies: { devalue: "6.0.3" } };
const PACKAGES: readonly PackedPackage[] = [{ name: manifest.name, version: "1.2.3", tarball, manifest, files: [] }];

let other: Server;
let requested: string[];
let registry: Registry;

beforeAll(async () => {
  writeFileSync(tarball, "the tarball");
  other = createServer(({ method, url, headers }, response) => {
    requested.push(`${method} ${url} ${headers.accept}`);
    response.writeHead(url === "/missing" ? 404 : 200, { "content-type": "application/x-test" });
    response.end("from the other registry");
  });
  await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
});

beforeEach(async () => {
  requested = [];
  registry = await startRegistry(PACKAGES, { upstream: `http://127.0.0.1:${(other.address() as AddressInfo).port}/` });
});

afterEach(() => registry.close());

afterAll(() => {
  other.close();
  rmSync(folder, { recursive: true });
});

test.each(["/@holdfast%2fworkflows", "/@holdfast/workflows", "/%40holdfast%2Fworkflows?write=false"])(
  "a packed package is served at %s, with the hash of its tarball",
  async (path) => {
    const packument = (await (await fetch(registry.url + path)).json()) as {
      readonly versions: Readonly<Record<string, { readonly dist: { readonly tarball: string; integrity: string } }>>;
    };
    expect(packument).toMatchObject({ name: manifest.name, "dist-tags": { latest: "1.2.3" } });
    expect(packument.versions["1.2.3"]).toMatchObject(manifest);
    const { dist } = packument.versions["1.2.3"] ?? expect.unreachable();
    const bytes = Buffer.from(await (await fetch(dist.tarball)).arrayBuffer());
    expect(bytes).toEqual(readFileSync(tarball));
    expect(dist.integrity).toBe(`sha512-${createHash("sha512").update(bytes).digest("base64")}`);
    expect([...registry.served]).toEqual([manifest.name]);
    expect(registry.refused).toEqual([]);
    expect(requested).toEqual([]);
  },
);

test.each([
  "/@holdfast%2fclient",
  "/@holdfast/workflows/-/workflows-9.9.9.tgz",
  "/create-holdfast",
  "/holdfast",
  "/Holdfast",
  "/%68oldfast",
])("a name of ours that is not packed is refused, recorded, and not passed on: %s", async (path) => {
  const response = await fetch(registry.url + path);
  expect(response.status).toBe(404);
  expect(await response.json()).toMatchObject({ error: expect.stringContaining("does not have it") });
  expect(registry.refused).toEqual([`GET ${path}`]);
  expect(requested).toEqual([]);
});

test("every other name is passed on, with the form of the answer that the client accepts", async () => {
  const headers = { accept: "application/vnd.npm.install-v1+json" };
  const response = await fetch(`${registry.url}/hono?write=false`, { headers });
  expect(await response.text()).toBe("from the other registry");
  expect(response.headers.get("content-type")).toBe("application/x-test");
  expect((await fetch(`${registry.url}/missing`, { headers })).status).toBe(404);
  expect(requested).toEqual([`GET /hono?write=false ${headers.accept}`, `GET /missing ${headers.accept}`]);
  expect([...registry.passedOn]).toEqual(["hono", "missing"]);
});

test("a list of installed packages and anything written are not passed on", async () => {
  const post = { method: "POST", body: JSON.stringify({ "@holdfast/workflows": ["1.2.3"] }) };
  expect(await (await fetch(`${registry.url}/-/npm/v1/security/advisories/bulk`, post)).json()).toEqual({});
  expect((await fetch(`${registry.url}/hono`, { ...post, method: "PUT" })).status).toBe(405);
  expect(requested).toEqual([]);
});

test("another registry that cannot be reached is named in the answer", async () => {
  const unreachable = await startRegistry([], { upstream: "http://127.0.0.1:1" });
  const response = await fetch(`${unreachable.url}/hono`);
  expect(response.status).toBe(502);
  expect(await response.json()).toMatchObject({ error: expect.stringMatching(/failed: .+/u) });
  await unreachable.close();
});

test("the environment of a package manager knows only this registry, and no command of this repository", () => {
  const environment = registry.environment("/folder/of/test", { MORE: "yes" });
  expect(environment).toMatchObject({
    HOME: "/folder/of/test",
    npm_config_registry: `${registry.url}/`,
    pnpm_config_registry: `${registry.url}/`,
    MORE: "yes",
  });
  expect(environment["PATH"]).not.toContain(`${REPOSITORY}/node_modules/.bin`);
  expect(Object.keys(environment).filter((name) => /token|secret|auth/iu.test(name))).toEqual([]);
});

test("the names of this project are recognised", () => {
  expect(["holdfast", "create-holdfast", "@holdfast/cli", "@holdfast/anything"].every(isOurs)).toBe(true);
  expect(["hono", "@cloudflare/workers-types", "create-vite"].some(isOurs)).toBe(false);
});
