/**
 * Vitest's global set-up of the real-workerd suite: a Node process that serves workflows, for as long as the tests run.
 */
import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";

let child: ChildProcess | undefined;
let over = false;

export async function setup(): Promise<void> {
  await new Promise<void>((resolve) => start(resolve));
}

/** Starts it, and again when it was killed. */
function start(ready: () => void): void {
  const { STEP_HANDLER_PORT = "0", STEP_HANDLER_KEY = "" } = process.env;
  const file = fileURLToPath(new URL("node-handler.ts", import.meta.url));
  child = fork(file, [STEP_HANDLER_PORT, STEP_HANDLER_KEY], { stdio: ["ignore", "ignore", "pipe", "ipc"] });
  // By way of this process, so that the reporter sees it.
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
