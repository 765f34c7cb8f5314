/**
 * Replaces the log of the process when it is loaded, and writes the lines of the start.
 *
 * Owns: the time of lines that are written while the Worker is loaded: its clock stands still then, at 0. start.sh gives it
 * the time of the start. The variables are only checked here: the Worker reads them at its first request or alarm.
 */
import { env } from "cloudflare:workers";
import { logInvalidFields } from "@holdfast/orchestrator-cloudflare/environment";
import { HOLDFAST_VERSION } from "@holdfast/protocol";
import { writeLogLines } from "./log-lines.ts";

const started = Date.parse(env.started ?? "");

writeLogLines(() => new Date(Date.now() || started || 0));

/** Logs the start of the process, and each variable that is wrong: nobody may ask for a while (SEC9). */
export function logStart(): void {
  console.log(JSON.stringify({ message: "Holdfast starts", version: HOLDFAST_VERSION }));
  logInvalidFields(env);
}
