/** Development: the Node service, which starts again on each save, and a local orchestrator that calls it. Ctrl-C ends both. */
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";

const port = process.env["PORT"] ?? "8788";
const url = `http://127.0.0.1:${port}/holdfast`;
const key = process.env["STEP_SIGNING_KEY"] ?? randomBytes(32).toString("hex");
const env = { ...process.env, PORT: port, STEPS_URL: url, STEP_SIGNING_KEY: key };

const service = spawn(process.execPath, ["--watch", "--no-warnings", "src/server.ts"], {
  env,
  stdio: ["ignore", "inherit", "inherit"],
});
const orchestrator = spawn("holdfast", ["dev", "--steps", url, ...process.argv.slice(2)], { env, stdio: "inherit" });

// A terminal sends Ctrl-C to all three processes. Other signals arrive here only.
process.on("SIGINT", () => {});
for (const signal of ["SIGTERM", "SIGHUP"] as const) process.on(signal, () => orchestrator.kill(signal));

orchestrator.on("error", ({ message }) => console.error(`holdfast dev cannot start: ${message}. Install first.`));
orchestrator.on("close", (code) => {
  service.kill();
  process.exitCode = code ?? 1;
});
service.on("close", () => orchestrator.kill());
