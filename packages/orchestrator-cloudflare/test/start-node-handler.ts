/**
 * Vitest's global set-up of the real-workerd suite: a Node process that serves workflows, for as long as the tests run.
 */
import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";

let child: ChildProcess | undefined;

export async function setup(): Promise<void> {
  const { STEP_HANDLER_PORT = "0", STEP_HANDLER_KEY = "" } = process.env;
  const file = fileURLToPath(new URL("node-handler.ts", import.meta.url));
  child = fork(file, [STEP_HANDLER_PORT, STEP_HANDLER_KEY], { stdio: ["ignore", "ignore", "inherit", "ipc"] });
  await new Promise<void>((resolve, reject) => {
    child?.once("message", () => resolve());
    child?.once("exit", (code) => reject(new Error(`the step handler ended with ${code}`)));
  });
}

export function teardown(): void {
  child?.kill("SIGKILL");
}
