/**
 * Vitest's global set-up of the real-workerd suite: a Node process that serves workflows during the tests.
 */
import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";

let child: ChildProcess | undefined;
let over = false;

export async function setup(): Promise<void> {
  await new Promise<void>((resolve) => start(resolve));
}

/** Starts the process, and restarts it after each kill. */
function start(ready: () => void): void {
  const { STEP_HANDLER_PORT = "0", STEP_HANDLER_KEY = "" } = process.env;
  const file = fileURLToPath(new URL("node-handler.ts", import.meta.url));
  child = fork(file, [STEP_HANDLER_PORT, STEP_HANDLER_KEY], { stdio: ["ignore", "ignore", "pipe", "ipc"] });
  // Write its output through this process, so that the reporter gets it.
  child.stderr?.on("data", (text: Buffer) => process.stderr.write(text));
  child.once("message", ready);
  child.once("exit", () => {
    if (!over) start(() => {});
  });
}

export function teardown(): void {
  over = true;
  child?.kill("SIGKILL");
}
