/**
 * Compares docs/reference/configuration.md with the code, and follows what docs/how-to/deploy.md says about R2.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type LocalRuntime, startLocalRuntime } from "@holdfast/local-runtime";
import { afterEach, expect, test, vi } from "vitest";
import { REPOSITORY } from "./source-files.ts";

const read = (path: string): string => readFileSync(join(REPOSITORY, path), "utf8");
const DEPLOY = read("docs/how-to/deploy.md");
const CONFIGURATION = read("docs/reference/configuration.md");
const APP = "apps/orchestrator-worker";

let runtime: LocalRuntime | undefined;
const folder = mkdtempSync(join(tmpdir(), "holdfast-operations-"));

afterEach(async () => {
  await runtime?.dispose();
  rmSync(folder, { recursive: true, force: true });
});

/** The lines of the code block in this language that follows a heading. */
function blockAfter(heading: string, language: string): string {
  const section = DEPLOY.slice(DEPLOY.indexOf(`\n${heading}\n`));
  const [, block = ""] = new RegExp(`\`\`\`${language}\n([^]*?)\`\`\``).exec(section) ?? [];
  return block;
}

test(
  "LIM1 the line of docs/how-to/deploy.md about R2, added to wrangler.jsonc, moves large payloads to the bucket",
  {
    timeout: 60_000,
  },
  async () => {
    const config = read(`${APP}/wrangler.jsonc`).replace(
      '"src/worker.ts"',
      JSON.stringify(join(REPOSITORY, APP, "src/worker.ts")),
    );
    const file = join(folder, "wrangler.jsonc");
    writeFileSync(file, config.replace(/\}\s*$/, `${blockAfter("## Large payloads in R2", "jsonc")}}\n`));
    runtime = await startLocalRuntime(file);
    const { url } = runtime;
    const orderId = "x".repeat(600_000);
    const send = async (path: string, json?: unknown): Promise<Response> => {
      const post = { method: "POST", body: JSON.stringify(json), headers: { "Content-Type": "application/json" } };
      return fetch(`${url}${path}`, json === undefined ? {} : post);
    };
    const input = { orderId, cents: 1 };
    expect((await send("/api/runs", { workflowId: "order", runId: "large", input })).status).toBe(201);
    expect((await send("/api/runs/large/signals", { name: "approval", payload: { ok: true } })).status).toBe(202);
    await vi.waitFor(async () => expect(await runtime?.listBucket("PAYLOADS")).toContain("runs/-/large/input"), {
      timeout: 20_000,
      interval: 100,
    });
    expect(await (await send("/api/runs/large")).json()).toMatchObject({
      status: "completed",
      input,
      output: { orderId },
    });
    expect((await fetch(`${url}/api/runs/large`, { method: "DELETE" })).status).toBe(204);
    expect(await runtime.listBucket("PAYLOADS")).toEqual([]);
  },
);

/** The rows of the first table of the page after a heading: cells without code font. */
function tableAfter(heading: string): readonly (readonly string[])[] {
  const section = CONFIGURATION.slice(CONFIGURATION.indexOf(`\n${heading}\n`));
  const [, table = ""] = /\n(\|[^]*?)\n\n/.exec(section) ?? [];
  const rows = table.split("\n").map((row) => row.split("|").slice(1, -1));
  return rows.slice(2).map((cells) => cells.map((cell) => cell.trim().replaceAll("`", "")));
}

/** The names in a text that the expression captures. */
function namesIn(text: string, expression: RegExp): ReadonlySet<string> {
  return new Set([...text.matchAll(expression)].map(([, name = ""]) => name));
}

test("docs/reference/configuration.md has each binding and variable, and the deployments that read it", () => {
  const source = read("packages/orchestrator-cloudflare/src/deployment/environment.ts");
  const worker = namesIn(source, /^ {2}([A-Z][A-Z_]+): (?:v\.|parsed|checked)/gm);
  const config = read("deploy/self-host/config.capnp");
  const fromVariables = namesIn(config, /\(name = "([A-Z_]+)", fromEnvironment/g);
  const builtIn = namesIn(config, /\(name = "([A-Z_]+)", (?!fromEnvironment)/g);
  const script = namesIn(read("deploy/self-host/start.sh"), /\$\{([A-Z_]+):-/g);
  const where = (name: string): string => {
    if (!worker.has(name)) return "self-hosted";
    if (builtIn.has(name)) return "Cloudflare, built in";
    return fromVariables.has(name) ? "both" : "Cloudflare";
  };
  const known = [...worker, ...[...script].filter((name) => name !== "HOLDFAST_RESTORING")];
  const expected = Object.fromEntries(known.map((name) => [name, where(name)]));
  const rows = tableAfter("## Bindings and variables");
  expect(worker.size).toBeGreaterThan(10);
  expect(Object.fromEntries(rows.map(([name, , place]) => [name, place]))).toEqual(expected);
  expect([...fromVariables].filter((name) => !worker.has(name))).toEqual([]);
});

test("compose.yaml passes each variable of the page on to the container", () => {
  const passed = namesIn(read("deploy/self-host/compose.yaml"), /^ {6}([A-Z_]+):/gm);
  const rows = tableAfter("## Bindings and variables").filter(([, , place = ""]) => /both|self-hosted/.test(place));
  const names = rows.map(([name = ""]) => name).filter((name) => !IMAGE_SETS.has(name));
  expect(names.filter((name) => !passed.has(name))).toEqual([]);
});

/** The image has its folder and its address. */
const IMAGE_SETS: ReadonlySet<string> = new Set(["HOLDFAST_DATA", "HOLDFAST_ADDRESS"]);

test("docs/reference/configuration.md has each option of holdfast and each field of deps", () => {
  const source = read("packages/orchestrator-cloudflare/src/deployment/deployment.ts");
  const keysOf = (schema: string): readonly string[] => {
    const [, body = ""] = new RegExp(`const ${schema} = v.strictObject\\({([^]*?)\n} satisfies`).exec(source) ?? [];
    return [...namesIn(body, /^ {2}(\w+):/gm)].toSorted();
  };
  const named = (heading: string): readonly string[] => tableAfter(heading).map(([name = ""]) => name);
  expect(keysOf("DEPS").length).toBeGreaterThan(10);
  expect(named("## Options of `holdfast`").toSorted()).toEqual(keysOf("OPTIONS"));
  expect(named("### Fields of `deps`").toSorted()).toEqual(keysOf("DEPS"));
});
