/** `node src/start.ts [OPTIONS]`: starts both sides on this machine. The options are passed to `wrangler dev`. */
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { fileURLToPath } from "node:url";

const { STEPS_PORT = "8788", ACCOUNTS_FILE = "accounts.sqlite", STEPS_SERVER = "node" } = process.env;
const key = randomBytes(16).toString("hex");
const steps = spawn(process.execPath, [pathOf("steps.ts"), STEPS_PORT, key, ACCOUNTS_FILE, STEPS_SERVER], {
  stdio: "inherit",
});
const vars = ["AUTH:off", `STEPS_URL:http://127.0.0.1:${STEPS_PORT}/holdfast`, `STEPS_KEY:${key}`];
const worker = spawn("wrangler", ["dev", ...vars.flatMap((one) => ["--var", one]), ...process.argv.slice(2)], {
  stdio: "inherit",
});

for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => stop());
worker.on("exit", () => stop());

function stop(): void {
  steps.kill();
  worker.kill();
}

function pathOf(file: string): string {
  return fileURLToPath(new URL(file, import.meta.url));
}
