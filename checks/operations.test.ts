/**
 * Follows docs/operations.md: what it says about a binding or variable has the effect that it names, in the Worker that is
 * deployed and in the executable for a machine of one's own.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type LocalRuntime, startLocalRuntime } from "@holdfast/local-runtime";
import { afterEach, expect, test, vi } from "vitest";
import { REPOSITORY } from "./source-files.ts";

const read = (path: string): string => readFileSync(join(REPOSITORY, path), "utf8");
const OPERATIONS = read("docs/operations.md");
const APP = "apps/orchestrator-worker";

let runtime: LocalRuntime | undefined;
const folder = mkdtempSync(join(tmpdir(), "holdfast-operations-"));

afterEach(async () => {
  await runtime?.dispose();
  rmSync(folder, { recursive: true, force: true });
});

/** The lines of the code block in this language that follows a heading. */
function blockAfter(heading: string, language: string): string {
  const section = OPERATIONS.slice(OPERATIONS.indexOf(`\n${heading}\n`));
  const [, block = ""] = new RegExp(`\`\`\`${language}\n([^]*?)\`\`\``).exec(section) ?? [];
  return block;
}

test(
  "LIM1 the line of operations.md about R2, added to wrangler.jsonc, moves large payloads to the bucket",
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

/** Bindings that only Cloudflare has, and the variable that opens the API, which a deployment must not set. */
const NOT_SELF_HOSTED: ReadonlySet<string> = new Set(["PAYLOADS", "PUBLIC_RATE_LIMIT", "CF_VERSION_METADATA", "AUTH"]);

test("each binding and variable of the deployable Worker is documented, and the self-hosted Worker has it", () => {
  const source = read("packages/orchestrator-cloudflare/src/deployment/environment.ts");
  const known = [...source.matchAll(/^ {2}([A-Z][A-Z_]+): (?:v\.|parsed|checked)/gm)].map(([, name = ""]) => name);
  const documented = [...OPERATIONS.matchAll(/^\| `([A-Z][A-Z_]+)` +\|/gm)].map(([, name = ""]) => name);
  const selfHosted = [...read("deploy/self-host/config.capnp").matchAll(/\(name = "([A-Z_]+)", /g)].map(
    ([, name = ""]) => name,
  );
  expect(known.length).toBeGreaterThan(10);
  expect(new Set(documented)).toEqual(new Set(known));
  expect(new Set(selfHosted)).toEqual(new Set(known.filter((name) => !NOT_SELF_HOSTED.has(name))));
  const readme = read("deploy/self-host/README.md");
  expect(selfHosted.filter((name) => !readme.includes(`\`${name}\``) && !name.endsWith("_DO"))).toEqual([]);
});
