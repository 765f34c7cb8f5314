/** Checks with a dry run that the Worker can be deployed with its assets, and checks the size of its bundle. */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { gzipSync } from "node:zlib";
import { afterAll, expect, test } from "vitest";
import { REPOSITORY } from "./source-files.ts";

/**
 * Half a kilobyte over what it weighs without the files of the dashboard, of which zod, the schema library of the example,
 * is a fifth. The files have a budget of their own (apps/dashboard/test/budget.test.ts): their code is loaded with the first
 * request for them.
 */
const BUDGET_BYTES = 265_700;
/** The text of the files in the bundle, which is gzipped already. */
const FILES = /\bgzip:"[A-Za-z\d+/=]*"/gu;

const outputFolder = mkdtempSync(join(tmpdir(), "holdfast-deploy-"));

afterAll(() => rmSync(outputFolder, { recursive: true, force: true }));

test(`the Worker deploys, and its bundle is under ${BUDGET_BYTES} bytes, minified and gzipped`, async () => {
  const { status, output } = await deployDry();
  expect(status, output).toBe(0);
  const code = readFileSync(join(outputFolder, "worker.js"), "utf8");
  const whole = gzipSync(code, { level: 9 }).length;
  const bytes = gzipSync(code.replace(FILES, 'gzip:""'), { level: 9 }).length;
  console.log(`apps/orchestrator-worker: ${bytes} bytes gzipped, ${whole} with the dashboard, ${code.length} minified`);
  expect(code.match(FILES)?.length).toBeGreaterThan(2);
  expect(bytes).toBeLessThan(BUDGET_BYTES);
  expect(output).toMatch(/Read \d+ files from the assets directory/);
}, 20_000);

test("the environment of docs/how-to/deploy.md deploys with each binding of the Worker, and with its own domain and bucket", async () => {
  const folder = join(REPOSITORY, "apps/orchestrator-worker");
  const page = readFileSync(join(REPOSITORY, "docs/how-to/deploy.md"), "utf8");
  const blocks = ["Your own domain", "Environments", "Large payloads in R2"].map(
    (heading) => /```jsonc\n([^]*?)```/u.exec(page.slice(page.indexOf(`\n## ${heading}\n`)))?.[1] ?? "",
  );
  const config = readFileSync(join(folder, "wrangler.jsonc"), "utf8").replace(/\}\s*$/u, `${blocks.join("")}}\n`);
  const file = join(folder, `.wrangler-${process.pid}.jsonc`);
  writeFileSync(file, config);
  try {
    const whole = await deployDry("--config", file);
    expect(whole.status, whole.output).toBe(0);
    expect(whole.output).toContain("holdfast-payloads");
    const staging = await deployDry("--config", file, "--env", "staging");
    expect(staging.status, staging.output).toBe(0);
    const [, ...bound] = readFileSync(join(folder, "wrangler.jsonc"), "utf8").matchAll(/"(?:name|binding)": "(\w+)"/gu);
    expect(bound.map(([, name = ""]) => name).filter((name) => !staging.output.includes(`env.${name}`))).toEqual([]);
  } finally {
    rmSync(file);
  }
}, 40_000);

async function deployDry(
  ...options: readonly string[]
): Promise<{ readonly status: number | null; readonly output: string }> {
  const wrangler = spawn(
    join(REPOSITORY, "node_modules/.bin/wrangler"),
    ["deploy", "--dry-run", "--minify", "--outdir", outputFolder, ...options],
    {
      cwd: join(REPOSITORY, "apps/orchestrator-worker"),
      stdio: ["ignore", "pipe", "pipe"],
      env: {
        ...process.env,
        CI: "1",
        // The test must not use the network.
        WRANGLER_SEND_METRICS: "false",
        WRANGLER_HIDE_BANNER: "true",
        CLOUDFLARE_CF_FETCH_ENABLED: "false",
        WRANGLER_LOG_PATH: join(outputFolder, "logs"),
      },
    },
  );
  const ended = new Promise<number | null>((resolve, reject) => wrangler.once("error", reject).once("close", resolve));
  const [status, out, err] = await Promise.all([ended, text(wrangler.stdout), text(wrangler.stderr)]);
  return { status, output: `${out}\n${err}` };
}
