/** tests: what the server serves: an existing Worker with its configuration, a step service, one of several entries */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { findFreePort } from "../../src/local/free-port.ts";
import { makeProject, orderCode, until } from "./dev-process.ts";

const WORKER = `import { DurableObject } from "cloudflare:workers";
import { env } from "cloudflare:workers";
import { createHash } from "crypto";
import { holdfast } from "@holdfast/orchestrator-cloudflare/worker";
import { workflow } from "@holdfast/workflows";

export class Counter extends DurableObject {
  add() {
    return createHash("sha256").update("x").digest("hex").length;
  }
}
const vars = workflow({
  id: "vars",
  run: async (_input, ctx) => {
    const count = await ctx.step("count", () => env.COUNTER.get(env.COUNTER.idFromName("a")).add());
    const { FROM_CONFIG, FROM_BOTH, SECRET, PUBLIC_URL, ENVIRONMENT } = env;
    return { count, FROM_CONFIG, FROM_BOTH, SECRET, PUBLIC_URL, ENVIRONMENT, key: process.env.SECRET };
  },
});
const app = holdfast({ workflows: [vars] });
export const NAME = "no handler";
export default app.worker;
export const { WorkflowRunDO: Runs, RunIndexDO } = app;
`;

const CONFIG = `{
  // As for a deployment.
  "main": "src/worker.ts",
  "compatibility_date": "2026-09-01",
  "compatibility_flags": ["nodejs_compat"],
  "vars": { "FROM_CONFIG": { "a": 1 }, "FROM_BOTH": "config", "PUBLIC_URL": "https://flows.example", /* , */ },
  "kv_namespaces": [{ "binding": "CACHE", "id": "x" }],
  "durable_objects": {
    "bindings": [
      { "name": "WORKFLOW_RUN_DO", "class_name": "Runs" },
      { "name": "RUN_INDEX_DO", "class_name": "RunIndexDO" },
      { "name": "COORDINATOR_DO", "class_name": "CoordinatorDO" },
      { "name": "COUNTER", "class_name": "Counter" },
    ],
  },
}`;

test("DEV8 an existing Worker is served with its variables, classes and dates, and with the local address", async () => {
  const project = makeProject({
    "src/worker.ts": WORKER,
    "wrangler.jsonc": CONFIG,
    ".dev.vars": "SECRET='a \"secret\" \\\\ // 1'\nFROM_BOTH=local\nAPI_TOKENS=a-token-of-the-user-1\n",
  });
  const dev = await project.start();
  expect(dev.err).toContain("holdfast dev serves src/worker.ts\n  workflows  vars\n");
  expect(dev.err).toContain(`  dashboard  ${dev.server.url}/ui/\n`);
  expect((await fetch(`${dev.server.url}/ui/runs/v1`)).status).toBe(200);
  expect(dev.err).toContain("Not on this server: kv_namespaces of wrangler.jsonc.");
  await dev.begin("v1", "vars");
  await dev.prints("v1 vars  completed after");
  expect(dev.out).toContain(`v1 vars  starts  ${dev.server.url}/ui/runs/v1\n`);
  const SECRET = 'a "secret" \\\\ // 1';
  expect((await dev.run("v1")).output).toEqual({
    count: 64,
    FROM_CONFIG: { a: 1 },
    FROM_BOTH: "local",
    SECRET,
    PUBLIC_URL: dev.server.url,
    ENVIRONMENT: "development",
    key: SECRET,
  });
  const headers = { Authorization: "Bearer a-token-of-the-user-1" };
  expect((await fetch(`${dev.server.url}/api/workflows`, { headers })).status).toBe(200);
  project.write({ ".dev.vars": "SECRET=another\n" });
  await dev.says("Serves the new code");
  await dev.begin("v2", "vars");
  await dev.prints("v2 vars  completed after");
  expect((await dev.run("v2")).output).toMatchObject({ SECRET: "another", FROM_BOTH: "config" });
});

const SERVICE = `import { createServer } from "node:http";
import { text } from "node:stream/consumers";
import { createStepHandler } from "@holdfast/workflows/handler";
import { order } from "./order.ts";

const handle = createStepHandler({
  workflows: [order],
  signingKeys: [process.env.STEP_SIGNING_KEY],
  audience: process.env.URL,
});
createServer(async (request, response) => {
  const { method, headers } = request;
  const body = method === "POST" ? await text(request) : undefined;
  const answer = await handle(new Request("http://127.0.0.1" + request.url, { method, headers, body }));
  response.writeHead(answer.status, [...answer.headers].flat());
  response.end(Buffer.from(await answer.arrayBuffer()));
}).listen(Number(process.env.PORT), "127.0.0.1");
`;

let service: ChildProcess | undefined;

afterEach(() => service?.kill("SIGKILL"));

test("DEV8 --steps sends steps to a service, with a key that is ready to use, and says once that it is down or back", async () => {
  const port = await findFreePort();
  const url = `http://127.0.0.1:${port}/holdfast`;
  const project = makeProject({ "service.ts": SERVICE, "order.ts": orderCode() });
  const serve = (): void => {
    service = spawn(process.execPath, ["--env-file=.holdfast/steps.env", "service.ts"], {
      cwd: project.folder,
      env: { PATH: process.env["PATH"], PORT: String(port), URL: url },
      stdio: "ignore",
    });
  };
  const dev = await project.start("--steps", url);
  const key = readFileSync(join(project.folder, ".holdfast/steps.env"), "utf8").trim();
  expect(key).toMatch(/^STEP_SIGNING_KEY=[0-9a-f]{64}$/);
  expect(dev.err).toContain(`  ${key}\n`);
  await dev.says("The service does not serve steps: ");
  expect(dev.err).toContain(`ECONNREFUSED 127.0.0.1:${port}. Runs wait for it.`);
  serve();
  await dev.says(`The service at ${url} answers. It serves: order.`);
  await dev.begin("o1");
  await dev.prints("waits for signal approval");
  const ended = once(service as unknown as ChildProcess, "exit");
  service?.kill("SIGKILL");
  await ended;
  await dev.says("The service does not serve steps: ", 2);
  await dev.signal("o1");
  serve();
  await dev.prints("o1 order  completed after");
  expect(dev.err.split("The service does not serve steps: ")).toHaveLength(3);
  await dev.says(`The service at ${url} answers.`, 2);
});

test("DEV8 the entry is found, given as a folder, or asked for, and an array or an app is served too", async () => {
  const array = orderCode().replace("export const order", "const order");
  const project = makeProject({ "flows/index.ts": `${array}export default [order];\n` });
  const none = project.launch();
  expect(await none.exit()).toBe(2);
  expect(none.err).toMatch(
    /^Error: There is no src\/workflows\.ts here\. Give the file .*holdfast dev --steps http.*\n$/,
  );
  const both = project.launch(["flows/index.ts", "--steps", "http://127.0.0.1:1/x"]);
  expect(await both.exit()).toBe(2);
  expect(both.err).toBe("Error: Give either an entry or --steps: the service has the workflows.\n");
  const short = project.launch(["--steps", "http://127.0.0.1:1/x"], { STEP_SIGNING_KEY: "short" });
  expect(await short.exit()).toBe(2);
  expect(short.err).toMatch(/^Error: --steps with STEP_SIGNING_KEY: A signing key must have at least .*\n$/);
  const dev = await project.start("flows");
  expect(dev.err).toContain("serves flows/index.ts\n  workflows  order\n");
  const app = `import { holdfast } from "@holdfast/orchestrator-cloudflare/worker";\n${array}export default holdfast({ workflows: [order] });\n`;
  project.write({ "flows/index.ts": app.replace('"order"', '"second"') });
  await dev.says("Serves the new code");
  await until(async () => (await (await dev.ask("/api/workflows")).text()).includes("second"));
});

test("DEV8 without Node's modules the message says which line of wrangler.jsonc adds them", async () => {
  const project = makeProject({
    "src/workflows.ts": orderCode(),
    "wrangler.jsonc": '{ "compatibility_date": "2024-01-01" }',
  });
  const dev = project.launch();
  await dev.says('"compatibility_flags": ["nodejs_compat"] in wrangler.jsonc');
  project.write({ "wrangler.jsonc": "null" });
  await dev.says("wrangler.jsonc: it must be an object.");
  project.write({ "wrangler.jsonc": "{}" });
  await dev.says("Ready.");
});
