/**
 * Messages between runs, as requests from one object to another (CHILD4).
 */
import type { RunMessage, SendResult } from "@holdfast/orchestrator";
import type { DurableObjectNamespaceLike } from "../platform-types.ts";
import type { RunCommand } from "./commands.ts";

/** Hands a message to another run's object. Whatever goes wrong, it is sent again later. */
export async function sendMessage(
  runDO: DurableObjectNamespaceLike,
  name: string,
  message: RunMessage,
): Promise<SendResult> {
  try {
    const command: RunCommand = { command: "message", message };
    const stub = runDO.get(runDO.idFromName(name));
    const request = new Request("https://run.internal/", { method: "POST", body: JSON.stringify(command) });
    const answer = await stub.fetch(request);
    return answer.ok ? ((await answer.json()) as SendResult) : { type: "unreachable" };
  } catch {
    return { type: "unreachable" };
  }
}
